"""What the dashboard needs of a connection; tests and demonstrations bring their own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from functools import cache
from typing import TYPE_CHECKING, Protocol

from fleetview.config import NodeConfig
from fleetview.fleet import Change
from fleetview.remote.questions import Questions
from fleetview.remote.turns import Turns

if TYPE_CHECKING:
    from fleetview.remote.logins import Logins
    from fleetview_agent.wire import (
        ChatChunk,
        ChatRequest,
        CompletionRequest,
        Event,
        History,
        LogLine,
        Operation,
        Order,
        Plan,
        ProcessMemory,
    )

Receive = Callable[[str, Change], None]


class ClientLike(Protocol):
    """The way to ask a node for something; every method raises RemoteError."""

    async def plan(self, request: Order) -> Plan:
        """What the request would do."""

    async def operate(self, request: Order) -> str:
        """Ask for an operation; its id."""

    async def cancel(self, operation_id: str) -> None:
        """End an operation early."""

    async def history(self, since: float, step_seconds: int) -> History:
        """Figures from a time on, by the node's clock."""

    async def journal(self, limit: int) -> tuple[Operation, ...]:
        """Operations that have ended, newest first."""

    async def logs(self, backend: str | None) -> tuple[LogLine, ...]:
        """The newest lines of all logs or of one, oldest first."""

    async def processes(self) -> tuple[ProcessMemory, ...]:
        """Those that hold the most memory, the largest first."""

    def events(self, interval: float) -> AsyncGenerator[Event, None]:
        """What happens there, with a sample at every interval."""

    def complete(self, request: CompletionRequest) -> AsyncGenerator[ChatChunk, None]:
        """What a model makes of a text, as it is made."""

    def chat(self, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        """The answer as it is made."""


class LinkLike(Protocol):
    """The connection to a node."""

    @property
    def client(self) -> ClientLike:
        """The way to ask for something. Raises NotConnected."""

    async def run(self) -> None:
        """Follow the node until cancelled."""

    def retry_now(self) -> None:
        """Skip the wait for the next try."""


OpenLink = Callable[[NodeConfig, float, Receive], LinkLike]
"""A node and the seconds between its samples become a connection."""


def kept_logins(questions: Questions) -> Callable[[], Logins]:
    """What all connections share; made when the first of them needs it, and whatever the operator told is kept."""

    @cache
    def logins() -> Logins:
        from fleetview.remote.logins import Logins  # the first paint does not wait for it

        return Logins(questions)

    return logins


def real_links(logins: Callable[[], Logins]) -> OpenLink:
    """Connections to real agents."""
    turns = Turns()

    def open_link(node: NodeConfig, interval: float, receive: Receive) -> LinkLike:
        from fleetview.remote.link import Link  # brings httpx, for which the first paint does not wait

        return Link(node, receive, interval, logins(), turns=turns)

    return open_link
