"""When the machine is read, on a loop whose time is made up and so goes by at once."""

from __future__ import annotations

import asyncio
import selectors
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetview_agent.readings import RECENT_SECONDS, Readings, Turns
from fleetview_agent.records.history import FILE_BYTES, HistoryRing
from fleetview_agent.samplers.simulated import SimulatedSampler
from fleetview_agent.wire import Machine, Sample, Sampled, Traffic
from tests.builders import a_machine, a_traffic

Value = TypeVar("Value")


class MadeUpTime(asyncio.SelectorEventLoop):
    """Does not wait for a time to come, but goes there; threads have done their work at once."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_Skipping(self))

    def time(self) -> float:
        return self.now

    def run_in_executor(self, _: Executor | None, func: Callable[..., Value], *args: object) -> asyncio.Future[Value]:
        done: asyncio.Future[Value] = self.create_future()
        done.set_result(func(*args))
        return done


class _Skipping(selectors.DefaultSelector):
    """Lets the time of its loop go by instead of waiting."""

    def __init__(self, loop: MadeUpTime) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout > 0:
            self._loop.now += timeout
            timeout = 0
        return super().select(timeout)


class SlowSampler:
    """Notes when it is read; at each time given here, that takes so long."""

    machine: Machine = a_machine()

    def __init__(self, loop: MadeUpTime, slow: dict[float, float]) -> None:
        self._loop = loop
        self._slow = slow
        self.read_at: list[float] = []
        self.set_back = 0.0

    def read(self) -> Sample:
        at = round(self._loop.now, 6)
        self.read_at.append(at)
        self._loop.now += self._slow.get(at, 0.0)
        return Sample(at=at - self.set_back)

    def close(self) -> None:
        """Nothing was opened."""


class Scene:
    """Readings of a slow sampler on a loop of its own, from the time 0 on."""

    def __init__(self, folder: Path, slow: dict[float, float] | None = None) -> None:
        self._loop = MadeUpTime()
        self.sampler = SlowSampler(self._loop, slow or {})
        self.told: list[Sampled] = []
        self.readings = Readings(
            self.sampler, HistoryRing(folder / "history.ring"), no_traffic, self.told.append, wall=self.wall
        )

    def wall(self) -> float:
        return self._loop.now - self.sampler.set_back

    def play(self, acts: Callable[[], Coroutine[Any, Any, None]]) -> list[float]:
        """Read while `acts` lasts; when the machine was read."""

        async def life() -> None:
            await self.readings.read()
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(self.readings.run())
                await acts()
                reading.cancel()

        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(life())
        self.readings.close()
        return self.sampler.read_at


async def no_traffic() -> tuple[Traffic, ...]:
    return ()


def test_the_smallest_interval_that_somebody_asks_for_is_kept_and_a_minute_otherwise(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def acts() -> None:
        await asyncio.sleep(70)
        with scene.readings.watching(5.0):  # at 70: who begins to watch is told at once
            await asyncio.sleep(6)
            with scene.readings.watching(2.0):  # at 76
                await asyncio.sleep(5)
            await asyncio.sleep(8.5)
        await asyncio.sleep(63)  # from 89.5 on nobody watches, but the turn at 92 was promised

    assert scene.play(acts) == [0, 60, 70, 75, 76, 78, 80, 82, 87, 92, 152]


def test_an_interval_below_the_shortest_is_the_shortest(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def acts() -> None:
        with scene.readings.watching(0.001):
            assert scene.readings.intervals == (0.2,)
            await asyncio.sleep(0.7)

    assert scene.play(acts) == pytest.approx([0, 0.2, 0.4, 0.6])


def test_a_late_reading_makes_no_other_one_late_and_a_gap_is_not_made_up_for(tmp_path: Path) -> None:
    scene = Scene(tmp_path, {3.0: 0.9, 5.0: 10.5})

    async def acts() -> None:
        with scene.readings.watching(1.0):
            await asyncio.sleep(19.5)

    assert scene.play(acts) == pytest.approx([0, 1, 2, 3, 4, 5, 16, 17, 18, 19])


def test_who_asks_while_the_machine_is_read_gets_that_reading(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def acts() -> None:
        await asyncio.sleep(10)
        first, second = await asyncio.gather(scene.readings.read(), scene.readings.read())
        assert first is second
        assert await scene.readings.fresh(5.0) is first
        await asyncio.sleep(6)
        assert (await scene.readings.fresh(5.0)).at == 16

    assert scene.play(acts) == [0, 10, 16]
    assert [event.sample.at for event in scene.told] == [0, 10, 16]


def test_a_clock_that_is_set_back_keeps_no_samples_of_the_future(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def acts() -> None:
        with scene.readings.watching(1.0):
            await asyncio.sleep(300)
            scene.sampler.set_back = 250.0
            await asyncio.sleep(10)

    scene.play(acts)
    times = [sample.at for sample in scene.readings.recent]
    assert len(times) == 10
    assert times == sorted(times)


@given(st.floats(0.05, 60), st.lists(st.floats(0, 200), max_size=30))
def test_a_turn_is_never_early_and_always_a_whole_number_of_intervals_on(interval: float, waits: list[float]) -> None:
    turns, now = Turns(1000.0, interval), 1000.0
    for wait in waits:
        now = max(now, turns.due) + wait
        former = turns.due
        turns.advance(now)
        assert turns.due >= now - 1e-6
        assert turns.due > former
        assert turns.due <= max(former, now) + interval + 1e-6
        intervals = (turns.due - 1000.0) / interval
        assert abs(intervals - round(intervals)) < 1e-6


def test_an_hour_at_20_hertz_does_not_drift_and_takes_no_more_memory_than_its_first_minutes(tmp_path: Path) -> None:
    loop = MadeUpTime()
    ring = HistoryRing(tmp_path / "history.ring", loop.time)
    interval, seconds = 0.05, 3600
    count, drift = 0, 0.0

    def publish(event: Sampled) -> None:
        nonlocal count, drift
        drift = max(drift, abs(event.sample.at - count * interval))
        count += 1

    rows = (a_traffic(),)

    async def traffic() -> tuple[Traffic, ...]:
        return rows

    readings = Readings(
        SimulatedSampler("hour", clock=loop.time), ring, traffic, publish, shortest_seconds=interval, wall=loop.time
    )
    used: list[tuple[int, int, int]] = []

    async def hour() -> None:
        process = psutil.Process()
        await readings.read()
        with readings.watching(interval):
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(readings.run())
                for _ in range(seconds // 300):
                    await asyncio.sleep(300)
                    assert (tmp_path / "history.ring").stat().st_size == FILE_BYTES
                    used.append((len(readings.recent), sys.getallocatedblocks(), process.memory_info().rss))
                await asyncio.sleep(interval / 2)
                reading.cancel()

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(hour())
    assert count == seconds / interval + 1
    assert drift < 1e-9
    lengths, blocks, sizes = zip(*used, strict=True)
    assert max(lengths) - min(lengths) <= 1
    assert max(lengths) == pytest.approx(RECENT_SECONDS / interval, abs=1)
    assert max(blocks) - blocks[0] < 2000  # of some 60,000 readings since; one object kept of each would be seen
    assert max(sizes) - sizes[0] < 4 << 20
    means = ring.read(0, 10).figures["cpu_ratio"].mean
    assert len(means) == seconds / 10 + 1
    assert None not in means
    readings.close()
