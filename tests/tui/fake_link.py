"""A link without a network: a test speaks through it, and sees what was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from fleetview.config import NodeConfig
from fleetview.fleet import Change
from fleetview.remote.errors import Refused, RemoteError
from fleetview_agent.wire import (
    ChatChunk,
    ChatRequest,
    History,
    LogLine,
    Operation,
    Order,
    Plan,
    ProcessMemory,
    UndoRequest,
)
from tests.builders import (
    a_plan,
)

AT = 1_700_000_000.0


class FakeLink:
    """A link through which a test speaks, and which writes down what is asked."""

    def __init__(
        self,
        node: NodeConfig,
        receive: Callable[[str, Change], None],
        first: tuple[Change, ...],
        interval: float = 1.0,
    ) -> None:
        self.name = node.name
        self.interval = interval
        self.receive = receive
        self.first = first
        self.asked: list[Order] = []
        self.cancelled: list[str] = []
        self.retries = 0
        self.ended = False
        self.problem: RemoteError | None = None
        self.past = History(began_at=AT, step_seconds=60, figures={})
        self.journaled: tuple[Operation, ...] = ()
        self.lines: tuple[LogLine, ...] = ()
        self.holders: tuple[ProcessMemory, ...] = ()
        self.past_asked: list[tuple[float, int]] = []
        self.journal_asked = 0

    @property
    def client(self) -> FakeLink:
        return self

    async def run(self) -> None:
        for change in self.first:
            self.say(change)
        try:
            await asyncio.Event().wait()
        finally:
            self.ended = True

    def say(self, change: Change) -> None:
        self.receive(self.name, change)

    def retry_now(self) -> None:
        self.retries += 1

    async def plan(self, request: Order) -> Plan:
        self._fail()
        return a_plan() if isinstance(request, UndoRequest) else a_plan(request=request)

    async def operate(self, request: Order) -> str:
        self._fail()
        self.asked.append(request)
        return "op-1"

    async def cancel(self, operation_id: str) -> None:
        self._fail()
        self.cancelled.append(operation_id)

    async def history(self, since: float, step_seconds: int) -> History:
        self.past_asked.append((since, step_seconds))
        self._fail()
        return self.past

    async def journal(self, limit: int) -> tuple[Operation, ...]:
        self.journal_asked += 1
        self._fail()
        return self.journaled[:limit]

    async def logs(self, backend: str | None) -> tuple[LogLine, ...]:
        self._fail()
        return tuple(line for line in self.lines if backend in {None, line.source})

    async def processes(self) -> tuple[ProcessMemory, ...]:
        self._fail()
        return self.holders

    async def chat(self, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        self._fail()
        yield ChatChunk(text=request.messages[-1].content)

    def _fail(self) -> None:
        if self.problem is not None:
            raise self.problem


REFUSED = Refused("large does not fit", "unload small first", code="does_not_fit", status=422)
