"""What a Mac is: read once, and nothing that tells one of its kind from another."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Callable, Sequence
from typing import TypeVar

from fleetview_agent import __version__
from fleetview_agent.samplers.account import user_name
from fleetview_agent.samplers.chips import memory_bytes_per_second
from fleetview_agent.samplers.macos.kernel import Kernel
from fleetview_agent.samplers.probing import Unreadable
from fleetview_agent.wire import Machine

PROFILER = ("/usr/sbin/system_profiler", "-json", "SPDisplaysDataType")
PROFILER_SECONDS = 5.0
MOST_LEVELS = 8
DISGUISED = 16
"""The version that macOS 26 and newer give of themselves to a Python that was built for older ones; no real one."""
KINDS_OF_TWO = ("performance", "efficiency")
"""What the two kinds of core are called where the system has no names for them yet."""

Identity = tuple[str | None, int | None]
"""Name of the GPU, and how many cores of it work."""
T = TypeVar("T")


def describe(kernel: Kernel, gpu: Identity) -> Machine:
    """The machine. Raises Unreadable where the kernel does not even tell how much memory there is."""
    chip = _known(kernel.text, "machdep.cpu.brand_string")
    name, cores = gpu
    return Machine(
        hostname=socket.gethostname(),
        user=user_name(),
        platform="darwin",
        system=_system(kernel),
        model=_known(kernel.text, "hw.model"),
        chip=chip,
        cpu_cores=_known(kernel.number, "hw.ncpu") or os.cpu_count() or 1,
        cpu_core_kinds=_core_kinds(kernel),
        memory_bytes=kernel.number("hw.memsize"),
        virtual=_known(kernel.number, "kern.hv_vmm_present") == 1,
        gpu=name,
        gpu_cores=cores,
        unified_memory=chip is not None and chip.startswith("Apple"),
        memory_bytes_per_second=memory_bytes_per_second(chip, cores, name),
        agent_version=__version__,
    )


def macos_major(kernel: Kernel) -> int | None:
    """The first number of the system's version."""
    return _leading(_version(kernel))


def profiled_gpu(command: Sequence[str] = PROFILER) -> Identity:
    """The GPU by Apple's own report, which takes a quarter of a second, for where the driver does not tell."""
    try:
        told = subprocess.run(command, capture_output=True, timeout=PROFILER_SECONDS, check=False).stdout
        displays = json.loads(told)["SPDisplaysDataType"]
        gpu = next(row for row in displays if row.get("sppci_device_type") == "spdisplays_gpu")
        name, cores = str(gpu["sppci_model"]), str(gpu.get("sppci_cores", ""))
    except (OSError, subprocess.TimeoutExpired, ValueError, LookupError, TypeError, AttributeError, StopIteration):
        return None, None  # it is a report for people, of which nothing is promised
    return name.strip() or None, int(cores) if cores.isdecimal() else None


def _known(ask: Callable[[str], T], name: str) -> T | None:
    """What the kernel says; None where it does not."""
    try:
        return ask(name) or None
    except Unreadable:
        return None


def _system(kernel: Kernel) -> str:
    """Such as "macOS 15.6 (24G84)"."""
    version, build = _version(kernel), _known(kernel.text, "kern.osversion")
    return " ".join(part for part in ("macOS", version, f"({build})" if build else None) if part)


def _version(kernel: Kernel) -> str | None:
    """The system's version; where that is disguised, what can be told of it."""
    version = _known(kernel.text, "kern.osproductversion")
    if _leading(version) != DISGUISED:
        return version
    darwin = _leading(_known(kernel.text, "kern.osrelease"))
    return None if darwin is None else str(darwin + 1)  # its kernel's, since both are named by years


def _leading(version: str | None) -> int | None:
    """The first number of a version."""
    first = (version or "").partition(".")[0]
    return int(first) if first.isdecimal() else None


def _core_kinds(kernel: Kernel) -> dict[str, int]:
    """How many cores there are of each kind, fastest first; empty where there is one kind, or one does not tell."""
    levels = _known(kernel.number, "hw.nperflevels") or 0
    if not 1 < levels <= MOST_LEVELS:
        return {}
    kinds = {}
    for level in range(levels):
        name = _known(kernel.text, f"hw.perflevel{level}.name")
        if name is None and levels == len(KINDS_OF_TWO):
            name = KINDS_OF_TWO[level]
        count = _known(kernel.number, f"hw.perflevel{level}.physicalcpu")
        if name is None or count is None:
            return {}
        kinds[name.lower()] = count
    return kinds
