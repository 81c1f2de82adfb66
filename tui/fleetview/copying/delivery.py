"""One model on its way to one node: asked for there, sent, and followed to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import dataclass

from fleetview.config import NodeConfig
from fleetview.copying.throttle import Throttle
from fleetview.present.numbers import percent
from fleetview.present.operations.progress import PHASES, done_ratio, transferred
from fleetview.remote.backoff import delays
from fleetview.remote.blobs import blob_state, read_blob, what_is, write_blob
from fleetview.remote.client import AgentClient
from fleetview.remote.connect import connect
from fleetview.remote.errors import Refused, RemoteError
from fleetview.remote.logins import Logins
from fleetview.remote.snapshots import first_of
from fleetview_agent.wire import CopyRequest, Event, ModelPart, Operation, OperationChanged, Snapshot

AWAY_SECONDS = 30.0
"""How long a node may stay away."""
ENDED_OPERATIONS = 100
"""How far back the journal is looked through for the end."""
PIECE_BYTES = 64 << 20
"""Sent in one go: a node that refuses is heard after so much at the latest."""
ENDING_SECONDS = 3.0
"""How long it is waited for why a node takes nothing more."""

Show = Callable[[str, str], None]
"""Told what is done, and how far that is."""


class Changed(RemoteError):
    """The model is no longer what it was when the copy began."""

    heals = False


class Forgotten(RemoteError):
    """The node does not know the operation any more."""

    heals = False


@dataclass(frozen=True)
class Ways:
    """How nodes are reached, and how fast."""

    logins: Logins
    interval: float
    throttle: Throttle


class Delivery:
    """Carries a copy out; where a connection breaks, it is made again, and the copy goes on where it was."""

    def __init__(self, source: NodeConfig, target: NodeConfig, request: CopyRequest, ways: Ways, show: Show) -> None:
        self._source = source
        self._target = target
        self._request = request
        self._ways = ways
        self._show = show
        self._id: str | None = None
        """Of the operation, once there is one."""
        self._sent_bytes = 0

    async def run(self) -> Operation:
        """The operation once it has ended; when cancelled, so is that. Raises RemoteError."""
        clock = asyncio.get_running_loop().time
        sent, give_up, waits = -1, 0.0, delays()
        while True:
            try:
                return await self._once()
            except RemoteError as problem:
                is_final = isinstance(problem, Refused) and problem.code != "conflict"
                if self._id is None or is_final or not problem.heals:
                    raise
                if self._sent_bytes > sent:
                    sent, give_up, waits = self._sent_bytes, clock() + AWAY_SECONDS, delays()
                if clock() >= give_up:
                    raise
                self._show("broken off, trying again", "")
            await asyncio.sleep(next(waits))

    async def _once(self) -> Operation:
        """Go on with the copy over new connections."""
        async with AsyncExitStack() as stack:
            giver, taker = [await self._connected(stack, node) for node in (self._source, self._target)]
            if (await what_is(giver, self._request.backend, self._request.model)).parts != self._request.parts:
                told = f"{self._request.model} on {self._source.name} is no longer what it was; copy it again"
                raise Changed(told)
            events = await stack.enter_async_context(aclosing(taker.events(self._ways.interval)))
            operation = await self._operation(taker, await first_of(events, self._target.name))
            if operation is not None and operation.result is not None:
                return operation
            try:
                return await self._deliver(giver, taker, events, is_awaited=_is_awaited(operation))
            except asyncio.CancelledError:
                if self._id is not None:
                    with suppress(RemoteError, TimeoutError):  # without us it ends as well, only later
                        async with asyncio.timeout(ENDING_SECONDS):
                            await taker.cancel(self._id)
                raise

    async def _connected(self, stack: AsyncExitStack, node: NodeConfig) -> AgentClient:
        """A client of the node's agent for as long as the stack is held. Raises Unreachable."""
        again = self._id is not None
        ways = self._ways
        return await stack.enter_async_context(connect(node, ways.logins, interval=ways.interval, again=again))

    async def _operation(self, taker: AgentClient, snapshot: Snapshot) -> Operation | None:
        """The one that is ours, or that an earlier try of the same copy has left; None for one begun just now."""
        for operation in snapshot.operations:
            if operation.id == self._id or (self._id is None and self._is_same(operation)):
                self._id = operation.id
                return operation
        if self._id is None:
            self._id = await taker.operate(self._request)
            return None
        for operation in await taker.journal(ENDED_OPERATIONS):
            if operation.id == self._id and operation.result == "interrupted":  # we were away for too long
                self._id = await taker.operate(self._request)
                return None
            if operation.id == self._id:
                return operation
        raise Forgotten(f"{self._target.name} does not know the copy any more; copy it again")

    def _is_same(self, operation: Operation) -> bool:
        """Whether it waits for the same files, for the same model."""
        request, own = operation.request, self._request
        wanted = (own.backend, own.model, own.parts)
        return isinstance(request, CopyRequest) and (request.backend, request.model, request.parts) == wanted

    async def _deliver(
        self, giver: AgentClient, taker: AgentClient, events: AsyncGenerator[Event, None], *, is_awaited: bool
    ) -> Operation:
        """Send what is missing, and return how it ended; where sending fails, the end may tell why."""
        awaited = asyncio.Event()
        if is_awaited:
            awaited.set()
        following = asyncio.create_task(self._follow(events, awaited))
        sending = asyncio.create_task(self._send(giver, taker, awaited))
        try:
            await asyncio.wait({following, sending}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done() and sending.exception():
                await asyncio.wait({following}, timeout=ENDING_SECONDS)
                if not following.done():
                    await sending
            return await following
        finally:
            following.cancel()
            sending.cancel()
            await asyncio.wait({following, sending})

    async def _follow(self, events: AsyncGenerator[Event, None], awaited: asyncio.Event) -> Operation:
        """The operation once it has ended; `awaited` is set when the node takes files."""
        async for event in events:
            if isinstance(event, OperationChanged) and event.operation.id == self._id:
                if event.operation.result is not None:
                    return event.operation
                self._tell(event.operation)
                if _is_awaited(event.operation):
                    awaited.set()
        raise AssertionError("a stream of events ends with an error")

    async def _send(self, giver: AgentClient, taker: AgentClient, awaited: asyncio.Event) -> None:
        """Bring every byte that is missing."""
        await awaited.wait()
        for part in self._request.parts:
            there = (await blob_state(taker, part)).size_bytes
            while there < part.size_bytes:
                there = await self._send_piece(giver, taker, part, there)

    async def _send_piece(self, giver: AgentClient, taker: AgentClient, part: ModelPart, first: int) -> int:
        """Bring some of a file; how much of it is there then."""
        last = min(first + PIECE_BYTES, part.size_bytes) - 1
        async with read_blob(giver, part, first, last) as pieces:
            throttled = self._ways.throttle.through(pieces)
            async with aclosing(throttled), aclosing(self._counted(throttled)) as counted:
                return (await write_blob(taker, part, first, last, counted)).size_bytes

    async def _counted(self, pieces: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
        async for piece in pieces:
            yield piece
            self._sent_bytes += len(piece)

    def _tell(self, operation: Operation) -> None:
        """Show how far it is."""
        ratio = done_ratio(operation)
        figures = (
            "" if ratio is None else percent(ratio),
            transferred(operation.transfer) if operation.transfer else "",
        )
        self._show(PHASES[operation.phase], " ".join(filter(None, figures)))


def _is_awaited(operation: Operation | None) -> bool:
    """Whether the node takes files of it."""
    return operation is not None and operation.phase == "copy"
