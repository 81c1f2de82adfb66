"""What hangs costs its own figures, and nobody's time."""

from __future__ import annotations

import threading
import time

import pytest

from fleetview_agent.samplers.aside import Aside, aside
from fleetview_agent.samplers.probing import Absent, Moment, Probe, ProbedSampler, Reading, Unreadable
from tests.builders import a_machine

SOON_SECONDS = 0.5
NOW = Moment(0.0)


class Driver:
    """Answers with how often it was asked, while it is let."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.answers.set()
        self.asked = 0
        self.closed_by: threading.Thread | None = None

    def read(self, _: Moment) -> Reading:
        self.asked += 1
        told = Reading({"gpu_celsius": self.asked})
        assert self.answers.wait(10)
        return told

    def close(self) -> None:
        self.closed_by = threading.current_thread()

    @property
    def probe(self) -> Probe:
        return Probe("driver", {"gpu_celsius": "a driver"}, self.read, self.close)


def seconds_since(began: float) -> float:
    return time.monotonic() - began


def test_a_source_that_hangs_costs_its_own_figures_and_is_read_anew_once_it_answers() -> None:
    driver = Driver()
    cpu = Probe("cpu", {"cpu_ratio": "the kernel"}, lambda _: Reading({"cpu_ratio": 0.5}))
    sampler = ProbedSampler(a_machine(), (aside(driver.probe, Aside("driver", 1.0)), cpu), {})
    assert sampler.read().gpu_celsius == 1
    driver.answers.clear()
    for most_seconds in (1 + SOON_SECONDS, SOON_SECONDS):  # who waited once need not wait again
        began = time.monotonic()
        sample = sampler.read()
        assert seconds_since(began) < most_seconds
        assert (sample.gpu_celsius, sample.cpu_ratio) == (None, 0.5)
        assert sample.reasons["gpu_celsius"] == "driver has not answered for 1 s"
    assert driver.asked == 2
    driver.answers.set()
    began = time.monotonic()
    while (sample := sampler.read()).gpu_celsius is None:
        assert seconds_since(began) < 5
    assert sample.gpu_celsius == 3  # the second answer came too late to be true
    sampler.close()
    assert driver.closed_by not in {None, threading.current_thread()}


def test_a_source_that_hangs_holds_up_no_end() -> None:
    driver = Driver()
    thread = Aside("driver")
    driver.answers.clear()
    with pytest.raises(Unreadable, match="has not answered"):
        thread.ask(lambda: driver.read(NOW), 0.01)
    began = time.monotonic()
    thread.close(driver.close)
    assert seconds_since(began) < SOON_SECONDS
    assert driver.closed_by is None
    driver.answers.set()


def test_what_a_source_raises_is_raised_where_it_was_asked() -> None:
    thread = Aside("driver")

    def fail() -> None:
        raise problem

    for problem in (Absent("the driver is gone"), TimeoutError("the device timed out")):
        with pytest.raises(type(problem), match=str(problem)):
            thread.ask(fail)
    assert thread.ask(lambda: 7) == 7
    thread.close(lambda: None)
