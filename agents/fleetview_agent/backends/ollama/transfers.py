"""How far a pull has come, and how fast it goes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Annotated

from pydantic import Field

from fleetview_agent.backends.ollama.answers import Answer, Count, Text, decoded
from fleetview_agent.wire import Transfer

WINDOW_SECONDS = 5.0
"""A speed is measured over this long: shorter ones jump, longer ones lag."""
SHORTEST_SECONDS = 1.0
DONE = "success"


class Line(Answer):
    """A line of a pull or a create; what is zero is left out of it."""

    status: Annotated[str, Field(max_length=1000)] = ""
    digest: Text = None
    total: Count = 0
    completed: Count = 0


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


class Pulling:
    """The sum over all layers of a pull.

    What a layer has when it is first told of was there before: an earlier pull fetched it, and it is no speed.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._speed = Speed(clock)
        self._layers: dict[str, Line] = {}
        self._there_before = 0
        self.ended = False

    def receive(self, value: object) -> Transfer:
        """How far it is after this line. Raises Nonsense."""
        line = decoded(Line, value)
        self.ended = line.status == DONE
        if line.digest is not None:
            if line.digest not in self._layers:
                self._there_before += line.completed
            self._layers[line.digest] = line
        done = sum(layer.completed for layer in self._layers.values())
        total = sum(max(layer.total, layer.completed) for layer in self._layers.values())
        speed = self._speed.measure(done - self._there_before)
        return transfer(done, total or None, speed if line.digest is not None else None, line.status)


def transfer(done: int, total: int | None, speed: float | None, step: str | None) -> Transfer:
    """So much of so much, and when the rest will be there."""
    left = (total - done) / speed if speed and total is not None else None
    return Transfer(done_bytes=done, total_bytes=total, bytes_per_second=speed, seconds_left=left, step=step or None)
