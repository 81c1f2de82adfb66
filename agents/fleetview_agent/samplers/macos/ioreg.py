"""GPU statistics by the program `ioreg`: for where IOKit itself does not answer."""

from __future__ import annotations

import math
import os
import plistlib
import shutil
import subprocess
from collections.abc import Callable
from xml.parsers.expat import ExpatError

from fleetview_agent.samplers.macos.gpu_statistics import (
    ACCELERATOR,
    FIGURES,
    NOT_PUBLISHED,
    STATISTICS,
    from_statistics,
)
from fleetview_agent.samplers.probing import LONGEST_REST_SECONDS, Moment, Probe, Reading, Unreadable

EVERY_SECONDS = 2.0
REST_SECONDS = 5.0
"""After the first time in vain: each costs a process, and up to the time-out."""
TIMEOUT_SECONDS = 1.0


def ioreg_probe(path: Callable[[], str | None] | None = None) -> Probe:
    """The figures of `PerformanceStatistics`. `path`: tells where ioreg is."""
    sources = {name: f"ioreg, {figure.key}" for name, figure in FIGURES.items()}
    return Probe("ioreg", sources, _Ioreg(path or _path).read, every_seconds=EVERY_SECONDS, rest_seconds=REST_SECONDS)


class _Ioreg:
    """Runs the program, and lets it be after it was run in vain, longer each time."""

    def __init__(self, path: Callable[[], str | None]) -> None:
        self._path = path
        self._failure = ""
        self._failures = 0
        self._due = -math.inf

    def read(self, moment: Moment) -> Reading:
        """What the driver says now. Raises Unreadable."""
        if moment.seconds < self._due:
            raise Unreadable(self._failure)
        try:
            reading = parse(self._output())
        except (Unreadable, ValueError) as why:
            self._failure = str(why)
            self._due = moment.seconds + min(REST_SECONDS * 2 ** min(self._failures, 16), LONGEST_REST_SECONDS)
            self._failures += 1
            raise Unreadable(self._failure) from why
        self._failures = 0
        return reading

    def _output(self) -> bytes:
        """What ioreg prints. Raises Unreadable."""
        if (path := self._path()) is None:
            raise Unreadable("ioreg is not there")
        command = (path, "-a", "-r", "-d", "1", "-c", ACCELERATOR)
        try:
            ended = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env={**os.environ, "LC_ALL": "C"},
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as problem:
            raise Unreadable(f"ioreg did not answer within {TIMEOUT_SECONDS:.0f} s") from problem
        except OSError as problem:
            raise Unreadable(f"ioreg could not be started: {problem.strerror or problem}") from problem
        if ended.returncode:
            raise Unreadable(f"ioreg ended with exit status {ended.returncode}")
        return ended.stdout


def parse(output: bytes) -> Reading:
    """The figures of `ioreg -a`. Raises Unreadable where there is no GPU, ValueError where the output is broken."""
    if not output.strip():
        raise Unreadable(NOT_PUBLISHED)
    for accelerator in _property_list(output):
        statistics = accelerator.get(STATISTICS) if isinstance(accelerator, dict) else None
        if isinstance(statistics, dict):
            return from_statistics(statistics)
    raise Unreadable(NOT_PUBLISHED)


def _property_list(output: bytes) -> list[object]:
    """The array that ioreg prints. Raises ValueError."""
    try:
        told = plistlib.loads(output, fmt=plistlib.FMT_XML)
    except (ExpatError, ValueError, AttributeError, LookupError, TypeError, OverflowError, RecursionError) as problem:
        raise ValueError(
            f"ioreg printed what is no property list: {problem}"
        ) from problem  # plistlib meets broken lists with whatever breaks in it
    if not isinstance(told, list):
        raise ValueError("ioreg printed no array")  # noqa: TRY004 - a mistake in data, not in the program
    return told


def _path() -> str | None:
    """Where ioreg is; the PATH of a service may lack it."""
    return shutil.which("ioreg", path=os.pathsep.join(("/usr/sbin", os.environ.get("PATH", os.defpath))))
