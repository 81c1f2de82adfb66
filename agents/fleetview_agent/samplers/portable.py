"""Reads what psutil can tell of any machine; the rest has its reason."""

from __future__ import annotations

import os
import platform
import pwd
import socket
import subprocess
import time

import psutil

from fleetview_agent import __version__
from fleetview_agent.samplers.chips import memory_bytes_per_second
from fleetview_agent.wire import Machine, Sample

SYSCTL_SECONDS = 5.0
PROBES_MISSING = "needs the Mac probes, which this version does not have"
MISSING = (
    "pressure",
    "pressure_evidence",
    "swap_bytes_per_second",
    "gpu_ratio",
    "gpu_memory_used_bytes",
    "gpu_memory_allocated_bytes",
    "gpu_memory_limit_bytes",
    "gpu_celsius",
    "power_watts",
)
SOURCES = dict.fromkeys(
    ("cpu_ratio", "memory_used_bytes", "memory_available_bytes", "swap_used_bytes", "uptime_seconds"), "psutil"
)


class PortableSampler:
    """Processor, memory and swap of a Mac; its GPU needs probes of its own."""

    def __init__(self) -> None:
        self._read_at: float | None = None
        self._machine = Machine(
            hostname=socket.gethostname(),
            user=pwd.getpwuid(os.getuid()).pw_name,
            platform="darwin",
            system=f"macOS {platform.mac_ver()[0]}".strip(),
            chip=(chip := _chip()),
            unified_memory=platform.machine() == "arm64",
            memory_bytes_per_second=memory_bytes_per_second(chip, None, None),
            cpu_cores=psutil.cpu_count() or 1,
            memory_bytes=psutil.virtual_memory().total,
            agent_version=__version__,
            sources=SOURCES,
        )

    @property
    def machine(self) -> Machine:
        """What does not change."""
        return self._machine

    def read(self) -> Sample:
        """What happened since the previous read."""
        now = time.monotonic()
        elapsed = None if self._read_at is None else now - self._read_at
        self._read_at = now
        busy_percent = psutil.cpu_percent(interval=None)
        memory = psutil.virtual_memory()
        reasons = dict.fromkeys(MISSING, PROBES_MISSING)
        if elapsed is None:
            reasons["cpu_ratio"] = "the first reading has nothing to be compared with"
        return Sample(
            at=time.time(),
            interval_seconds=elapsed,
            cpu_ratio=None if elapsed is None else busy_percent / 100,
            memory_used_bytes=memory.total - memory.available,
            memory_available_bytes=memory.available,
            swap_used_bytes=psutil.swap_memory().used,
            uptime_seconds=time.time() - psutil.boot_time(),
            reasons=reasons,
        )

    def close(self) -> None:
        """Nothing is kept open."""


def _chip() -> str | None:
    """The chip as Apple calls it, such as "Apple M2 Max"."""
    try:
        asked = ("/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string")
        told = subprocess.run(asked, capture_output=True, text=True, timeout=SYSCTL_SECONDS, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        told = ""
    return told.strip() or platform.processor() or platform.machine() or None
