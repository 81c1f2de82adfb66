"""A sampler made of probes: each reads some figures of a sample, and fails alone.

Where several probes can read the same figure, the first that gives it wins, and those after it are not even asked.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from fleetview_agent.samplers.limits import doubt
from fleetview_agent.wire import Machine, Sample

logger = logging.getLogger(__name__)
T = TypeVar("T")

FIRST = "the first reading has nothing to be compared with"
SLEPT = "the machine slept since the reading before"
SLEPT_SECONDS = 2.0
"""By how much the clock on the wall gets ahead of the one that stands still in sleep, before we call it sleep."""
LONGEST_REST_SECONDS = 60.0
EARLY_RATIO = 0.1
"""Share of its interval by which a probe may be early, so that a clock that ticks unevenly skips no turn."""
COMPANIONS: Mapping[str, frozenset[str]] = {
    "pressure_evidence": frozenset({"pressure"}),
    "power_covers": frozenset({"power_watts"}),
    "gpu_memory_limit_inferred": frozenset({"gpu_memory_limit_bytes"}),
    "gpus": frozenset({"gpu_ratio", "gpu_memory_used_bytes", "gpu_celsius"}),  # a divided GPU tells no ratio
}
"""Fields that mean something only beside one of others, and are taken from the first probe that gave such a one."""


class Unreadable(Exception):
    """A figure cannot be had just now; says why."""


class Absent(Unreadable):
    """The source itself is not there just now; it is left alone for its rest before it is asked again."""


@dataclass(frozen=True)
class Moment:
    """When a reading is made."""

    seconds: float
    """Of a clock that only goes forward and stands still while the machine sleeps."""
    wakes: int = 0
    """How often the machine was seen to have slept; differences across a sleep mean nothing."""


@dataclass(frozen=True)
class Reading:
    """What a probe read."""

    values: Mapping[str, object]
    """Field of `Sample` → value; never None."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Field that could not be read → why."""


@dataclass(frozen=True)
class Probe:
    """One source of figures. `read` may raise `Unreadable`, or anything else, which is taken for its failure."""

    name: str
    """Short, as in `iokit`."""
    sources: Mapping[str, str]
    """Field of `Sample` that it may give → where it is read, for people."""
    read: Callable[[Moment], Reading]
    close: Callable[[], None] = lambda: None
    every_seconds: float = 0.0
    """The least time between two readings; until then the last one stands."""
    rest_seconds: float = 0.0
    """How long it is left alone after it failed, longer each time; zero for what costs next to nothing."""
    patience_seconds: float = 0.0
    """How long its first figures may take, where a program of its own brings them."""


class Previous(Generic[T]):
    """What the reading before told, for figures that are of the time between two readings."""

    def __init__(self) -> None:
        self._before: tuple[T, Moment] | None = None

    def exchange(self, value: T, moment: Moment) -> tuple[T, float]:
        """Keep a value; the one before it, and the seconds since. Raises Unreadable where they cannot be compared."""
        before, self._before = self._before, (value, moment)
        if before is None:
            raise Unreadable(FIRST)
        if moment.wakes != before[1].wakes:
            raise Unreadable(SLEPT)
        return before[0], moment.seconds - before[1].seconds


class Counter:
    """Makes rates out of a counter that only grows, by the time that has really passed."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._previous: Previous[float] = Previous()

    def rate(self, value: float, moment: Moment) -> float:
        """Per second, since the reading before. Raises Unreadable."""
        before, passed = self._previous.exchange(value, moment)
        if (grown := value - before) < 0 or passed <= 0:
            raise Unreadable(f"{self._what} did not go on")
        return grown / passed


class Watch:
    """Tells moments, and whether the machine slept between two of them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self._clock, self._wall = clock, wall
        self._wakes = 0
        self._before: tuple[float, float] | None = None

    def look(self) -> tuple[Moment, float]:
        """Now, and the time on the wall, in seconds since 1970."""
        seconds, wall = self._clock(), self._wall()
        if self._before is not None and (wall - self._before[1]) - (seconds - self._before[0]) > SLEPT_SECONDS:
            self._wakes += 1
        self._before = (seconds, wall)
        return Moment(seconds, self._wakes), wall


