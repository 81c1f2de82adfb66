"""Memory of the machine, or of the container that the agent runs in, and whether it is short."""

from __future__ import annotations

import os
from collections.abc import Mapping

from fleetview_agent.samplers.linux.files import LARGEST, Files
from fleetview_agent.samplers.probing import Moment, Probe
from fleetview_agent.wire import Pressure

STALLED_PERCENT = 10.0
"""Share of the last ten seconds in which tasks waited for memory, from which on it is under pressure."""
ALL_PERCENT = 100.0
WARNING_AVAILABLE_RATIO = 0.10
CRITICAL_AVAILABLE_RATIO = 0.04


def memory_bytes(files: Files) -> int:
    """All there is; in a container, what it may use."""
    try:
        total = _told(files, "MemTotal")
    except (OSError, ValueError, LookupError):
        total = 0
    if not 0 < total <= LARGEST:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(total, _container_limit(files) or total)


def memory_probe(files: Files, total: int) -> Probe:
    """Used and available memory, of the container where it has a limit."""

    def read(_: Moment) -> Mapping[str, object]:
        available = _available(files, total)
        return {"memory_used_bytes": total - available, "memory_available_bytes": available}

    sources = {
        "memory_used_bytes": "/proc/meminfo, MemTotal - MemAvailable (the cache of ZFS counts as used)",
        "memory_available_bytes": "/proc/meminfo, MemAvailable",
    }
    if _container_limit(files) is not None:
        sources = {
            "memory_used_bytes": "the container's memory.max less what is available",
            "memory_available_bytes": "the container's memory.max - memory.current + inactive_file",
        }
    return files.probe("meminfo", sources, read)


def swap_probe(files: Files) -> Probe:
    """What lies in swap; without any swap that is zero, and measured."""

    def read(_: Moment) -> Mapping[str, object]:
        return {"swap_used_bytes": max(0, _told(files, "SwapTotal") - _told(files, "SwapFree"))}

    return files.probe("swap", {"swap_used_bytes": "/proc/meminfo, SwapTotal - SwapFree"}, read)


def pressure_probe(files: Files, total: int) -> Probe:
    """The level: critical or warning by stalls of the last ten seconds or by what is available, else normal."""

    def read(_: Moment) -> Mapping[str, object]:
        some, full = _stalls(files)
        try:
            ratio = _available(files, total) / total
        except (OSError, ValueError, LookupError):
            if some is None:
                raise
            ratio = None
        return {"pressure": _level(some, full, ratio), "pressure_evidence": _evidence(some, full, ratio)}

    where = "/proc/pressure/memory" if _container_limit(files) is None else "the container's memory.pressure"
    return files.probe("psi", {"pressure": f"{where} and what is available"}, read)


def _level(some: float | None, full: float | None, ratio: float | None) -> Pressure:
    """What stalls, and the share of memory that is available, amount to."""
    if (full or 0) >= STALLED_PERCENT or (ratio is not None and ratio < CRITICAL_AVAILABLE_RATIO):
        return "critical"
    if (some or 0) >= STALLED_PERCENT or (ratio is not None and ratio < WARNING_AVAILABLE_RATIO):
        return "warning"
    return "normal"


def _evidence(some: float | None, full: float | None, ratio: float | None) -> str:
    """The same figures for people."""
    stalled = "this kernel counts no stalls" if some is None else f"stalled {some:.1f} % of 10 s"
    fully = "" if full is None else f", fully {full:.1f} %"
    available = "" if ratio is None else f", {ratio * 100:.0f} % available"
    return stalled + fully + available


def _stalls(files: Files) -> tuple[float | None, float | None]:
    """Percent of the last ten seconds in which some, and all, tasks waited; None for what is not counted."""
    path = "proc/pressure/memory" if _container_limit(files) is None else "sys/fs/cgroup/memory.pressure"
    try:
        some = _percent(files.told(path, "some"))
    except (OSError, ValueError, LookupError):  # the kernel may have the file, and refuse to count
        return None, None
    try:
        return some, _percent(files.told(path, "full"))
    except (ValueError, LookupError):  # an older kernel tells the one line alone
        return some, None


def _percent(averages: str) -> float:
    """That of the last ten seconds. Raises ValueError or LookupError."""
    percent = float(averages.split(maxsplit=1)[0].removeprefix("avg10="))
    if not 0 <= percent <= ALL_PERCENT:
        raise ValueError(f"{percent} % cannot be")
    return percent


def _told(files: Files, name: str) -> int:
    """A figure of /proc/meminfo in bytes."""
    return int(files.told("proc/meminfo", f"{name}:").removesuffix("kB")) << 10


def _available(files: Files, total: int) -> int:
    """What programs can still have."""
    available = _told(files, "MemAvailable")
    if (limit := _container_limit(files)) is None:
        return min(available, total)
    reclaimable = int(files.told("sys/fs/cgroup/memory.stat", "inactive_file"))
    used = int(files.text("sys/fs/cgroup/memory.current")) - reclaimable
    return max(0, min(available, limit - used))


def _container_limit(files: Files) -> int | None:
    """What the container may use; None where nothing is set."""
    try:
        limit = int(files.text("sys/fs/cgroup/memory.max"))
    except (OSError, ValueError):  # it says "max", where it is there at all
        return None
    return limit if 0 <= limit <= LARGEST else None
