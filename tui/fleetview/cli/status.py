"""`fleetview status`: what is true of the fleet, once or again and again."""

from __future__ import annotations

import asyncio
import shlex
import sys
import time
from argparse import Namespace
from collections.abc import Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass

from fleetview.cli.bounds import ANSWER_SECONDS, no_answer
from fleetview.cli.output import put, put_json, screen_width, table
from fleetview.config import FleetConfig, NodeConfig
from fleetview.fleet import Change, Dropped, Fleet, LinkDown, NodeState, apply, condition
from fleetview.present import measures
from fleetview.present.hints import hint
from fleetview.present.node.remarks import remarks
from fleetview.present.numbers import age, context, percent, rate, size
from fleetview.present.operations import progress
from fleetview.present.text import DASH, plain, text_of
from fleetview.remote.connect import connect
from fleetview.remote.errors import RemoteError
from fleetview.remote.link import Link
from fleetview.remote.logins import Logins
from fleetview.words.exits import Exit
from fleetview.words.names import pick_nodes
from fleetview_agent.wire import BackendState, ResidentModel, Sampled, Snapshot

HEADING = ("NODE", "STATE", "CPU", "GPU", "FREE", "PRESSURE", "TOK/S", "MODELS")
NUMBERS = frozenset((2, 3, 4, 6))
HOME_AND_CLEAR = "\x1b[H\x1b[2J"
INTERVAL_SECONDS = 1.0
PATIENCE_SECONDS = 0.3
"""How long to wait for a reading that is younger than the snapshot's; it comes at once, or the snapshot's was young."""


async def run(arguments: Namespace, config: FleetConfig, logins: Logins) -> int:
    """Print the nodes; with `--watch` until interrupted."""
    nodes = pick_nodes(config, arguments.nodes)
    if arguments.watch:
        await _watch(nodes, logins, config.fleet.interval_seconds, as_json=arguments.json)
    looks = await asyncio.gather(*(look(node, logins) for node in nodes))
    _show(looks, as_json=arguments.json)
    absent = [found.node.link == "down" for found in looks]
    return Exit.UNREACHABLE if (any if arguments.nodes else all)(absent) else Exit.DONE


@dataclass(frozen=True)
class Look:
    """A node, and the monotonic time that it is of: others may take longer, and that makes it no older."""

    node: NodeState
    at: float


async def look(node: NodeConfig, logins: Logins | None = None, readings: int = 1) -> Look:
    """The node as it is after so many readings of its machine, or why it cannot be seen."""
    fleet: Fleet = {node.name: NodeState(node.name)}
    try:
        # Following the events, unlike asking for a snapshot, makes the agent read its machine anew.
        async with connect(node, logins) as client, aclosing(client.events(INTERVAL_SECONDS)) as events:
            async with asyncio.timeout(ANSWER_SECONDS) as patience:
                async for event in events:
                    readings -= isinstance(event, Sampled)
                    fleet = apply(fleet, node.name, event, time.monotonic())
                    skipped = Dropped(client.dropped - fleet[node.name].dropped)
                    fleet = apply(fleet, node.name, skipped, time.monotonic())
                    if not readings:
                        break
                    if isinstance(event, Snapshot):
                        wait = PATIENCE_SECONDS + (readings - 1) * INTERVAL_SECONDS
                        patience.reschedule(asyncio.get_running_loop().time() + wait)
    except TimeoutError:
        if fleet[node.name].heard_at is None:
            fleet = apply(fleet, node.name, LinkDown(no_answer(node.name)), time.monotonic())
        # otherwise what the snapshot holds is young enough, or its machine is slow to be read
    except RemoteError as problem:
        fleet = apply(fleet, node.name, LinkDown(str(problem)), time.monotonic())
    return Look(fleet[node.name], time.monotonic())


