"""What screens ask of a node and wait for; what fails on the way comes back as screens know failures."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING

from fleetview.connections import Connections
from fleetview.messages import RequestFailed
from fleetview.remote.errors import Refused, RemoteError

if TYPE_CHECKING:
    from fleetview.bench.book import Kept
    from fleetview.bench.task import Task
    from fleetview_agent.wire import ChatChunk, ChatRequest, History, LogLine, Operation, Order, Plan, ProcessMemory


class Talk:
    """Plans, operations, records and chats, over the connections that there are when they are asked for."""

    def __init__(self, connections: Connections, author: str, *, readonly: bool = False) -> None:
        self._connections = connections
        self._author = author
        self._readonly = readonly

    async def plan(self, node: str, request: Order) -> Plan:
        """What a change would do. Raises RequestFailed."""
        with _plainly():
            return await self._connections.client(node).plan(request)

    async def operate(self, node: str, request: Order) -> str:
        """Ask for a change; the id of its operation. Raises RequestFailed."""
        self._see_that_it_may_change()
        with _plainly():
            return await self._connections.client(node).operate(request)

    async def cancel(self, node: str, operation: str) -> None:
        """End an operation early. Raises RequestFailed."""
        self._see_that_it_may_change()
        with _plainly():
            await self._connections.client(node).cancel(operation)

    def _see_that_it_may_change(self) -> None:
        """Every change comes by here, whichever key or line asked for it. Raises RequestFailed."""
        if self._readonly:
            raise RequestFailed("this dashboard was started with --readonly", "start it without to change a node")

    async def journal(self, node: str, limit: int) -> tuple[Operation, ...]:
        """Ended operations, newest first. Raises RequestFailed."""
        with _plainly():
            return await self._connections.client(node).journal(limit)

    async def logs(self, node: str, backend: str | None) -> tuple[LogLine, ...]:
        """The newest lines of all logs or of one, oldest first. Raises RequestFailed."""
        with _plainly(), _newer(node, "logs"):
            return await self._connections.client(node).logs(backend)

    async def processes(self, node: str) -> tuple[ProcessMemory, ...]:
        """Who holds the most memory. Raises RequestFailed."""
        with _plainly(), _newer(node, "lists of processes"):
            return await self._connections.client(node).processes()

    async def history(self, node: str, since: float, step_seconds: int) -> History:
        """Figures of the node from a time on, by its own clock. Raises RequestFailed."""
        with _plainly(), _newer(node, "history"):
            return await self._connections.client(node).history(since, step_seconds)

    async def measure(self, task: Task, tell: Callable[[str], None]) -> Kept:
        """How fast a model is, written down beside what was measured before. Raises RequestFailed."""
        from fleetview.bench.book import Book, book_file  # the first paint does not wait for them
        from fleetview.bench.errors import BenchError
        from fleetview.measuring import measure

        try:
            with _plainly():
                result = await measure(self._connections.client(task.node), task, tell)
        except BenchError as problem:
            raise RequestFailed(str(problem)) from problem
        return Book(book_file()).kept(result)

    async def chat(self, node: str, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        """The answer of a model as it is made. Raises RequestFailed."""
        with _plainly():
            asked = request.model_copy(update={"user": self._author})
            async with aclosing(self._connections.client(node).chat(asked)) as chunks:
                async for chunk in chunks:
                    yield chunk


@contextmanager
def _plainly() -> Iterator[None]:
    """Failures of the network as screens know them."""
    try:
        yield
    except RemoteError as problem:
        code = problem.code if isinstance(problem, Refused) else None
        raise RequestFailed(problem.message, problem.hint, code) from problem


@contextmanager
def _newer(node: str, what: str) -> Iterator[None]:
    """An agent that was never told of `what` answers that there is no such thing."""
    try:
        yield
    except Refused as problem:
        from http import HTTPStatus  # the first paint does not wait for it

        if problem.status != HTTPStatus.NOT_FOUND:
            raise
        told = f"the agent of {node} is older than fleetview, and has no {what}"
        raise RequestFailed(told, f"upgrade fleetview-agent on {node}") from problem
