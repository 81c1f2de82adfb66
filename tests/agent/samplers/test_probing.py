"""A sample is put together by probes, each of which may fail."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import pytest

from fleetview_agent.samplers.limits import LIMITS
from fleetview_agent.samplers.probing import (
    FIRST,
    LONGEST_REST_SECONDS,
    SLEPT,
    Counter,
    Moment,
    Probe,
    ProbedSampler,
    Reading,
    Unreadable,
)
from fleetview_agent.wire import Gpu, Machine, Sample
from tests.builders import GIB, a_machine
from tests.clocks import Clock


@dataclass
class Source:
    """What a probe reads, and how often it was asked."""

    says: Mapping[str, object] | Exception
    asked: int = 0
    closed: int = 0

    def read(self, _: Moment) -> Reading:
        self.asked += 1
        if isinstance(self.says, Exception):
            raise self.says
        return Reading(self.says)

    def close(self) -> None:
        self.closed += 1

    def probe(self, name: str, *fields: str, every: float = 0, rest: float = 0) -> Probe:
        return Probe(name, dict.fromkeys(fields, f"from {name}"), self.read, self.close, every, rest)


@pytest.fixture
def clocks() -> Clock:
    return Clock()


def sampled(*probes: Probe, clocks: Clock | None = None, machine: Machine | None = None) -> Sample:
    return ProbedSampler(machine or a_machine(), probes, {}, (clocks or Clock()).watch).read()


def test_the_first_probe_that_gives_a_figure_wins_and_the_others_are_not_asked() -> None:
    best, worse = Source({"gpu_ratio": 0.5}), Source({"gpu_ratio": 0.9})
    sample = sampled(best.probe("best", "gpu_ratio"), worse.probe("worse", "gpu_ratio"))
    assert sample.gpu_ratio == 0.5
    assert (best.asked, worse.asked) == (1, 0)
    assert not sample.sources


def test_a_figure_from_the_second_best_names_its_source_and_no_reason() -> None:
    best, worse = Source(Unreadable("it hides")), Source({"gpu_ratio": 0.9, "gpu_celsius": 50.0})
    sampler = ProbedSampler(
        a_machine(), (best.probe("best", "gpu_ratio"), worse.probe("worse", "gpu_ratio", "gpu_celsius")), {}
    )
    sample = sampler.read()
    assert (sample.gpu_ratio, sample.gpu_celsius) == (0.9, 50.0)
    assert sample.sources == {"gpu_ratio": "from worse"}
    assert sampler.machine.sources == {"gpu_ratio": "from best", "gpu_celsius": "from worse"}
    assert not sample.reasons


def test_all_who_failed_say_why_and_what_has_no_probe_says_so_too() -> None:
    probes = (
        Source(Unreadable("it hides")).probe("best", "gpu_ratio"),
        Source(Unreadable("it is not installed")).probe("worse", "gpu_ratio"),
        Source(Unreadable("it hides")).probe("worst", "gpu_ratio"),
    )
    sample = ProbedSampler(a_machine(), probes[:2], {"fans_rpm": "nobody counts"}).read()
    assert sample.reasons == {"gpu_ratio": "it hides; it is not installed", "fans_rpm": "nobody counts"}


@pytest.mark.parametrize(
    "problem", [Unreadable("no"), OSError(5, "no"), ZeroDivisionError(), MemoryError(), KeyError()]
)
def test_a_probe_that_raises_costs_no_other_its_figures(problem: Exception, caplog: pytest.LogCaptureFixture) -> None:
    bad, good = Source(problem), Source({"cpu_ratio": 0.25})
    sampler = ProbedSampler(a_machine(), (bad.probe("bad", "gpu_ratio"), good.probe("good", "cpu_ratio")), {})
    with caplog.at_level(logging.WARNING):
        samples = [sampler.read() for _ in range(3)]
    assert all(sample.cpu_ratio == 0.25 and sample.reasons["gpu_ratio"] for sample in samples)
    assert len(caplog.records) == (0 if isinstance(problem, Unreadable) else 1), "the first failure alone is logged"


def test_a_companion_comes_from_where_its_figure_came_from() -> None:
    first = Source({"power_covers": "system", "gpu_ratio": 0.5})
    second = Source({"power_watts": 20.0, "power_covers": "gpu", "gpus": (Gpu(name="other"),), "gpu_ratio": 0.7})
    sample = sampled(
        first.probe("first", "gpu_ratio", "power_watts"), second.probe("second", "gpu_ratio", "power_watts")
    )
    assert (sample.power_watts, sample.power_covers) == (20.0, "gpu")
    assert sample.gpus == (), "they belong to a share that was not taken"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gpu_ratio", 1.01),
        ("gpu_ratio", math.nan),
        ("gpu_celsius", -1.0),
        ("gpu_celsius", 0.0),
        ("power_watts", math.inf),
        ("power_watts", 2001.0),
        ("cpu_ratio", "0.5"),
        ("cpu_celsius", None),
        ("memory_used_bytes", 193 * GIB),
        ("gpu_memory_used_bytes", 193 * GIB),
        ("swap_bytes_per_second", 1e13),
        ("thermal_state", "melting"),
        ("fans_rpm", ("fast",)),
    ],
)
def test_what_cannot_be_is_dropped_and_said_and_the_next_is_asked(name: str, value: object) -> None:
    possible = LIMITS[name][0] if name in LIMITS else {"thermal_state": "nominal", "fans_rpm": (900.0,)}[name]
    machine = a_machine(unified_memory=True)
    bad, good = Source({name: value}).probe("bad", name), Source({name: possible}).probe("good", name)
    dropped = sampled(bad, machine=machine)
    assert getattr(dropped, name) is None
    assert dropped.reasons[name] == f"bad said {value!r}, which cannot be"
    assert getattr(sampled(bad, good, machine=machine), name) == possible


def test_more_may_be_allocated_than_there_is_and_a_card_may_have_more_than_the_machine() -> None:
    both = Source({"gpu_memory_allocated_bytes": 400 * GIB, "gpu_memory_used_bytes": 300 * GIB})
    sample = sampled(both.probe("card", "gpu_memory_allocated_bytes", "gpu_memory_used_bytes"))
    assert (sample.gpu_memory_allocated_bytes, sample.gpu_memory_used_bytes) == (400 * GIB, 300 * GIB)


def test_a_slow_probe_is_asked_in_its_own_time_and_its_last_word_stands(clocks: Clock) -> None:
    slow = Source({"gpu_ratio": 0.5})
    sampler = ProbedSampler(a_machine(), (slow.probe("slow", "gpu_ratio", every=2),), {}, clocks.watch)
    asked = []
    for _ in range(5):
        assert sampler.read().gpu_ratio == 0.5
        asked.append(slow.asked)
        clocks.now += 0.95
    assert asked == [1, 1, 2, 2, 3]


def test_a_probe_that_fails_is_left_alone_longer_each_time_until_it_works(clocks: Clock) -> None:
    source = Source(OSError("the driver is gone"))
    sampler = ProbedSampler(a_machine(), (source.probe("driver", "gpu_ratio", rest=5),), {}, clocks.watch)
    at: list[float] = []
    for _ in range(400):
        before = source.asked
        sample = sampler.read()
        at += [clocks.now - 100] if source.asked > before else []
        assert sample.reasons["gpu_ratio"] == "driver failed: OSError: the driver is gone"
        clocks.now += 1
    rests = [later - earlier for earlier, later in pairwise(at)]
    assert rests[:4] == [5, 10, 20, 40]
    assert set(rests[4:]) == {LONGEST_REST_SECONDS}
    source.says = {"gpu_ratio": 0.5}
    clocks.now += LONGEST_REST_SECONDS
    assert sampler.read().gpu_ratio == 0.5
    source.says = OSError("gone again")
    asked = source.asked
    for _ in range(2):
        clocks.now += 5
        sampler.read()
    assert source.asked == asked + 2, "the rests begin anew"


def test_time_between_readings_is_measured_and_a_sleep_is_none(clocks: Clock) -> None:
    sampler = ProbedSampler(a_machine(), (), {}, clocks.watch)
    assert sampler.read().interval_seconds is None
    clocks.now += 1.25
    assert sampler.read().interval_seconds == 1.25
    clocks.now += 1
    clocks.slept += 3600
    assert sampler.read().interval_seconds is None
    clocks.now += 1
    assert sampler.read().interval_seconds == 1
    clocks.slept -= 7200  # somebody set the clock back; that is no sleep
    clocks.now += 1
    assert sampler.read().interval_seconds == 1
    assert sampler.read().interval_seconds is None, "no time has passed"


@pytest.mark.parametrize(
    ("then", "value", "reason"),
    [
        (Moment(12.0), 150.0, None),
        (Moment(12.0), 90.0, "the counter did not go on"),
        (Moment(10.0), 150.0, "the counter did not go on"),
        (Moment(12.0, wakes=1), 150.0, SLEPT),
    ],
)
def test_a_rate_is_over_the_time_that_has_really_passed(then: Moment, value: float, reason: str | None) -> None:
    counter = Counter("the counter")
    assert why(lambda: counter.rate(100.0, Moment(10.0))) == FIRST
    if reason is None:
        assert counter.rate(value, then) == 25.0
    else:
        assert why(lambda: counter.rate(value, then)) == reason
    later = Moment(then.seconds + 1, then.wakes)
    assert counter.rate(value + 7, later) == 7, "it goes on from where it stands"


def why(do: Callable[[], object]) -> str:
    with pytest.raises(Unreadable) as caught:
        do()
    return str(caught.value)


def test_everything_is_closed() -> None:
    sources = Source({}), Source(OSError("never mind"))
    sampler = ProbedSampler(a_machine(), [source.probe("one", "gpu_ratio") for source in sources], {})
    sampler.read()
    sampler.close()
    assert [source.closed for source in sources] == [1, 1]
