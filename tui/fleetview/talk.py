"""What screens ask of a node and wait for; what fails on the way comes back as screens know failures."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from http import HTTPStatus

from fleetview.connections import Connections
from fleetview.messages import RequestFailed
from fleetview.remote.errors import Refused, RemoteError
from fleetview_agent.wire import ChatChunk, ChatRequest, History, Order, Plan


class Talk:
    """Plans and chats, over the connections that there are when they are asked for."""

    def __init__(self, connections: Connections, author: str) -> None:
        self._connections = connections
        self._author = author

    async def plan(self, node: str, request: Order) -> Plan:
        """What a change would do. Raises RequestFailed."""
        with _plainly():
            return await self._connections.client(node).plan(request)

    async def history(self, node: str, since: float, step_seconds: int) -> History:
        """Figures of the node from a time on, by its own clock. Raises RequestFailed."""
        with _plainly():
            try:
                return await self._connections.client(node).history(since, step_seconds)
            except Refused as problem:
                if problem.status != HTTPStatus.NOT_FOUND:
                    raise
                told = f"the agent of {node} is older than fleetview, and keeps none"
                raise RequestFailed(told, f"upgrade fleetview-agent on {node}") from problem

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
        raise RequestFailed(problem.message, problem.hint) from problem
