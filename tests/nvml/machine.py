"""The machine around the library, as tests have it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fleetview_agent.samplers.linux.gpus import GpuIdentity
from fleetview_agent.samplers.linux.nvidia import nvidia_probe
from fleetview_agent.samplers.probing import ProbedSampler
from fleetview_agent.wire import Sample

MIB, GIB = 1 << 20, 1 << 30
MEMORY_BYTES = 128 * GIB
PLAIN = {"total": 24 * GIB, "used": 6 * GIB, "reserved": 400 * MIB, "busy": 40, "celsius": 50, "milliwatts": 150_500}
"""What a GPU tells of which nothing is special."""
Build = Callable[[], ProbedSampler]


class Clock:
    """Stands still until it is set forward."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def identity(root: Path) -> GpuIdentity | None:
    found = nvidia_probe(MEMORY_BYTES, root)
    assert found is not None
    found[0].close()
    return found[1]


def memory(sample: Sample) -> tuple[int | None, int | None]:
    return sample.gpu_memory_used_bytes, sample.gpu_memory_limit_bytes