class _Asked:
    """A probe, what it said last, and when it may be asked again."""

    def __init__(self, probe: Probe) -> None:
        self.probe = probe
        self._last = Reading({})
        self._due = -math.inf
        self._failures = 0

    def read(self, moment: Moment) -> Reading:
        """A new reading where one is due, else the last; one that failed is all reasons."""
        if moment.seconds >= self._due:
            self._last = self._ask(moment)
        return self._last

    def _ask(self, moment: Moment) -> Reading:
        """Read, and settle when to read next."""
        self._due = moment.seconds + self.probe.every_seconds * (1 - EARLY_RATIO)
        try:
            reading = self.probe.read(moment)
        except Absent as why:
            reason = str(why)
            self._rest(moment)
        except Unreadable as why:
            reason = str(why)
        except Exception as problem:
            reason = f"{self.probe.name} failed: {type(problem).__name__}: {problem}"
            if not self._failures:
                logger.warning("%s", reason, exc_info=True)
            self._rest(moment)
        else:
            self._failures = 0
            return reading
        return Reading({}, dict.fromkeys(self.probe.sources, reason))

    def _rest(self, moment: Moment) -> None:
        """Leave the probe alone, longer each time."""
        rest = min(self.probe.rest_seconds * 2 ** min(self._failures, 16), LONGEST_REST_SECONDS)
        self._due = max(self._due, moment.seconds + rest)
        self._failures += 1


class ProbedSampler:
    """Puts a sample together from what probes read, in their order.

    `missing`: field → why there is no probe for it at all. `sought`: see the attribute.
    """

    def __init__(
        self,
        machine: Machine,
        probes: Sequence[Probe],
        missing: Mapping[str, str],
        watch: Watch | None = None,
        sought: Callable[[], Mapping[str, str | None]] = dict,
    ) -> None:
        self.probes = tuple(probes)
        self.sought = sought
        """Tells what programs, packages and drivers are looked for → what was found; None: it is not there."""
        self._asked = tuple(map(_Asked, probes))
        first = {name: source for probe in reversed(probes) for name, source in probe.sources.items()}
        self._machine = machine.model_copy(update={"sources": first})
        self._missing = dict(missing)
        self._watch = watch or Watch()
        self._before: Moment | None = None

    @property
    def machine(self) -> Machine:
        """What does not change."""
        return self._machine

    def read(self) -> Sample:
        """What happened since the previous read."""
        moment, wall = self._watch.look()
        before, self._before = self._before, moment
        elapsed = None
        if before is not None and before.wakes == moment.wakes and moment.seconds > before.seconds:
            elapsed = moment.seconds - before.seconds
        draft = _Draft(self._machine)
        for asked in self._asked:
            if draft.lacks(asked.probe):
                draft.add(asked.probe, asked.read(moment))
        reasons = {**self._missing, **draft.reasons}
        return Sample.model_validate(
            {
                **draft.values,
                "at": wall,
                "interval_seconds": elapsed,
                "sources": draft.sources,
                "reasons": {name: why for name, why in reasons.items() if name not in draft.values},
            }
        )

    def close(self) -> None:
        """Let go of whatever the probes hold."""
        for probe in self.probes:
            probe.close()


class _Draft:
    """A sample while it is put together."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.values: dict[str, object] = {}
        self.sources: dict[str, str] = {}
        self.reasons: dict[str, str] = {}

    def lacks(self, probe: Probe) -> bool:
        """Whether the probe could give something that is not there yet."""
        return not probe.sources.keys() <= self.values.keys()

    def add(self, probe: Probe, reading: Reading) -> None:
        """Take what is new in a reading, and possible; remember why the rest is not there."""
        given: set[str] = set()
        reasons = dict(reading.reasons)
        for name, value in reading.values.items():
            if name in COMPANIONS or name in self.values:
                continue
            if (why := doubt(self._machine, name, value)) is not None:
                reasons[name] = f"{probe.name} said {why}"
                continue
            self.values[name] = value
            given.add(name)
            if probe.sources.get(name) != self._machine.sources.get(name):
                self.sources[name] = probe.sources[name]
        for name, value in reading.values.items():
            if given & COMPANIONS.get(name, frozenset()):
                self.values.setdefault(name, value)
        for name, reason in reasons.items():
            known = self.reasons.get(name)
            self.reasons[name] = reason if known in {None, reason} else f"{known}; {reason}"
