"""What screens get of the app."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from fleetview.config import FleetConfig
from fleetview.fleet import Fleet

if TYPE_CHECKING:
    from fleetview.bench.book import Kept
    from fleetview.bench.task import Task
    from fleetview.chats.store import ChatStore
    from fleetview_agent.wire import (
        ChatChunk,
        ChatRequest,
        CopyRequest,
        History,
        LogLine,
        Operation,
        Order,
        Plan,
        ProcessMemory,
    )


LOOK_SECONDS = 0.5
"""How often a dialog looks whether what it shows is still so."""


class CopiesLike(Protocol):
    """Brings models from one node to others."""

    async def read(self, source: str, backend: str, model: str, show: Callable[[float], None]) -> CopyRequest:
        """The request that brings the model elsewhere; `show` is told how far reading it is. Raises RequestFailed."""

    def start(self, request: CopyRequest, targets: tuple[str, ...]) -> None:
        """Bring it to these nodes, where operations then tell how far it is."""


@dataclass(frozen=True)
class Desk:
    """What screens need of the app besides the fleet; what asks a node takes its name and raises RequestFailed."""

    plan: Callable[[str, Order], Awaitable[Plan]]
    """What a change would do to the node."""
    operate: Callable[[str, Order], Awaitable[str]]
    """Ask for a change; the id of its operation, which then comes back in the fleet."""
    history: Callable[[str, float, int], Awaitable[History]]
    """Figures of the node from a time on, by its own clock, in steps of so many seconds."""
    journal: Callable[[str, int], Awaitable[tuple[Operation, ...]]]
    """So many ended operations of the node, newest first."""
    logs: Callable[[str, str | None], Awaitable[tuple[LogLine, ...]]]
    """The newest lines that agent and engines of the node wrote, or one of them, oldest first."""
    processes: Callable[[str], Awaitable[tuple[ProcessMemory, ...]]]
    """Who holds the node's memory, the largest first."""
    chat: Callable[[str, ChatRequest], AsyncGenerator[ChatChunk, None]]
    """The answer of a model of the node as it is made."""
    measure: Callable[[Task, Callable[[str], None]], Awaitable[Kept]]
    """How fast a model is, and was; the callable is told each step."""
    copies: CopiesLike
    fleet: Callable[[], Fleet]
    """What is true just now."""
    author: str
    """user@host of the operator."""
    config: FleetConfig
    readonly: bool
    open_chats: Callable[[], ChatStore]

    @property
    def chats(self) -> ChatStore:
        """Where chats are kept."""
        return self.open_chats()

    @property
    def title(self) -> str:
        """What the operator calls the fleet."""
        return self.config.fleet.name
