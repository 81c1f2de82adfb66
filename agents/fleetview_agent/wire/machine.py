"""The machine: what it is, and one reading of its counters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from fleetview_agent.wire.base import Wire

Pressure = Literal["normal", "warning", "critical"]
ThermalState = Literal["nominal", "moderate", "heavy", "trapping", "sleeping"]
"""How much a Mac holds back because of heat, by the system's own words."""
PowerCovers = Literal["system", "chip", "gpu"]
"""What a figure of power is of: all of the machine; processor, GPU and their memory; or its GPUs alone."""


class Machine(Wire):
    """What does not change while the agent runs."""

    hostname: str
    user: str
    """The account that the agent runs as."""
    platform: Literal["darwin", "linux"]
    system: str
    """Name and version of the operating system, for people."""
    model: str | None = None
    """What its maker calls the machine, such as Mac14,6."""
    chip: str | None = None
    cpu_cores: int
    cpu_core_kinds: Mapping[str, int] = {}
    """Kind of core → how many, fastest first; empty where all are alike, or nobody tells."""
    memory_bytes: int
    virtual: bool = False
    """Whether the system says that it runs in a virtual machine."""
    gpu: str | None = None
    """Name of the GPU; None where there is none that we can see."""
    gpu_count: int = 1
    """How many GPUs of that name there are; means nothing without `gpu`."""
    gpu_cores: int | None = None
    unified_memory: bool = False
    """Whether the GPU's memory is the machine's."""
    memory_bytes_per_second: float | None = None
    """Bandwidth of the memory that models are read from, by its maker; None for a chip that we do not know."""
    agent_version: str
    simulated: bool = False
    """True where the figures are made up, as in a demonstration."""
    sources: Mapping[str, str] = {}
    """Field of `Sample` → where it is read, if nothing is in the way."""


class Gpu(Wire):
    """One of several GPUs, or of the instances into which one is divided. Its figures are as in `Sample`."""

    name: str
    ratio: float | None = None
    memory_used_bytes: int | None = None
    memory_limit_bytes: int | None = None
    celsius: float | None = None
    watts: float | None = None
    reasons: Mapping[str, str] = {}
    """Field without a value → why."""


class Traffic(Wire):
    """What one resident model is doing for its clients just now."""

    backend: str
    model: str
    in_flight: int
    """Requests being answered."""
    queued: int = 0
    """Requests waiting for their turn."""
    prompt_progress: float | None = None
    """Share of the prompt that is read; None while no prompt is being read."""
    prompt_tokens_per_second: float | None = None
    """Uncached prompt tokens; None while no prompt is being read."""
    generation_tokens_per_second: float | None = None
    """Zero is measured: the model is idle. None: not known yet."""
    source: str | None = None
    """Where the rates are read, where it is not the agent that counts."""


class Sample(Wire):
    """One reading of the machine's counters. A field without a value has its reason in `reasons`."""

    at: float
    interval_seconds: float | None = None
    """Measured time since the reading before; None for the first."""
    cpu_ratio: float | None = None
    cpu_celsius: float | None = None
    memory_used_bytes: int | None = None
    memory_available_bytes: int | None = None
    pressure: Pressure | None = None
    pressure_evidence: str | None = None
    """The platform's own figures behind `pressure`, for people."""
    swap_used_bytes: int | None = None
    swap_bytes_per_second: float | None = None
    """Into and out of swap."""
    gpu_ratio: float | None = None
    """Share of the time in which the GPU was busy; of several, the mean."""
    gpu_memory_used_bytes: int | None = None
    """In use; of several GPUs, the sum."""
    gpu_memory_allocated_bytes: int | None = None
    """What programs have asked for, resident or not; it may be more than there is."""
    gpu_memory_limit_bytes: int | None = None
    """The most that the GPU can have."""
    gpu_memory_limit_inferred: bool = False
    """True where the limit is concluded from the size of the memory, and so is "about"."""
    gpu_celsius: float | None = None
    """Of the hottest place, and of several GPUs the hottest; where the source tells a mean of its sensors, that."""
    gpu_hertz: float | None = None
    gpu_watts: float | None = None
    power_watts: float | None = None
    power_covers: PowerCovers | None = None
    """What `power_watts` is of."""
    thermal_state: ThermalState | None = None
    fans_rpm: tuple[float, ...] | None = None
    """Empty: the machine has no fan. Zero: it stands still."""
    uptime_seconds: float | None = None
    gpus: tuple[Gpu, ...] = ()
    """Each by itself, where there are several; else empty."""
    sources: Mapping[str, str] = {}
    """Field → where it was read, where that is not what `Machine.sources` says."""
    reasons: Mapping[str, str] = {}
    """Field without a value → why."""
    traffic: tuple[Traffic, ...] = ()
