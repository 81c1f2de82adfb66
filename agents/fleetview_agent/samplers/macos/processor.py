"""How busy a Mac's cores are, and since when it runs."""

from __future__ import annotations

import time
from collections.abc import Callable

from fleetview_agent.samplers.macos.kernel import Kernel, Ticks, TimeValue
from fleetview_agent.samplers.probing import Moment, Previous, Probe, Reading, Unreadable

TICKS_WRAP = 1 << 32
FRESH_SECONDS = 0.2
"""The kernel answers third parties out of a cache when they ask for statistics more than ten times a second."""


def cpu_probe(kernel: Kernel) -> Probe:
    """The share of the cores' time in which they worked."""
    load = _Load(kernel)
    sources = {"cpu_ratio": "host_statistics, HOST_CPU_LOAD_INFO"}
    return Probe("cpu", sources, load.read, kernel.close, every_seconds=FRESH_SECONDS)


def uptime_probe(kernel: Kernel, wall: Callable[[], float] = time.time) -> Probe:
    """Since when the system runs; the kernel moves its start when the clock is set."""

    def read(_moment: Moment) -> Reading:
        began = kernel.structure("kern.boottime", TimeValue)
        return Reading({"uptime_seconds": wall() - began.seconds - began.microseconds / 1e6})

    return Probe("uptime", {"uptime_seconds": "sysctl kern.boottime"}, read)


class _Load:
    """Compares the ticks with those of the reading before."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._previous: Previous[Ticks] = Previous()

    def read(self, moment: Moment) -> Reading:
        """The share since the reading before. Raises Unreadable."""
        ticks = self._kernel.ticks()
        before, _ = self._previous.exchange(ticks, moment)
        return Reading({"cpu_ratio": busy_ratio(before, ticks)})


def busy_ratio(before: Ticks, now: Ticks) -> float:
    """The share of the ticks that were not idle, where each count may have wrapped around. Raises Unreadable."""
    user, system, idle, nice = (
        int(getattr(now, state) - getattr(before, state)) % TICKS_WRAP for state in ("user", "system", "idle", "nice")
    )
    if max(user, system, idle, nice) >= TICKS_WRAP // 2:
        raise Unreadable("the ticks of the processor went back")
    if (total := user + system + idle + nice) == 0:
        raise Unreadable("the ticks of the processor stood still")
    return (total - idle) / total
