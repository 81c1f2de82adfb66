"""What /proc tells of the processor, of swapping and of the time since the system started."""

from __future__ import annotations

import os
from collections.abc import Mapping

from fleetview_agent.samplers.linux.files import Files
from fleetview_agent.samplers.probing import Counter, Moment, Previous, Probe, Unreadable


def cpu_probe(files: Files) -> Probe:
    """How busy the cores are."""
    return files.probe("stat", {"cpu_ratio": "/proc/stat"}, _Cores(files).busy)


def swap_rate_probe(files: Files) -> Probe:
    """What goes into and out of swap."""
    counter = Counter("the counter of /proc/vmstat")

    def read(moment: Moment) -> Mapping[str, object]:
        pages = sum(int(files.told("proc/vmstat", way)) for way in ("pswpin", "pswpout"))
        return {"swap_bytes_per_second": counter.rate(pages * os.sysconf("SC_PAGE_SIZE"), moment)}

    return files.probe("vmstat", {"swap_bytes_per_second": "/proc/vmstat, pswpin + pswpout"}, read)


def uptime_probe(files: Files) -> Probe:
    """Since the system started."""
    return files.probe(
        "uptime",
        {"uptime_seconds": "/proc/uptime"},
        lambda _: {"uptime_seconds": float(files.text("proc/uptime").split()[0])},
    )


class _Cores:
    """The time that all cores together spent, from reading to reading."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._previous: Previous[tuple[int, int]] = Previous()

    def busy(self, moment: Moment) -> Mapping[str, object]:
        """Share of the time in which they were not idle."""
        label, *words = self._files.text("proc/stat").partition("\n")[0].split()
        if label != "cpu":
            raise Unreadable("/proc/stat does not begin with the sum of all cores")
        ticks = [int(word) for word in words[:8]]  # what follows, time of guests, is in them already
        total, idle = sum(ticks), ticks[3] + ticks[4]
        before, _ = self._previous.exchange((total, idle), moment)
        passed, rested = total - before[0], idle - before[1]
        if not 0 <= rested <= passed or passed == 0:
            raise Unreadable("the counters of /proc/stat did not go on")
        return {"cpu_ratio": 1 - rested / passed}
