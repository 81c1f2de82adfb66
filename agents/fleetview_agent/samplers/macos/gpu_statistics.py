"""What the GPU driver's `PerformanceStatistics` say, however they were fetched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fleetview_agent.samplers.probing import Reading

ACCELERATOR = "IOAccelerator"
"""The class from which every GPU driver inherits."""
STATISTICS = "PerformanceStatistics"
NOT_PUBLISHED = "no GPU driver publishes statistics here (a virtual machine?)"
MOST_BYTES = 2**50


@dataclass(frozen=True)
class Figure:
    """One number among the statistics."""

    key: str
    """The whole of it: `In use system memory` also begins another key."""
    highest: int
    percent: bool = False


FIGURES: Mapping[str, Figure] = {
    "gpu_ratio": Figure("Device Utilization %", 100, percent=True),
    "gpu_memory_used_bytes": Figure("In use system memory", MOST_BYTES),
    "gpu_memory_allocated_bytes": Figure("Alloc system memory", MOST_BYTES),
}
"""Field of `Sample` → where it stands."""


def from_statistics(statistics: Mapping[str, object]) -> Reading:
    """The figures that are there and possible; the others have their reasons."""
    values: dict[str, object] = {}
    reasons: dict[str, str] = {}
    for name, figure in FIGURES.items():
        value = statistics.get(figure.key)
        if value is None:
            reasons[name] = f"the GPU driver does not tell {figure.key!r}"
        elif not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= figure.highest:
            reasons[name] = f"the GPU driver says {value!r:.40} for {figure.key!r}, which cannot be"
        else:
            values[name] = value / 100 if figure.percent else value
    return Reading(values, reasons)
