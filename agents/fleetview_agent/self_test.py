"""Each source of figures by itself, with what it costs: a report that is made to be pasted where others read it.

So no name of the machine or of its owner is in it, no path of a home, and nothing that only one machine has.
"""

from __future__ import annotations

import os
import platform
import re
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Generic, ParamSpec, TypeVar

from fleetview_agent import __version__
from fleetview_agent.sample_text import FIGURES, complete, figure_of
from fleetview_agent.samplers import MAC_LIBRARY
from fleetview_agent.samplers.probing import Probe, ProbedSampler
from fleetview_agent.wire import Machine, Sample
from fleetview_agent.wire.base import Wire

READINGS = 5
BETWEEN_SECONDS = 0.4
UNITS: Mapping[str, str] = {
    "_bytes_per_second": "bytes per second",
    "_bytes": "bytes",
    "_ratio": "0 to 1",
    "_celsius": "degrees Celsius",
    "_hertz": "hertz",
    "_watts": "watts",
    "_rpm": "turns per minute",
    "_seconds": "seconds",
}
HOST, USER = "HOST", "USER"
"""What stands for the names of the machine and of the account."""
UNIQUE = re.compile(r"\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b")

P = ParamSpec("P")
T = TypeVar("T")


class Cost(Wire):
    """What readings took, in milliseconds."""

    readings: int
    first_ms: float
    """It may open or start something, and so is told apart."""
    median_ms: float | None
    """Of those after it; None where there was one alone."""
    most_ms: float | None


class Figure(Wire):
    """What a probe said of one field of a sample."""

    field: str
    value: object
    """None: it could not be read, and `reason` says why."""
    unit: str | None
    shown: str
    """The same for people."""
    source: str | None
    reason: str | None


class Trial(Wire):
    """What a probe said by itself."""

    probe: str
    cost: Cost
    every_seconds: float
    """The least time between two readings in the agent."""
    figures: tuple[Figure, ...]


class Report(Wire):
    """All that there is to say about reading this machine."""

    agent_version: str
    python: str
    architecture: str
    """What Python was built for; x86_64 on Apple silicon means that it is translated."""
    stand_in: bool
    """Whether a library stood in for macOS: then no figure is of a real machine."""
    machine: Machine
    sought: Mapping[str, str | None]
    """Program, package or driver that was looked for → what was found; None: it is not there."""
    trials: tuple[Trial, ...]
    together: Cost
    """Whole readings, as the agent makes them: a probe is not asked for what those before it gave."""
    not_read: Mapping[str, str]
    """Field without a value in the last of them → why."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all could be read."""
        return all(figure.value is None for trial in self.trials for figure in trial.figures)


def examine(sampler: ProbedSampler) -> Report:
    """Ask each probe several times, then all of them together; takes some seconds."""
    subjects = tuple(_Subject(sampler.machine, probe) for probe in sampler.probes)
    _ask(subjects)
    together = _Stopwatch(sampler.read)
    for _ in range(READINGS):
        time.sleep(BETWEEN_SECONDS)
        whole = together()
    machine, hide = sampler.machine, _hider(sampler.machine)
    reasons = complete(machine, whole).reasons
    return Report(
        agent_version=__version__,
        python=platform.python_version(),
        architecture=platform.machine(),
        stand_in=MAC_LIBRARY in os.environ,
        machine=machine.model_copy(update={"hostname": HOST, "user": USER}),
        sought={name: told and hide(told) for name, told in sampler.sought().items()},
        trials=tuple(subject.trial(hide) for subject in subjects),
        together=together.cost,
        not_read={field: hide(reasons[field]) for field in FIGURES if getattr(whole, field) is None},
    )


class _Stopwatch(Generic[P, T]):
    """A function, and how long its calls took."""

    def __init__(self, call: Callable[P, T]) -> None:
        self._call = call
        self._milliseconds: list[float] = []

    def __call__(self, *arguments: P.args, **keywords: P.kwargs) -> T:
        began = time.perf_counter()
        try:
            return self._call(*arguments, **keywords)
        finally:
            self._milliseconds.append(round((time.perf_counter() - began) * 1000, 3))

    @property
    def cost(self) -> Cost:
        """Of all calls so far, of which there is at least one."""
        first, *later = self._milliseconds
        return Cost(
            readings=1 + len(later),
            first_ms=first,
            median_ms=statistics.median_low(later) if later else None,
            most_ms=max(later, default=None),
        )


class _Subject:
    """A probe in a sampler of its own: no other takes its place, and every rule of samplers holds for it."""

    def __init__(self, machine: Machine, probe: Probe) -> None:
        self._probe = probe
        self._reads = _Stopwatch(probe.read)
        self._sampler = ProbedSampler(machine, (replace(probe, read=self._reads),), {})
        self._sample = Sample(at=0.0)

    def read(self) -> None:
        """Read once more, where it is time to."""
        self._sample = self._sampler.read()

    def may_still_tell(self, seconds: float) -> bool:
        """Whether there is nothing yet, so long after the first reading, and something may still come."""
        silent = all(getattr(self._sample, field) is None for field in self._probe.sources)
        return silent and seconds < self._probe.patience_seconds

    def trial(self, hide: Callable[[str], str]) -> Trial:
        """What came of it in the end."""
        told = complete(self._sampler.machine, self._sample)
        values = told.model_dump(mode="json")
        figures = (
            Figure(
                field=field,
                value=values[field],
                unit=next((unit for ending, unit in UNITS.items() if field.endswith(ending)), None),
                shown=figure_of(told, field),
                source=told.sources.get(field),
                reason=hide(told.reasons[field]) if values[field] is None else None,
            )
            for field in FIGURES
            if field in self._probe.sources or field in told.sources
        )
        probe = self._probe
        return Trial(probe=probe.name, cost=self._reads.cost, every_seconds=probe.every_seconds, figures=tuple(figures))


def _ask(subjects: Sequence[_Subject]) -> None:
    """Read all several times, and further while figures of one are on their way."""
    began, readings = time.monotonic(), 0
    while readings < READINGS or any(one.may_still_tell(time.monotonic() - began) for one in subjects):
        if readings:
            time.sleep(BETWEEN_SECONDS)
        for subject in subjects:
            subject.read()
        readings += 1


def _hider(machine: Machine) -> Callable[[str], str]:
    """Takes out of a text what names the machine, its owner, or one part of it."""
    names = {
        str(Path.home()): "~",
        machine.hostname: HOST,
        machine.hostname.partition(".")[0]: HOST,
        machine.user: USER,
    }
    known = [(re.compile(rf"(?<!\w){re.escape(name)}(?!\w)"), word) for name, word in names.items() if name.strip("/")]

    def hide(text: str) -> str:
        for pattern, word in (*known, (UNIQUE, "UUID")):
            text = pattern.sub(word, text)
        return text

    return hide
