"""What a figure can be at all: a value beyond that is a mistake of its source."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from fleetview_agent.wire import Machine, Sample

TERABYTE = 1e12
FASTEST_RPM = 100_000
LIMITS: Mapping[str, tuple[float, float]] = {
    "cpu_ratio": (0, 1),
    "cpu_celsius": (0.1, 150),
    "memory_used_bytes": (0, 1024 * TERABYTE),
    "memory_available_bytes": (0, 1024 * TERABYTE),
    "swap_used_bytes": (0, 1024 * TERABYTE),
    "swap_bytes_per_second": (0, TERABYTE),
    "gpu_ratio": (0, 1),
    "gpu_memory_used_bytes": (0, 1024 * TERABYTE),
    "gpu_memory_allocated_bytes": (0, 1024 * TERABYTE),
    "gpu_memory_limit_bytes": (1, 1024 * TERABYTE),
    "gpu_celsius": (0.1, 150),
    "gpu_hertz": (0, 1e11),
    "gpu_watts": (0, 20_000),
    "power_watts": (0, 20_000),
    "uptime_seconds": (0, 1e10),
}
"""Field of `Sample` → its lowest and highest value; of several GPUs, where it is a sum."""
MOST_WATTS = 2_000
"""Of one GPU, and of any Mac."""


def doubt(machine: Machine, name: str, value: object) -> str | None:
    """What is impossible about a value of a field; None where it may be true."""
    if name == "fans_rpm":
        possible = isinstance(value, tuple) and all(_is_within(rpm, 0, FASTEST_RPM) for rpm in value)
    elif name in LIMITS:
        low, high = LIMITS[name]
        if name.startswith("memory_") or (name == "gpu_memory_used_bytes" and machine.unified_memory):
            high = machine.memory_bytes
        if name.endswith("_watts") and machine.platform == "darwin":
            high = MOST_WATTS
        possible = _is_within(value, low, high)
    else:
        try:
            Sample.model_validate({"at": 0.0, name: value})
            possible = True
        except ValidationError:
            possible = False
    return None if possible else f"{value!r:.40}, which cannot be"


def _is_within(value: object, low: float, high: float) -> bool:
    """Whether a value is a number between two others, as a NaN never is."""
    return isinstance(value, int | float) and low <= value <= high
