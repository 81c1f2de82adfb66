"""How fast bytes move, and when the rest of them will be there."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from fleetview_agent.wire import Transfer

WINDOW_SECONDS = 5.0
"""A speed is measured over this long: shorter ones jump, longer ones lag."""
SHORTEST_SECONDS = 1.0


class Speed:
    """Bytes per second over the last few seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def measure(self, moved_bytes: int) -> float | None:
        """The speed, now that so much has been moved in all; None before it can be known."""
        now = self._clock()
        self._seen.append((now, moved_bytes))
        while len(self._seen) > 1 and now - self._seen[1][0] >= WINDOW_SECONDS:
            self._seen.popleft()
        since, before = self._seen[0]
        return max(0.0, (moved_bytes - before) / (now - since)) if now - since >= SHORTEST_SECONDS else None


def transfer(done: int, total: int | None, speed: float | None, step: str | None) -> Transfer:
    """So much of so much, and when the rest will be there."""
    left = (total - done) / speed if speed and total is not None else None
    return Transfer(done_bytes=done, total_bytes=total, bytes_per_second=speed, seconds_left=left, step=step or None)
