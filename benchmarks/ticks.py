"""What one reading of this machine costs, source by source, and what is done with it after that.

Readings are a second apart, as the agent's are: by then the processor's caches hold other things, and the same work
takes several times as long as in a loop. What is counted is the time on the processors, in whichever thread.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ParamSpec, TypeVar

import repository  # noqa: F401 - before what lies in the repository's root

from fleetview_agent.records.history import HistoryRing
from fleetview_agent.samplers import detect
from fleetview_agent.samplers.probing import ProbedSampler
from fleetview_agent.wire import Sampled

INTERVAL_SECONDS = 1.0
LEAST_TICKS = 30

P = ParamSpec("P")
R = TypeVar("R")


class Costs:
    """Microseconds on the processors, by what was done."""

    def __init__(self) -> None:
        self._taken: dict[str, list[float]] = {}

    def of(self, what: str, function: Callable[P, R]) -> Callable[P, R]:
        """The same function, with what each call takes noted."""

        def noted(*arguments: P.args, **named: P.kwargs) -> R:
            before = time.process_time_ns()
            try:
                return function(*arguments, **named)
            finally:
                self._taken.setdefault(what, []).append((time.process_time_ns() - before) / 1e3)

        return noted

    def tell(self) -> None:
        """Print all of them."""
        for what, taken in self._taken.items():
            print(f"{what:24} median {statistics.median(taken):6.0f} µs  mean {statistics.fmean(taken):6.0f} µs")


def measure(seconds: int) -> None:
    """Measure and tell."""
    costs = Costs()
    sampler = detect()
    assert isinstance(sampler, ProbedSampler)
    probes = [replace(one, read=costs.of(f"  {one.name}", one.read)) for one in sampler.probes]
    told = sampler.read()
    missing = {name: why for name, why in told.reasons.items() if name not in sampler.machine.sources}
    timed = ProbedSampler(sampler.machine, probes, missing)
    with tempfile.TemporaryDirectory() as folder:
        ring = HistoryRing(Path(folder) / "history.ring")
        read, keep = costs.of("one reading", timed.read), costs.of("the ring's write", ring.keep)
        encode = costs.of("the event's encoding", lambda: Sampled(sample=sample).model_dump_json(exclude_none=True))
        ticks = max(seconds, LEAST_TICKS)
        for _ in range(ticks):
            time.sleep(INTERVAL_SECONDS)
            sample = read()
            keep(sample)
            line = encode()
        ring.close()
    timed.close()
    print(f"{ticks} readings, {INTERVAL_SECONDS:g} s apart; an event of {len(line)} bytes")
    costs.tell()
