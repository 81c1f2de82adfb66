"""Reads a Mac: the kernel, the GPU's driver, Metal, and macmon where it is installed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from fleetview_agent.errors import ConfigError
from fleetview_agent.samplers.aside import aside
from fleetview_agent.samplers.macos import limit, memory, processor
from fleetview_agent.samplers.macos.iokit import gpu_identity, iokit_probe
from fleetview_agent.samplers.macos.ioreg import ioreg_probe
from fleetview_agent.samplers.macos.kernel import Kernel
from fleetview_agent.samplers.macos.libraries import Libraries
from fleetview_agent.samplers.macos.machine import Identity, describe, macos_major, profiled_gpu
from fleetview_agent.samplers.macos.macmon import installed_version, macmon_probe
from fleetview_agent.samplers.macos.metal import metal_probe
from fleetview_agent.samplers.macos.thermal import thermal_probe
from fleetview_agent.samplers.probing import Probe, ProbedSampler, Unreadable, Watch
from fleetview_agent.wire import Machine

MISSING = {limit.LIMIT: "Metal tells no limit, and for a virtual machine no rule is known"}


def build_sampler(standin: Path | None = None, watch: Watch | None = None) -> ProbedSampler:
    """The sampler for this Mac, or for what a library says that stands in for its frameworks. Raises ConfigError."""
    libraries = Libraries(standin)
    try:
        kernel = Kernel(libraries.system)
        thermal = thermal_probe(libraries)
        machine = describe(kernel, _gpu(libraries)).model_copy(update={"simulated": standin is not None})
    except (OSError, AttributeError, ValueError, Unreadable) as problem:
        raise ConfigError(
            f"this machine cannot be read as a Mac: {problem}",
            "report this with the version of macOS" if standin is None else f"{standin} has to stand in for macOS",
        ) from problem
    probes = (*_of_kernel(kernel), thermal, *_of_gpu(libraries, kernel, machine), macmon_probe())
    return ProbedSampler(machine, probes, MISSING, watch, lambda: {"macmon": installed_version()})


def _of_kernel(kernel: Kernel) -> Sequence[Probe]:
    """Processor and memory."""
    return (
        processor.cpu_probe(kernel),
        memory.memory_probe(kernel),
        memory.pressure_probe(kernel),
        memory.swap_probe(kernel),
        processor.uptime_probe(kernel),
    )


def _of_gpu(libraries: Libraries, kernel: Kernel, machine: Machine) -> Sequence[Probe]:
    """The GPU's figures, and its limit from the surest source to the least sure."""
    total = machine.memory_bytes
    probes = (
        aside(iokit_probe(libraries)),
        aside(ioreg_probe()),
        limit.wired_probe(kernel, total),
        metal_probe(libraries.standin, total, partial(limit.wired_limit, kernel)),
    )
    if machine.virtual or not machine.unified_memory:
        return probes
    return (*probes, limit.inferred_probe(total, macos_major(kernel)))


def _gpu(libraries: Libraries) -> Identity:
    """The GPU by its driver, else by the report of the real Mac."""
    name, cores = gpu_identity(libraries)
    if libraries.standin is not None or (name is not None and cores is not None):
        return name, cores
    profiled_name, profiled_cores = profiled_gpu()
    return name or profiled_name, cores or profiled_cores
