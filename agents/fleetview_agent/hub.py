"""Fan-out of events to everyone who listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from fleetview_agent.wire import Event

QUEUE_SIZE = 256
"""How many events a listener may fall behind before it is cut off."""


class Hub:
    """Hands every published event to every listener, and before that to `note`."""

    def __init__(self, note: Callable[[Event], None] = lambda _: None) -> None:
        self._note = note
        self._queues: set[asyncio.Queue[Event | None]] = set()
        self.cut_off = 0
        """How many listeners fell too far behind."""

    def publish(self, event: Event) -> None:
        """Give `event` to all listeners, and cut off those that lag."""
        self._note(event)
        for queue in tuple(self._queues):
            if queue.full():
                self.cut_off += 1
                self._end(queue)
            else:
                queue.put_nowait(event)

    async def listen(self, first: Callable[[], Event]) -> AsyncGenerator[Event, None]:
        """Yield a first event, then every one published after it."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue(QUEUE_SIZE)
        self._queues.add(queue)  # before first(), so that nothing falls between the two
        try:
            yield first()
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._queues.discard(queue)

    def close(self) -> None:
        """End every listener."""
        for queue in tuple(self._queues):
            self._end(queue)

    def _end(self, queue: asyncio.Queue[Event | None]) -> None:
        """End a listener; it will reconnect and begin again from a snapshot."""
        self._queues.discard(queue)
        while not queue.empty():  # what it missed it will not need: a gap ends the stream at once
            queue.get_nowait()
        queue.put_nowait(None)
