"""What the figures of a sample are called, where they were read, and why some are not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fleetview_agent.wire import Gpu, Machine, Sample

LABELS: Mapping[str, str] = {
    "gpu_ratio": "GPU load",
    "cpu_ratio": "CPU load",
    "memory_used_bytes": "memory",
    "memory_available_bytes": "available memory",
    "pressure": "memory pressure",
    "swap_used_bytes": "swap",
    "swap_bytes_per_second": "swapping",
    "gpu_memory_used_bytes": "GPU memory",
    "gpu_memory_allocated_bytes": "allocated GPU memory",
    "gpu_memory_limit_bytes": "GPU memory limit",
    "gpu_celsius": "GPU heat",
    "cpu_celsius": "CPU heat",
    "thermal_state": "thermal state",
    "fans_rpm": "fans",
    "power_watts": "power",
    "gpu_watts": "GPU power",
    "gpu_hertz": "GPU clock",
    "uptime_seconds": "uptime",
}
"""Field of `Sample` → what people call it."""
MISSED = frozenset(("GPU load", "CPU load", "memory", "swapping", "GPU memory", "GPU heat", "power"))
"""What has a chart, and so leaves a hole where it is not known."""
OF_A_GPU: Mapping[str, str] = {
    "ratio": "load",
    "memory_used_bytes": "memory",
    "memory_limit_bytes": "memory limit",
    "celsius": "heat",
    "watts": "power",
}
"""The same for the fields of `Gpu`."""
UNTOLD = "its agent does not tell"
Groups = Mapping[str, tuple[str, ...]]


def absent(read: Sample | Gpu, labels: Mapping[str, str] = LABELS) -> Groups:
    """Why figures are not there, each reason once → what people call those figures."""
    missing = (name for name in labels if getattr(read, name) is None)
    return _grouped((read.reasons.get(name, UNTOLD), labels[name]) for name in missing)


def absent_of_gpus(sample: Sample) -> Groups:
    """The same for each GPU where there are several, with whose figures those are."""
    owners: dict[tuple[str, tuple[str, ...]], tuple[int, ...]] = {}
    for number, gpu in enumerate(sample.gpus):
        for group in absent(gpu, OF_A_GPU).items():
            owners[group] = (*owners.get(group, ()), number)
    return _grouped(
        (reason, f"{', '.join(labels)} of {_gpus(numbers, len(sample.gpus))}")
        for (reason, labels), numbers in owners.items()
    )


def _gpus(numbers: tuple[int, ...], count: int) -> str:
    """Which of them."""
    if len(numbers) == count > 1:
        return "each GPU"
    return f"{'GPU' if len(numbers) == 1 else 'GPUs'} {', '.join(map(str, numbers))}"


def missed(sample: Sample) -> Groups:
    """The reasons for which a chart is not there, with all that they are the reasons for."""
    return {reason: names for reason, names in absent(sample).items() if MISSED & set(names)}


def lacking(sample: Sample) -> Groups:
    """The other reasons: what most machines cannot tell."""
    return {reason: names for reason, names in absent(sample).items() if not MISSED & set(names)}


def sources(machine: Machine, sample: Sample) -> Groups:
    """Where the figures that are there were read, each place once → what people call those figures."""
    where = {**machine.sources, **sample.sources}
    there = (name for name in LABELS if name in where and getattr(sample, name) is not None)
    return _grouped((where[name], LABELS[name]) for name in there)


def _grouped(pairs: Iterable[tuple[str, str]]) -> Groups:
    """What belongs to the same text, together, in its order."""
    groups: dict[str, tuple[str, ...]] = {}
    for text, label in pairs:
        groups[text] = (*groups.get(text, ()), label)
    return groups
