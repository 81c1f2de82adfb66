"""What screens get of the app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fleetview_agent.wire import History, Order, Plan


@dataclass(frozen=True)
class Desk:
    """What screens need of the app besides the fleet."""

    plan: Callable[[str, Order], Awaitable[Plan]]
    """What a change would do to the node of that name. Raises RequestFailed."""
    history: Callable[[str, float, int], Awaitable[History]]
    """Figures of that node from a time on, by its own clock, in steps of so many seconds. Raises RequestFailed."""
    author: str
    """user@host of the operator."""
    title: str
    readonly: bool = False
