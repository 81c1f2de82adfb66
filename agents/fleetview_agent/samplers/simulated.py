"""A machine that is made up: the same waves each time, for demonstrations and tests."""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Callable

from fleetview_agent import __version__
from fleetview_agent.samplers.chips import memory_bytes_per_second
from fleetview_agent.wire import Machine, Sample

GIB = 1 << 30
MEMORY_BYTES = 192 * GIB
GPU_LIMIT_BYTES = 144 * GIB
UPTIME_SECONDS = 86_400.0


class SimulatedSampler:
    """The figures of a Mac with an M2 Ultra, which follow from its name and how often it was read."""

    def __init__(self, name: str = "simulated", clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._read_at: float | None = None
        self._tick = 0
        self._phase = zlib.crc32(name.encode()) % 360
        self._machine = Machine(
            hostname=name,
            user="demo",
            platform="darwin",
            system="macOS 15.6 (simulated)",
            model="Mac14,14",
            chip="Apple M2 Ultra",
            cpu_cores=24,
            cpu_core_kinds={"performance": 16, "efficiency": 8},
            memory_bytes=MEMORY_BYTES,
            gpu="Apple M2 Ultra",
            gpu_cores=76,
            unified_memory=True,
            memory_bytes_per_second=memory_bytes_per_second("Apple M2 Ultra", 76, None),
            agent_version=__version__,
            simulated=True,
            sources=dict.fromkeys(Sample.model_fields, "made up"),
        )

    @property
    def machine(self) -> Machine:
        """What does not change."""
        return self._machine

    def read(self) -> Sample:
        """The next point of every wave."""
        now = self._clock()
        before, self._read_at = self._read_at, now
        tick, self._tick = self._tick, self._tick + 1
        busy = self._wave(20, 0.1, 0.9)
        memory_used = int(self._wave(90, 70, 90) * GIB)
        gpu_used = int(self._wave(60, 36, 44) * GIB)
        return Sample(
            at=now,
            interval_seconds=None if before is None else now - before,
            cpu_ratio=(cpu := self._wave(35, 0.05, 0.3)),
            cpu_celsius=40 + 40 * cpu,
            memory_used_bytes=memory_used,
            memory_available_bytes=MEMORY_BYTES - memory_used,
            pressure="normal",
            pressure_evidence="made up",
            swap_used_bytes=0,
            swap_bytes_per_second=0.0,
            gpu_ratio=busy,
            gpu_memory_used_bytes=gpu_used,
            gpu_memory_allocated_bytes=gpu_used + 2 * GIB,
            gpu_memory_limit_bytes=GPU_LIMIT_BYTES,
            gpu_celsius=45 + 30 * busy,
            gpu_hertz=444e6 + 954e6 * busy,
            gpu_watts=2 + 118 * busy,
            power_watts=35 + 150 * busy,
            power_covers="system",
            thermal_state="nominal",
            fans_rpm=(1100 + 900 * busy, 1105 + 900 * busy),
            uptime_seconds=UPTIME_SECONDS + tick,
        )

    def close(self) -> None:
        """Nothing was opened."""

    def _wave(self, period: float, low: float, high: float) -> float:
        """Where a wave between two values is at this tick."""
        angle = 2 * math.pi * (self._tick / period) + math.radians(self._phase)
        return low + (high - low) * (1 + math.sin(angle)) / 2
