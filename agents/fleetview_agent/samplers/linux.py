"""Reads a Linux machine by /proc; each figure by a probe of its own, so that one that fails costs no other."""

from __future__ import annotations

import os
import platform
import pwd
import socket
import time
from collections.abc import Callable
from pathlib import Path

from fleetview_agent import __version__
from fleetview_agent.samplers.chips import memory_bytes_per_second
from fleetview_agent.wire import Machine, Pressure, Sample

STALLED_PERCENT = 10.0
"""Share of the last ten seconds in which tasks waited for memory, from which on it is under pressure."""
WARNING_AVAILABLE_RATIO = 0.10
CRITICAL_AVAILABLE_RATIO = 0.04
ABSURD_BYTES_PER_SECOND = 1e12
"""No swap is that fast; a counter was reset."""
FIRST = "the first reading has nothing to be compared with"

NO_GPU = "no GPU that can be read was found"
GPU_FIELDS = (
    "gpu_ratio",
    "gpu_memory_used_bytes",
    "gpu_memory_allocated_bytes",
    "gpu_memory_limit_bytes",
    "gpu_celsius",
)
UNREADABLE = {**dict.fromkeys(GPU_FIELDS, NO_GPU), "power_watts": "no meter that can be read was found"}
SOURCES = {
    "cpu_ratio": "/proc/stat",
    "memory_used_bytes": "/proc/meminfo, MemTotal - MemAvailable",
    "memory_available_bytes": "/proc/meminfo, MemAvailable",
    "pressure": "/proc/pressure/memory and MemAvailable",
    "swap_used_bytes": "/proc/meminfo, SwapTotal - SwapFree",
    "swap_bytes_per_second": "/proc/vmstat, pswpin + pswpout",
    "uptime_seconds": "/proc/uptime",
}

Probe = Callable[[float | None], dict[str, object]]


class Unreadable(Exception):
    """A figure cannot be had just now; says why."""


