"""`fleetview swap`, `load` and `unload`: ask for an operation and wait for its end."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fleetview.cli.exits import CommandError, Exit
from fleetview.cli.names import pick_node
from fleetview.cli.output import Progress, put, put_json, quote, say
from fleetview.cli.requests import change_request
from fleetview.config import FleetConfig
from fleetview.present.models import PHASES
from fleetview.present.numbers import duration, percent
from fleetview.present.text import plain
from fleetview.remote.client import AgentClient
from fleetview.remote.connect import connect
from fleetview.remote.errors import Lost, RemoteError
from fleetview_agent.wire import Event, Operation, OperationChanged, Snapshot

LOG_LINES = 10
STATUS_HINT = "`fleetview status` shows what is resident now"
ENDINGS = {"failed": "failed", "rolled_back": "was rolled back", "interrupted": "was cut short"}


async def run(arguments: Namespace, config: FleetConfig) -> int:
    """Carry out a change of a node, and tell how it went."""
    node = pick_node(config, arguments.node)
    async with connect(node) as client, aclosing(client.events(config.fleet.interval_seconds)) as events:
        # The stream is followed before anything is asked for, so that an end that comes at once is not missed.
        request = change_request(arguments, node.name, await _first(events, node.name))
        operation_id = await client.operate(request)
        if arguments.no_wait:
            put_json({"id": operation_id}) if arguments.json else put(operation_id)
            return Exit.DONE
        operation, interrupted = await _until_ended(client, events, operation_id)
    return _tell(operation, node.name, as_json=arguments.json, interrupted=interrupted)


async def _first(events: AsyncGenerator[Event, None], node: str) -> Snapshot:
    """The snapshot that a stream begins with."""
    first = await anext(events)
    if not isinstance(first, Snapshot):
        raise Lost(f"the events of {node} do not begin with a snapshot")
    return first


async def _until_ended(
    client: AgentClient, events: AsyncGenerator[Event, None], operation_id: str
) -> tuple[Operation, bool]:
    """The operation once it has ended. The first interrupt cancels it, and its roll back is waited for."""
    progress = Progress()
    following = asyncio.create_task(_follow(events, operation_id, progress))
    try:
        return await asyncio.shield(following), False
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) is not None:
            task.uncancel()
        progress.clear()
        say("cancelling, and waiting until the node is back where it was; once more to leave it alone")
        try:
            await client.cancel(operation_id)
        except RemoteError as problem:  # it may have ended in this very moment
            say(str(problem))
        return await following, True
    except Lost as problem:
        raise Lost(f"{problem.message}, so the end of the operation was not seen", STATUS_HINT) from None
    finally:
        progress.clear()
        following.cancel()
        await asyncio.wait({following})


async def _follow(events: AsyncGenerator[Event, None], operation_id: str, progress: Progress) -> Operation:
    """The operation once it has ended; how it goes on is shown."""
    async for event in events:
        if isinstance(event, OperationChanged) and event.operation.id == operation_id:
            operation = event.operation
            if operation.result is not None:
                return operation
            done = "" if operation.progress is None else percent(operation.progress)
            progress.show(f"{operation.request.model}: {PHASES[operation.phase]}", done)
    raise Lost("the events ended")


def _tell(operation: Operation, node: str, *, as_json: bool, interrupted: bool) -> int:
    """Print how the operation ended. Raises CommandError when it is not done."""
    request = operation.request
    name = f"{request.backend}/{request.model}"
    if as_json:
        put_json(operation)
    if operation.result == "done":
        seconds = None if operation.ended_at is None else operation.ended_at - operation.queued_at
        state = "has left" if request.verb == "unload" else "is ready on"
        left = [other for other in operation.evictions if other != name]
        instead = f", in place of {', '.join(left)}" if left else ""
        if not as_json:
            put(plain(f"{name} {state} {node} after {duration(seconds)}{instead}"))
        return Exit.DONE
    for line in operation.log[-LOG_LINES:]:
        quote(line)
    ending = "was refused" if operation.refused else ENDINGS[operation.result or "interrupted"]
    cause = f": {operation.cause}" if operation.cause else ""
    status = Exit.INTERRUPTED if interrupted else Exit.REFUSED if operation.refused else Exit.FAILED
    raise CommandError(f"{request.verb} of {name} on {node} {ending}{cause}", status)
