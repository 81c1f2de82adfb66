"""`fleetview copy`: a model from one node to others, through this program's own connections."""

from __future__ import annotations

import asyncio
import re
from argparse import Namespace
from collections.abc import Sequence

from fleetview.author import author
from fleetview.cli import plans
from fleetview.cli.operate import ENDINGS
from fleetview.cli.output import Progress, put, put_json, say
from fleetview.config import FleetConfig, NodeConfig
from fleetview.copying.delivery import Changed, Delivery, Show, Ways
from fleetview.copying.parts import copy_request, found
from fleetview.copying.throttle import Throttle
from fleetview.present.numbers import duration, percent
from fleetview.present.text import plain
from fleetview.remote.connect import connect
from fleetview.remote.errors import RemoteError
from fleetview.remote.logins import Logins
from fleetview.words.exits import CommandError, Exit, status_of
from fleetview.words.names import pick_model, pick_node, pick_nodes
from fleetview_agent.wire import CopyRequest, ModelParts, Operation, target

UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
GO_ON = "what has come stays on the nodes for seven days, and the same command goes on where it was"

End = Operation | RemoteError | CommandError
"""How the copy to one node ended, or why that is not known."""


async def run(arguments: Namespace, config: FleetConfig, logins: Logins) -> int:
    """Copy a model to every node that is named; the worst exit status of them all."""
    source, targets = _nodes(arguments, config)
    ways = Ways(logins, config.fleet.interval_seconds, Throttle(limit_of(arguments.limit)))
    progress = Progress()
    try:
        parts = await _found(source, arguments.model, logins, progress)
        request = copy_request(parts, source.name, author())
        if arguments.dry_run:
            progress.clear()
            return await _preview(request, targets, logins, as_json=arguments.json)
        ends = await _delivered(source, targets, request, ways, progress)
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) is not None:
            task.uncancel()
        progress.clear()
        say(f"interrupted; {GO_ON}")
        return Exit.INTERRUPTED
    finally:
        progress.clear()
    return _tell(request, targets, ends, as_json=arguments.json)


def limit_of(words: str | None) -> float | None:
    """Bytes per second; None: no limit. Raises CommandError."""
    if words is None:
        return None
    found = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)([KMG])", words)
    if found is None or not float(found[1]):
        raise CommandError(f"{words[:20]} is no speed; say 500K, 50M or 1G, in bytes per second", Exit.USAGE)
    return float(found[1]) * UNITS[found[2]]


def _nodes(arguments: Namespace, config: FleetConfig) -> tuple[NodeConfig, tuple[NodeConfig, ...]]:
    """Where the model comes from, and where it goes. Raises CommandError."""
    if arguments.no_wait:
        told = "the files go through this program, so copy cannot end before they are there; leave --no-wait out"
        raise CommandError(told, Exit.USAGE)
    source, targets = pick_node(config, vars(arguments)["from"]), pick_nodes(config, arguments.tos)
    if source in targets:
        raise CommandError(f"{source.name} is where the model comes from, so it cannot go there too", Exit.USAGE)
    return source, targets


async def _found(source: NodeConfig, word: str, logins: Logins, progress: Progress) -> ModelParts:
    """What the model consists of; a large file has to be read for that. Raises RemoteError, CommandError."""
    async with connect(source, logins) as client:
        snapshot = await client.snapshot()
        backend, model = pick_model(source.name, snapshot.backends, word)
        reading = f"{model}: reading it on {source.name}"
        return await found(client, backend, model, lambda ratio: progress.show(reading, percent(ratio)))


async def _preview(request: CopyRequest, targets: Sequence[NodeConfig], logins: Logins, *, as_json: bool) -> int:
    """Print what the copy to each node would do."""
    status = Exit.DONE
    for node in targets:
        try:
            async with connect(node, logins) as client:
                await plans.show(client, request, node.name, as_json=as_json)
        except (RemoteError, CommandError) as problem:
            say(f"{node.name}: {problem}")
            status = max(status, _status(problem))
    return status


async def _delivered(
    source: NodeConfig, targets: Sequence[NodeConfig], request: CopyRequest, ways: Ways, progress: Progress
) -> tuple[End, ...]:
    """How the copy to each node ended; one that fails leaves the others alone."""
    board: dict[str, tuple[str, str]] = {}

    def showing(name: str) -> Show:
        def show(step: str, detail: str) -> None:
            board[name] = (step, detail)
            steps = ", ".join(f"{node} {step}" for node, (step, _) in board.items())
            progress.show(f"{request.model} to {steps}", ", ".join(detail for _, detail in board.values() if detail))

        return show

    deliveries = [Delivery(source, node, request, ways, showing(node.name)).run() for node in targets]
    ends = []
    # Exceptions come as results, so that an interrupt waits until every node has been told.
    for end in await asyncio.gather(*deliveries, return_exceptions=True):
        if isinstance(end, BaseException) and not isinstance(end, RemoteError | CommandError):
            raise end
        ends.append(end)
    return tuple(ends)


def _tell(request: CopyRequest, targets: Sequence[NodeConfig], ends: Sequence[End], *, as_json: bool) -> int:
    """Print how the copy to each node ended; the worst exit status."""
    rows = tuple(zip((node.name for node in targets), ends, strict=True))
    if as_json:
        put_json([_object(node, end) for node, end in rows])
    for node, end in rows:
        if isinstance(end, Operation) and end.result == "done":
            seconds = None if end.ended_at is None else end.ended_at - end.queued_at
            if not as_json:
                put(plain(f"{target(request)} has come to {node} after {duration(seconds)}"))
        else:
            say(f"copy of {target(request)} to {node} {_words(end)}")
    return max(_status(end) for end in ends)


def _object(node: str, end: End) -> dict[str, object]:
    """An end for programs."""
    is_known = isinstance(end, Operation)
    return {"node": node, "operation": end if is_known else None, "error": None if is_known else str(end)}


def _words(end: End) -> str:
    """How it ended where it is not done, and why."""
    if not isinstance(end, Operation):
        return f"broke off: {end}"
    ending = "was refused" if end.refused else ENDINGS[end.result or "interrupted"]
    return f"{ending}: {end.cause}" if end.cause else ending


def _status(end: End) -> Exit:
    """What an end means for the exit status."""
    match end:
        case CommandError():
            return end.status
        case Changed():
            return Exit.FAILED
        case RemoteError():
            return status_of(end)
        case Operation(result="done"):
            return Exit.DONE
    return Exit.REFUSED if end.refused else Exit.FAILED
