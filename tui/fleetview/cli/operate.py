"""Every verb that changes a node: ask for an operation and wait for its end."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fleetview.cli import plans
from fleetview.cli.following import STATUS_HINT, Following
from fleetview.cli.output import put, put_json, quote, say
from fleetview.config import FleetConfig
from fleetview.present.numbers import duration
from fleetview.present.operations.progress import stays
from fleetview.present.text import plain
from fleetview.remote.client import AgentClient
from fleetview.remote.connect import connect
from fleetview.remote.errors import Lost, Refused, RemoteError
from fleetview.remote.logins import Logins
from fleetview.remote.snapshots import first_of
from fleetview.verbs import VERBS
from fleetview.words.exits import CommandError, Exit
from fleetview.words.names import pick_node
from fleetview.words.requests import change_request
from fleetview_agent.wire import Event, KeepRequest, Operation, Order, Request, StartRequest, UndoRequest, target

LOG_LINES = 10
BECAME = {verb.name: f"is {verb.done} on" for verb in VERBS if verb.done} | {
    "swap": "is ready on",
    "load": "is ready on",
    "unload": "has left",
    "start": "runs on",
    "restart": "runs again on",
    "unpin": "is no longer pinned on",
    "pull": "has come to",
    "create": "is there on",
    "copy": "has come to",
    "delete": "is deleted from",
}
"""What is true of a model or an engine once a verb has ended; the node follows."""
ENDINGS = {"failed": "failed", "rolled_back": "was rolled back", "interrupted": "was cut short"}


async def run(arguments: Namespace, config: FleetConfig, logins: Logins) -> int:
    """Carry out a change of a node, and tell how it went."""
    node = pick_node(config, arguments.node)
    interval = config.fleet.interval_seconds
    async with (
        connect(node, logins, interval=interval) as client,
        aclosing(client.events(interval)) as events,
    ):
        # The stream is followed before anything is asked for, so that an end that comes at once is not missed.
        request = change_request(arguments, node.name, await first_of(events, node.name))
        if arguments.dry_run:
            return await plans.show(client, request, node.name, as_json=arguments.json)
        if isinstance(request, StartRequest):
            await client.plan(request)  # where nothing ran that could be started, that is a wrong word, not a failure
        operation_id = await _submit(client, request)
        if arguments.no_wait:
            put_json({"id": operation_id}) if arguments.json else put(operation_id)
            return Exit.DONE
        following = Following(node, logins, interval, operation_id)
        operation, interrupted = await _until_ended(following, client, events)
    cancelled = isinstance(request, UndoRequest) and operation.undoes is None
    return _tell(operation, node.name, as_json=arguments.json, interrupted=interrupted, cancelled=cancelled)


async def _submit(client: AgentClient, request: Order) -> str:
    """Ask for the operation; its id."""
    try:
        return await client.operate(request)
    except Lost as problem:
        sentence = f"{problem.message}, so it is not known whether the {request.verb} has begun"
        raise Lost(sentence, STATUS_HINT) from None


async def _until_ended(
    following: Following, client: AgentClient, events: AsyncGenerator[Event, None]
) -> tuple[Operation, bool]:
    """The operation once it has ended. The first interrupt cancels it, and its roll back is waited for."""
    ending = asyncio.create_task(following.run(client, events))
    try:
        return await asyncio.shield(ending), False
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) is not None:
            task.uncancel()
        following.progress.clear()
        say("cancelling, and waiting until the node is back where it was; once more to leave it alone")
        try:
            await following.cancel()
        except RemoteError as problem:
            if not (isinstance(problem, Refused) and problem.code == "not_found"):  # it has ended in this very moment
                say(str(problem))
        return await ending, True
    finally:
        following.progress.clear()
        ending.cancel()
        await asyncio.wait({ending})


def _tell(operation: Operation, node: str, *, as_json: bool, interrupted: bool, cancelled: bool) -> int:
    """Print how the operation ended. Raises CommandError when it is not done, unless an undo was to cancel it."""
    request = operation.request
    name = target(request)
    if as_json:
        put_json(operation)
    if cancelled and operation.result == "rolled_back":
        if not as_json:
            put(plain(f"the {request.verb} of {name} on {node} was cancelled before it had done anything"))
        return Exit.DONE
    if operation.result == "done":
        if not as_json:
            put(plain(_success(operation, node)))
        return Exit.DONE
    for line in operation.log[-LOG_LINES:]:
        quote(line)
    ending = "was refused" if operation.refused else ENDINGS[operation.result or "interrupted"]
    cause = f": {operation.cause}" if operation.cause else ""
    status = Exit.INTERRUPTED if interrupted else Exit.REFUSED if operation.refused else Exit.FAILED
    raise CommandError(f"{request.verb} of {name} on {node} {ending}{cause}", status)


def _success(operation: Operation, node: str) -> str:
    """What is true now, how long that took, and what it cost."""
    request = operation.request
    name = target(request)
    seconds = None if operation.ended_at is None else operation.ended_at - operation.queued_at
    left = [other for other in operation.evictions if other != name]
    instead = f", in place of {', '.join(left)}" if left and request.verb in {"swap", "load"} else ""
    undoes = f"; that undoes {operation.undoes}" if operation.undoes else ""
    return f"{name} {_became(request, node)} after {duration(seconds)}{instead}{undoes}"


def _became(request: Request, node: str) -> str:
    """What is true now that the request is done."""
    if isinstance(request, KeepRequest):
        return f"{stays(request)}, on {node},"
    return f"{BECAME[request.verb]} {node}"
