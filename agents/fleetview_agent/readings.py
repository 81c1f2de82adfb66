"""Reading the machine: as often as somebody wants, once a minute otherwise, and never later for having been late."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from fleetview_agent.records.history import HistoryRing
from fleetview_agent.samplers import Sampler
from fleetview_agent.wire import Machine, Sample, Sampled, Traffic

RECENT_SECONDS = 120.0
"""How far back the samples of a snapshot reach."""
IDLE_INTERVAL_SECONDS = 60.0
"""Between readings while nobody watches."""
SHORTEST_INTERVAL_SECONDS = 0.2


class Readings:
    """What was read of the machine lately, and the loop that reads on.

    `traffic` tells what the backends are asked for; `publish` is told of every sample. Turns are counted by the
    event loop's clock, the age of a sample by the same `wall` clock as its time.
    """

    def __init__(
        self,
        sampler: Sampler,
        history: HistoryRing,
        traffic: Callable[[], Awaitable[tuple[Traffic, ...]]],
        publish: Callable[[Sampled], None],
        *,
        shortest_seconds: float = SHORTEST_INTERVAL_SECONDS,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._sampler = sampler
        self._history = history
        self._traffic = traffic
        self._publish = publish
        self._shortest = shortest_seconds
        self._wall = wall
        self._recent: deque[Sample] = deque()
        self._intervals: list[float] = []
        self._hurry = asyncio.Event()
        """Someone has begun to watch: read now."""
        self._reading = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sampler")

    @property
    def machine(self) -> Machine:
        """What does not change."""
        return self._sampler.machine

    @property
    def recent(self) -> tuple[Sample, ...]:
        """The samples of the last two minutes, oldest first."""
        return tuple(self._recent)

    def recall(self, samples: Iterable[Sample]) -> None:
        """Begin with samples from before, oldest first."""
        self._recent.extend(samples)

    @property
    def intervals(self) -> tuple[float, ...]:
        """What those who watch have asked for."""
        return tuple(self._intervals)

    @contextlib.contextmanager
    def watching(self, interval_seconds: float) -> Iterator[None]:
        """Held by someone who wants samples at this interval."""
        interval = max(interval_seconds, self._shortest)
        self._intervals.append(interval)
        self._hurry.set()
        try:
            yield
        finally:
            self._intervals.remove(interval)

    async def run(self) -> None:
        """Read the machine at the smallest interval that somebody asks for."""
        loop = asyncio.get_running_loop()
        turns = Turns(loop.time(), IDLE_INTERVAL_SECONDS)
        while True:
            interval = min(self._intervals, default=IDLE_INTERVAL_SECONDS)
            if interval != turns.interval:
                turns = Turns(turns.due, interval)
            turns.advance(loop.time())
            self._hurry.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(turns.due):
                    await self._hurry.wait()
                    turns = Turns(loop.time(), turns.interval)
            await self.read()

    async def read(self) -> Sample:
        """Read the machine once, keep the sample and tell it; one from just now is as good."""
        async with self._reading:  # so that who comes second has what the first one read
            if not self._recent or not 0 <= self._wall() - self._recent[-1].at < self._shortest / 2:
                traffic = await self._traffic()
                sample = await asyncio.get_running_loop().run_in_executor(self._thread, self._take, traffic)
                self._recent.append(sample)
                while not 0 <= sample.at - self._recent[0].at <= RECENT_SECONDS:  # the clock may have been set back
                    self._recent.popleft()
                self._publish(Sampled(sample=sample))
            return self._recent[-1]

    async def fresh(self, seconds: float) -> Sample:
        """The last sample, or a new one where that is older than this."""
        last = self._recent[-1]
        return last if abs(self._wall() - last.at) <= seconds else await self.read()

    def close(self) -> None:
        """Let go of sampler and history."""
        self._thread.shutdown()
        self._sampler.close()
        self._history.close()

    def _take(self, traffic: tuple[Traffic, ...]) -> Sample:
        """Read and keep, in the sampler's thread."""
        sample = self._sampler.read().model_copy(update={"traffic": traffic})
        self._history.keep(sample)
        return sample


class Turns:
    """When to read: at equal intervals from a beginning, however late a reading is."""

    def __init__(self, began: float, interval: float) -> None:
        self.interval = interval
        self._began = began
        self._turn = 0

    @property
    def due(self) -> float:
        """When the turn is; a product, since a sum of many intervals would lose a little with each."""
        return self._began + self._turn * self.interval

    def advance(self, now: float) -> None:
        """Go on to the next turn; those that are over are left out."""
        self._turn = max(self._turn + 1, math.ceil((now - self._began) / self.interval))
