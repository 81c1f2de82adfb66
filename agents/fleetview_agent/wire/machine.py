"""The machine: what it is, and one reading of its counters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from fleetview_agent.wire.base import Wire

Pressure = Literal["normal", "warning", "critical"]


class Machine(Wire):
    """What does not change while the agent runs."""

    hostname: str
    user: str
    """The account that the agent runs as."""
    platform: Literal["darwin", "linux"]
    system: str
    """Name and version of the operating system, for people."""
    chip: str | None = None
    cpu_cores: int
    memory_bytes: int
    gpu: str | None = None
    """Name of the GPU; None where there is none that we can see."""
    gpu_cores: int | None = None
    unified_memory: bool = False
    """Whether the GPU's memory is the machine's."""
    memory_bytes_per_second: float | None = None
    """Bandwidth of the memory that models are read from, by its maker; None for a chip that we do not know."""
    agent_version: str
    simulated: bool = False
    """True where the figures are made up, as in a demonstration."""
    sources: Mapping[str, str] = {}
    """Field of `Sample` → where it is read."""


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
    memory_used_bytes: int | None = None
    memory_available_bytes: int | None = None
    pressure: Pressure | None = None
    pressure_evidence: str | None = None
    """The platform's own figures behind `pressure`, for people."""
    swap_used_bytes: int | None = None
    swap_bytes_per_second: float | None = None
    """Into and out of swap."""
    gpu_ratio: float | None = None
    gpu_memory_used_bytes: int | None = None
    gpu_memory_allocated_bytes: int | None = None
    gpu_memory_limit_bytes: int | None = None
    gpu_celsius: float | None = None
    power_watts: float | None = None
    uptime_seconds: float | None = None
    reasons: Mapping[str, str] = {}
    """Field without a value → why."""
    traffic: tuple[Traffic, ...] = ()
