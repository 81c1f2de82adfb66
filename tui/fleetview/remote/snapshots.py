"""What a stream of events begins with."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from fleetview.remote.errors import Lost
from fleetview_agent.wire import Event, Snapshot


async def first_of(events: AsyncGenerator[Event, None], node: str) -> Snapshot:
    """The snapshot that a stream begins with. Raises Lost."""
    first = await anext(events)
    if not isinstance(first, Snapshot):
        raise Lost(f"the events of {node} do not begin with a snapshot")
    return first
