"""What the node says of itself meanwhile: its power, and what it does for others."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from fleetview.remote.errors import RemoteError
from fleetview_agent.wire import Event, Sample, Sampled, Traffic

FAST_SECONDS = 0.2
"""Between samples where there is power to be measured."""
SLOW_SECONDS = 1.0
LEAST_COVERED = 0.8
"""Share of a time for which power has to be known, so that its energy is."""
MOST_SAMPLES = 50_000


class Followed(Protocol):
    """A node whose samples can be followed."""

    def events(self, interval: float) -> AsyncGenerator[Event, None]:
        """What happens there, with a sample at every interval. Raises RemoteError."""


@dataclass(frozen=True)
class Reading:
    """A sample, and the time by our clock that it is about."""

    since: float
    until: float
    sample: Sample


class Meter:
    """Follows the samples of a node; all times are monotonic, of this machine."""

    def __init__(self, backend: str, model: str, interval: float) -> None:
        self.interval = interval
        self._measured = (backend, model)
        self._readings: deque[Reading] = deque(maxlen=MOST_SAMPLES)
        self._came = asyncio.Event()

    async def follow(self, client: Followed) -> None:
        """Take samples until cancelled; where the node says nothing more, there are no more."""
        try:
            async with aclosing(client.events(self.interval)) as events:
                async for event in events:
                    if isinstance(event, Sampled):
                        self.add(event.sample, time.monotonic())
        except RemoteError:
            self._came.set()  # what is being measured over the same connection tells why

    def add(self, sample: Sample, at: float) -> None:
        """Take a sample that came at this time."""
        self._readings.append(Reading(at - (sample.interval_seconds or 0.0), at, sample))
        self._came.set()

    async def covers(self, until: float) -> None:
        """Wait for the sample that tells of this moment; not for long, since there may be none."""
        try:
            async with asyncio.timeout(2 * self.interval + 0.5):
                while not self._readings or self._readings[-1].until < until:
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            return

    def watts(self, since: float, until: float) -> float | None:
        """Mean power in a time; None where it is not known for most of it."""
        energy = covered = 0.0
        for reading in self._readings:
            overlap = min(until, reading.until) - max(since, reading.since)
            if overlap > 0 and reading.sample.power_watts is not None:
                energy += overlap * reading.sample.power_watts
                covered += overlap
        return energy / covered if covered and covered >= LEAST_COVERED * (until - since) else None

    def others(self, since: float, until: float) -> int | None:
        """Requests of others that were answered at once in a time, at most; None where nothing was counted."""
        counts = [
            sum(map(self._others_of, reading.sample.traffic))
            for reading in self._readings
            if since < reading.until <= until
        ]
        return max(counts, default=None)

    def _others_of(self, row: Traffic) -> int:
        """Those of one model; of the one that is measured, all but ours."""
        asked = row.in_flight + row.queued
        return max(0, asked - 1) if (row.backend, row.model) == self._measured else asked