class LinuxSampler:
    """Reads the files below `root`; rates are over the time that has really passed."""

    def __init__(self, root: Path = Path("/"), clock: Callable[[], float] = time.monotonic) -> None:
        self._root = root
        self._clock = clock
        self._read_at: float | None = None
        self._cpu_before: tuple[int, int] | None = None
        self._swapped_before: int | None = None
        self._texts: dict[str, str] = {}
        """Of the files of this reading: several figures come out of one."""
        self._machine = self._look_around()
        self._probes: tuple[tuple[tuple[str, ...], Probe], ...] = (
            (("cpu_ratio",), self._cpu),
            (("memory_used_bytes", "memory_available_bytes"), self._memory),
            (("pressure", "pressure_evidence"), self._pressure),
            (("swap_used_bytes",), self._swap_used),
            (("swap_bytes_per_second",), self._swap_rate),
            (("uptime_seconds",), self._uptime),
        )

    @property
    def machine(self) -> Machine:
        """What does not change."""
        return self._machine

    def read(self) -> Sample:
        """What happened since the previous read."""
        now = self._clock()
        elapsed = None if self._read_at is None or now <= self._read_at else now - self._read_at
        self._read_at = now
        self._texts.clear()
        values: dict[str, object] = {}
        reasons = dict(UNREADABLE)
        for fields, probe in self._probes:
            try:
                values |= probe(elapsed)
            except Unreadable as why:
                reasons |= dict.fromkeys(fields, str(why))
            except (OSError, ValueError, LookupError) as problem:
                reasons |= dict.fromkeys(fields, f"{SOURCES[fields[0]]} cannot be read: {problem}")
        return Sample.model_validate({"at": time.time(), "interval_seconds": elapsed, "reasons": reasons, **values})

    def close(self) -> None:
        """Nothing is kept open."""

    def _text(self, path: str) -> str:
        """A small file of the system, as it was when this reading first came to it."""
        if path not in self._texts:
            self._texts[path] = (self._root / path).read_text(errors="replace")
        return self._texts[path]

    def _cpu(self, elapsed: float | None) -> dict[str, object]:
        """Share of the time in which cores were not idle."""
        label, *words = self._text("proc/stat").partition("\n")[0].split()
        if label != "cpu":
            raise Unreadable("/proc/stat does not begin with the sum of all cores")
        ticks = [int(word) for word in words[:8]]  # what follows, time of guests, is in them already
        total, idle = sum(ticks), ticks[3] + ticks[4]
        before, self._cpu_before = self._cpu_before, (total, idle)
        if before is None or elapsed is None:
            raise Unreadable(FIRST)
        passed, rested = total - before[0], idle - before[1]
        if not 0 <= rested <= passed or passed == 0:
            raise Unreadable("the counters of /proc/stat did not go on")
        return {"cpu_ratio": 1 - rested / passed}

    def _memory(self, _elapsed: float | None) -> dict[str, object]:
        """Used and available memory, of the container where it has a limit."""
        available = self._available()
        return {"memory_used_bytes": self._machine.memory_bytes - available, "memory_available_bytes": available}

    def _pressure(self, _elapsed: float | None) -> dict[str, object]:
        """The level: critical or warning by stalls of the last ten seconds or by what is available, else normal."""
        stalls = self._stalls()
        try:
            ratio = self._available() / self._machine.memory_bytes
        except (OSError, ValueError, LookupError):
            if stalls is None:
                raise
            ratio = None
        some, full = stalls or (0.0, 0.0)
        level: Pressure = "normal"
        if full >= STALLED_PERCENT or (ratio is not None and ratio < CRITICAL_AVAILABLE_RATIO):
            level = "critical"
        elif some >= STALLED_PERCENT or (ratio is not None and ratio < WARNING_AVAILABLE_RATIO):
            level = "warning"
        stalled = f"stalled {some:.1f} % of 10 s, fully {full:.1f} %" if stalls else "this kernel counts no stalls"
        available = "" if ratio is None else f", {ratio:.0%} available".replace("%", " %")
        return {"pressure": level, "pressure_evidence": stalled + available}

    def _swap_used(self, _elapsed: float | None) -> dict[str, object]:
        """What lies in swap."""
        meminfo = self._meminfo()
        return {"swap_used_bytes": max(0, meminfo["SwapTotal"] - meminfo["SwapFree"])}

    def _swap_rate(self, elapsed: float | None) -> dict[str, object]:
        """What goes into and out of swap."""
        counters = dict(line.split(maxsplit=1) for line in self._text("proc/vmstat").splitlines())
        swapped = (int(counters["pswpin"]) + int(counters["pswpout"])) * os.sysconf("SC_PAGE_SIZE")
        before, self._swapped_before = self._swapped_before, swapped
        if before is None or elapsed is None:
            raise Unreadable(FIRST)
        rate = (swapped - before) / elapsed
        if not 0 <= rate < ABSURD_BYTES_PER_SECOND:
            raise Unreadable("the counters of /proc/vmstat did not go on")
        return {"swap_bytes_per_second": rate}

    def _uptime(self, _elapsed: float | None) -> dict[str, object]:
        """Since the system started."""
        return {"uptime_seconds": float(self._text("proc/uptime").split()[0])}

    def _meminfo(self) -> dict[str, int]:
        """/proc/meminfo in bytes."""
        rows = (line.split() for line in self._text("proc/meminfo").splitlines())
        return {row[0].rstrip(":"): int(row[1]) << 10 for row in rows if row[2:] == ["kB"]}

    def _available(self) -> int:
        """What programs can still have."""
        available = self._meminfo()["MemAvailable"]
        if (limit := self._container_limit()) is None:
            return min(available, self._machine.memory_bytes)
        counted = dict(line.split() for line in self._text("sys/fs/cgroup/memory.stat").splitlines())
        used = int(self._text("sys/fs/cgroup/memory.current")) - int(counted["inactive_file"])
        return max(0, min(available, limit - used))

    def _container_limit(self) -> int | None:
        """What the container may use; None where nothing is set."""
        try:
            limit = self._text("sys/fs/cgroup/memory.max").strip()
        except OSError:
            return None
        return int(limit) if limit.isdecimal() else None

    def _stalls(self) -> tuple[float, float] | None:
        """Percent of the last ten seconds in which some, or all, tasks waited; None where it is not counted."""
        path = "proc/pressure/memory" if self._container_limit() is None else "sys/fs/cgroup/memory.pressure"
        try:
            lines = dict(line.split(maxsplit=1) for line in self._text(path).splitlines())
            some, full = (float(lines[kind].split()[0].removeprefix("avg10=")) for kind in ("some", "full"))
        except (OSError, ValueError, LookupError):
            return None
        return some, full

    def _look_around(self) -> Machine:
        """Everything that stays as it is."""
        try:
            memory = self._meminfo()["MemTotal"]
        except (OSError, ValueError, LookupError):
            memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return Machine(
            hostname=socket.gethostname(),
            user=_user(),
            platform="linux",
            system=self._system(),
            chip=(chip := self._chip()),
            memory_bytes_per_second=memory_bytes_per_second(chip, None, None),
            cpu_cores=os.cpu_count() or 1,
            memory_bytes=min(memory, self._container_limit() or memory),
            agent_version=__version__,
            sources=SOURCES,
        )

    def _system(self) -> str:
        """Name and version of the distribution."""
        try:
            rows = dict(line.split("=", 1) for line in self._text("etc/os-release").splitlines() if "=" in line)
            return rows["PRETTY_NAME"].strip("\"'")
        except (OSError, LookupError):
            return f"{platform.system()} {platform.release()}"

    def _chip(self) -> str | None:
        """Name of the processor; of the board where the processor has none, as with most of arm64."""
        for path in ("proc/cpuinfo", "proc/device-tree/model"):
            try:
                text = self._text(path)
            except OSError:
                continue
            if path.endswith("model") and text.strip("\0\n"):
                return text.strip("\0\n")
            rows = (line.partition(":") for line in text.splitlines())
            if name := next((value.strip() for key, _, value in rows if key.strip() == "model name"), None):
                return name
        return platform.machine() or None


def _user() -> str:
    """The account; its number where it has no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
