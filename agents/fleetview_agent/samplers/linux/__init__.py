"""Reads a Linux machine: the kernel's files, and whatever its GPU is read by."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from fleetview_agent.samplers.aside import aside
from fleetview_agent.samplers.linux import machine, memory, proc, sensors
from fleetview_agent.samplers.linux.amd import amd_probe
from fleetview_agent.samplers.linux.files import Files, word
from fleetview_agent.samplers.linux.gpus import GpuIdentity
from fleetview_agent.samplers.linux.jetson import jetson_probe, tegrastats_path
from fleetview_agent.samplers.linux.machine import BOARD
from fleetview_agent.samplers.linux.nvidia import nvidia_probe
from fleetview_agent.samplers.probing import Probe, ProbedSampler, Watch

NO_GPU = "no GPU that can be read was found"
GPU_FIELDS = (
    "gpu_ratio",
    "gpu_memory_used_bytes",
    "gpu_memory_limit_bytes",
    "gpu_celsius",
    "gpu_hertz",
    "gpu_watts",
)
MISSING = {
    **dict.fromkeys(GPU_FIELDS, NO_GPU),
    "gpu_memory_allocated_bytes": "only Apple's driver tells what is allocated apart from what is in use",
    "power_watts": "no meter that can be read was found",
    "thermal_state": "only macOS tells how much a machine holds back because of heat",
}


def build_sampler(root: Path = Path("/"), watch: Watch | None = None) -> ProbedSampler:
    """The sampler for the machine whose system lies below `root`."""
    files = Files(root)
    total = memory.memory_bytes(files)
    identity, gpu_probes = _gpus(root, total)
    probes = (
        proc.cpu_probe(files),
        memory.memory_probe(files, total),
        memory.pressure_probe(files, total),
        memory.swap_probe(files),
        proc.swap_rate_probe(files),
        proc.uptime_probe(files),
        aside(sensors.sensors_probe(root)),
        *gpu_probes,
    )
    return ProbedSampler(machine.describe(files, total, identity), probes, MISSING, watch, partial(_sought, root))


def _gpus(root: Path, total: int) -> tuple[GpuIdentity | None, tuple[Probe, ...]]:
    """The GPUs, and what reads them. Only one maker's are shown: figures of different cards would be mixed."""
    nvidia = nvidia_probe(total, root)
    jetson = jetson_probe(partial(_tegrastats, root))
    if nvidia is not None or jetson is not None:
        probe, identity = nvidia or (None, None)
        if identity is None and jetson is not None:
            identity = GpuIdentity(word(root / BOARD) or "NVIDIA Jetson", unified=True)
        return identity, tuple(one for one in (probe, jetson) if one is not None)
    if (amd := amd_probe(root)) is not None:
        return amd[1], (aside(amd[0]),)
    return None, ()


def _sought(root: Path) -> Mapping[str, str | None]:
    """What GPUs are read by, and its version where that is told."""
    from importlib.metadata import PackageNotFoundError, version  # the self-test alone needs it

    try:
        package = version("nvidia-ml-py")
    except PackageNotFoundError:
        package = None
    return {
        "NVIDIA's driver": word(root / "sys/module/nvidia/version"),
        "nvidia-ml-py": package,
        "AMD's driver, amdgpu": "loaded" if (root / "sys/module/amdgpu").exists() else None,
        "tegrastats": "installed" if _tegrastats(root) else None,
    }


def _tegrastats(root: Path) -> str | None:
    """The program that tells a Jetson's figures; none of ours for a system that does not run here."""
    if root == Path("/"):
        return tegrastats_path()
    return shutil.which("tegrastats", path=str(root / "usr/bin"))