async def _watch(nodes: tuple[NodeConfig, ...], logins: Logins, interval: float, *, as_json: bool) -> None:
    """Print the nodes once in every interval, until cancelled."""
    fleet: Fleet = {node.name: NodeState(node.name, interval_seconds=interval) for node in nodes}

    def receive(name: str, change: Change) -> None:
        nonlocal fleet
        fleet = apply(fleet, name, change, time.monotonic())

    links = [asyncio.create_task(Link(node, receive, interval, logins).run()) for node in nodes]
    try:
        while True:
            ended, _ = await asyncio.wait(links, timeout=interval, return_when=asyncio.FIRST_COMPLETED)
            for link in ended:
                link.result()  # a link ends by a bug alone
            if sys.stdout.isatty() and not as_json:
                sys.stdout.write(HOME_AND_CLEAR)
            now = time.monotonic()
            _show([Look(state, now) for state in fleet.values()], as_json=as_json)
    finally:
        for link in links:
            link.cancel()
        await asyncio.wait(links)


def _show(looks: Iterable[Look], *, as_json: bool) -> None:
    """Print the nodes."""
    if as_json:
        put_json([_object(found.node, found.at) for found in looks])
        return
    ordered = sorted(looks, key=lambda found: found.node.link != "down")  # failures first, else as in the file
    put(table((HEADING, *(_row(found.node, found.at) for found in ordered)), NUMBERS, screen_width()))
    for found in ordered:
        for sentence in _remarks(found.node):
            put(plain(sentence, 2000))


def _object(node: NodeState, now: float) -> dict[str, object]:
    """A node for programs: its condition, and the parts of its snapshot as they are."""
    state = condition(node, now)
    return {
        "name": node.name,
        "condition": state,
        "reason": node.reason,
        "stale": node.heard_at is not None and state in {"stale", "down"},
        "dropped": node.dropped,
        "machine": node.machine,
        "sample": node.sample,
        "backends": tuple(node.backends.values()),
        "operations": node.operations,
    }


def _row(node: NodeState, now: float) -> tuple[str, ...]:
    """A node for people."""
    state = condition(node, now)
    sample = node.sample
    if node.heard_at is None:
        return (node.name, state, *[DASH] * 5, node.reason or DASH)
    return (
        node.name,
        state,
        percent(sample.cpu_ratio if sample else None),
        percent(sample.gpu_ratio if sample else None),
        size(measures.memory_free(node)),
        measures.pressure(node) or DASH,
        rate(measures.tokens_per_second(sample) if sample else None),
        _models(node),
    )


def _models(node: NodeState) -> str:
    """What is resident, and what is being done about it."""
    parts = [_model(backend, model) for backend, model in node.resident]
    parts += [text_of(progress.in_hand(operation)) for operation in node.operations]
    return ", ".join(parts) or DASH


def _model(backend: str, model: ResidentModel) -> str:
    """One resident model."""
    notes = [context(model.context)] if model.context else []
    notes += [model.phase] if model.phase != "ready" else []
    notes += ["pinned"] if model.pinned else []
    notes += [f"leaves in {age(model.expires_in_seconds)}"] if model.expires_in_seconds is not None else []
    return f"{backend}/{model.name}" + (f" ({', '.join(notes)})" if notes else "")


def _remarks(node: NodeState) -> Iterable[str]:
    """What deserves a sentence: odd agents, lost nodes, backends that are not ready, and models that have failed."""
    yield from remarks(node)
    if node.reason and node.heard_at is not None:
        yield f"{node.name} is down, and its figures are old: {node.reason}"
    for state in node.backends.values():
        if state.phase in {"failed", "stopped"} or (state.phase == "missing" and not _others(node, state)):
            why = state.failure.reason if state.failure else hint(state, node.name)
            yield f"{node.name}: {state.backend} is {state.phase}" + (f": {why}" if why else "")
        for model in state.resident:
            yield from _of_model(node.name, state.backend, model)


def _others(node: NodeState, missing: BackendState) -> bool:
    """Whether another engine is there, so that nobody misses this one."""
    return any(state.phase != "missing" for state in node.backends.values() if state is not missing)


def _of_model(node: str, backend: str, model: ResidentModel) -> Iterator[str]:
    """What deserves a sentence about a model in memory."""
    name = f"{backend}/{model.name}"
    if model.phase == "orphaned":
        end = f"fleetview unload {node} {shlex.quote(name)}"
        yield f"{node}: {name} has lost its server and keeps {size(model.memory_bytes)}; to end it: {end}"
        return
    if model.failure:
        yield f"{node}: {name} has failed: {model.failure.reason}"
    if model.remark:
        yield f"{node}: {name}: {model.remark}"
