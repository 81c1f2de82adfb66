"""An operation followed to its end, over as many connections as that takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from fleetview.cli.output import Progress
from fleetview.config import NodeConfig
from fleetview.present.numbers import percent
from fleetview.present.operations.progress import PHASES, done_ratio, subject, transferred
from fleetview.remote.backoff import delays
from fleetview.remote.client import AgentClient
from fleetview.remote.connect import connect
from fleetview.remote.errors import Lost, Refused, RemoteError
from fleetview.remote.logins import Logins
from fleetview.remote.snapshots import first_of
from fleetview.words.exits import CommandError, Exit
from fleetview_agent.wire import Event, Operation, OperationChanged

AWAY_SECONDS = 30.0
"""How long a node may stay away; the operation goes on there meanwhile."""
ENDED_OPERATIONS = 100
"""How far back the journal is looked through for the end."""
STATUS_HINT = "`fleetview status` shows what is resident now"


class Following:
    """Follows one operation of a node; when the connection breaks, it comes back and looks how that went on."""

    def __init__(self, node: NodeConfig, logins: Logins, interval: float, operation_id: str) -> None:
        self._node = node
        self._logins = logins
        self._interval = interval
        self._id = operation_id
        self._client: AgentClient | None = None
        self._cancelling = False
        self.progress = Progress()

    async def run(self, client: AgentClient, events: AsyncGenerator[Event, None]) -> Operation:
        """The operation once it has ended. Raises Lost when the node stays away, CommandError when it has forgotten."""
        try:
            return await self._follow(client, events)
        except RemoteError as problem:
            return await self._come_back(problem)

    async def cancel(self) -> None:
        """Have the operation end early, now or as soon as the node is back. Raises RemoteError."""
        self._cancelling = True
        if self._client is not None:
            await self._client.cancel(self._id)

    async def _follow(self, client: AgentClient, events: AsyncGenerator[Event, None]) -> Operation:
        """The operation once it has ended; how it goes on is shown."""
        self._client = client
        try:
            async for event in events:
                if isinstance(event, OperationChanged) and event.operation.id == self._id:
                    if event.operation.result is not None:
                        return event.operation
                    self._show(event.operation)
        finally:
            self._client = None
        raise Lost("the events ended")

    async def _come_back(self, problem: RemoteError) -> Operation:
        """Connect again, and go on; a node that was there has its whole time again."""
        clock = asyncio.get_running_loop().time
        give_up, waits = clock() + AWAY_SECONDS, delays()
        while problem.heals and clock() < give_up:
            self.progress.show(f"{self._node.name} is away, trying again")
            with suppress(TimeoutError):
                async with asyncio.timeout_at(give_up) as patience:
                    await asyncio.sleep(next(waits))
                    try:
                        return await self._again(patience)
                    except RemoteError as another:
                        problem = another
            if patience.when() is None:
                give_up, waits = clock() + AWAY_SECONDS, delays()
        raise Lost(f"{problem.message}, so the end of the operation was not seen", STATUS_HINT)

    async def _again(self, patience: asyncio.Timeout) -> Operation:
        """The operation once it has ended, over a new connection; `patience` ends when that stands."""
        async with (
            connect(self._node, self._logins, interval=self._interval, again=True) as client,
            aclosing(client.events(self._interval)) as events,
        ):
            snapshot = await first_of(events, self._node.name)
            patience.reschedule(None)
            operation = next((row for row in snapshot.operations if row.id == self._id), None)
            if operation is None:
                return await self._end_of(client)
            self._show(operation)
            if self._cancelling:
                with suppress(Refused):  # it is cancelled already, or has ended by now
                    await client.cancel(self._id)
            return await self._follow(client, events)

    async def _end_of(self, client: AgentClient) -> Operation:
        """The operation as the node's journal has it."""
        for operation in await client.journal(ENDED_OPERATIONS):
            if operation.id == self._id:
                return operation
        name = self._node.name
        raise CommandError(f"{name} does not know the operation any more ({STATUS_HINT})", Exit.UNREACHABLE)

    def _show(self, operation: Operation) -> None:
        """Tell how far it is."""
        transfer = operation.transfer
        step = (transfer.step if transfer else None) or PHASES[operation.phase]
        ratio = done_ratio(operation)
        figures = ("" if ratio is None else percent(ratio), transferred(transfer) if transfer else "")
        self.progress.show(f"{subject(operation.request)}: {step}", " ".join(filter(None, figures)))
