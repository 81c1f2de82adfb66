"""What a Linux machine is: read once, and nothing that tells one of its kind from another."""

from __future__ import annotations

import os
import platform
import socket

from fleetview_agent import __version__
from fleetview_agent.samplers.account import user_name
from fleetview_agent.samplers.chips import memory_bytes_per_second
from fleetview_agent.samplers.linux.files import Files, word
from fleetview_agent.samplers.linux.gpus import GpuIdentity
from fleetview_agent.wire import Machine

BOARD = "proc/device-tree/model"
NOT_NAMED = ("to be filled", "system product name", "default string", "not specified", "o.e.m.", "none", "unknown")
"""What the makers of boards leave where the name of a machine should be."""


def describe(files: Files, total: int, gpu: GpuIdentity | None) -> Machine:
    """The machine with so much memory, and its GPU as that's driver describes it."""
    chip = _chip(files)
    name, cores = (gpu.name, gpu.cores) if gpu else (None, None)
    return Machine(
        hostname=socket.gethostname(),
        user=user_name(),
        platform="linux",
        system=_system(files),
        model=_model(files),
        chip=chip,
        cpu_cores=os.cpu_count() or 1,
        cpu_core_kinds=_core_kinds(files),
        memory_bytes=total,
        virtual=_virtual(files),
        gpu=name,
        gpu_count=gpu.count if gpu else 1,
        gpu_cores=cores,
        unified_memory=gpu is not None and gpu.unified,
        memory_bytes_per_second=memory_bytes_per_second(chip, cores, name),
        agent_version=__version__,
    )


def _system(files: Files) -> str:
    """Name and version of the distribution."""
    try:
        rows = dict(line.split("=", 1) for line in files.text("etc/os-release").splitlines() if "=" in line)
        return rows["PRETTY_NAME"].strip("\"'")
    except (OSError, LookupError):
        return f"{platform.system()} {platform.release()}"


def _model(files: Files) -> str | None:
    """What its maker calls it, by its firmware; a board's own name, where it has no such firmware."""
    for path in ("sys/class/dmi/id/product_name", BOARD):
        name = word(files.root / path)
        if name and not name.lower().startswith(NOT_NAMED):
            return name
    return None


def _chip(files: Files) -> str | None:
    """Name of the processor; of the board where the processor has none, as with most of arm64."""
    try:
        rows = [line.partition(":") for line in files.text("proc/cpuinfo").splitlines()]
    except OSError:
        rows = []
    named = next((value.strip() for key, _, value in rows if key.strip() == "model name"), None)
    return named or word(files.root / BOARD) or platform.machine() or None


def _virtual(files: Files) -> bool:
    """Whether the system says that something runs it."""
    try:
        rows = (line.partition(":") for line in files.text("proc/cpuinfo").splitlines())
        flagged = any(key.strip() == "flags" and "hypervisor" in value.split() for key, _, value in rows)
    except OSError:
        flagged = False
    return flagged or word(files.root / "sys/hypervisor/type") is not None


def _core_kinds(files: Files) -> dict[str, int]:
    """Where an Intel processor has two kinds of core, how many of each can run at once."""
    kinds = {"performance": "sys/devices/cpu_core/cpus", "efficiency": "sys/devices/cpu_atom/cpus"}
    counts = {kind: _count(word(files.root / path) or "") for kind, path in kinds.items()}
    return counts if all(counts.values()) else {}


def _count(ranges: str) -> int:
    """How many numbers there are in, for example, `0-7,16`; none in what is not like that."""
    try:
        ends = [[int(end) for end in part.split("-")] for part in ranges.split(",")]
    except ValueError:
        return 0
    return sum(max(0, end[-1] - end[0] + 1) for end in ends)
