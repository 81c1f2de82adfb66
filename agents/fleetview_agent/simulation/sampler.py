"""Reads a made-up machine: what is in memory and who is answered decides the figures."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from fleetview_agent.backends.simulated import shares
from fleetview_agent.simulation.machines import GIB, MachineSpec
from fleetview_agent.wire import Machine, Pressure, Sample, ThermalState

GPU_LIMIT_SHARE = 0.75
"""Of the memory: what macOS gives its GPU."""
SYSTEM_BYTES = 9 * GIB
SWELL_SECONDS = 420.0
SWELL_SHARE = 0.86
"""Of the memory that models leave: how much the other programs of a machine that swells take at most."""
WARNING_SHARE, CRITICAL_SHARE = 0.16, 0.09
"""Of the memory that must be available."""
SWAPPED_SHARE = 0.2
"""Of what is missing until the pressure is normal again: how much goes to swap."""
WARMTH_SECONDS = 45.0
AMBIENT_CELSIUS, HEATING_CELSIUS = 38.0, 52.0
THERMAL: tuple[tuple[float, ThermalState], ...] = ((93.0, "heavy"), (84.0, "moderate"))
BOOTED_SECONDS = 11 * 86_400.0
GPU_HERTZ = (444e6, 1398e6)


@dataclass(frozen=True)
class Doing:
    """What the engines of a machine do just now."""

    memory_bytes: int
    busy_share: float


class MadeUpSampler:
    """The figures of one machine. `now` counts the seconds of the made-up day, `wall` those since 1970."""

    def __init__(
        self,
        spec: MachineSpec,
        seed: str,
        doing: Callable[[], Doing],
        now: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._spec = spec
        self._seed = seed
        self._doing = doing
        self._now = now
        self._wall = wall
        self._read_at: float | None = None
        self._warmth = 0.0
        self._machine = spec.machine()
        self._phases = phases_of(spec, seed)

    @property
    def machine(self) -> Machine:
        """What does not change."""
        return self._machine

    def read(self) -> Sample:
        """The machine now."""
        doing, now, wall = self._doing(), self._now(), self._wall()
        interval = None if self._read_at is None else max(0.0, now - self._read_at)
        self._read_at = now
        busy = self._busy(doing, now)
        aim = 1 - math.exp(-(interval or 3600.0) / WARMTH_SECONDS)
        self._warmth += (busy - self._warmth) * aim
        return figures(self._spec, doing, Moment(now, wall, interval, busy, self._warmth, self._phases))

    def close(self) -> None:
        """Nothing was opened."""

    def _busy(self, doing: Doing, now: float) -> float:
        """The share of the time in which the GPU has something to do."""
        quiver = 0.5 + 0.5 * math.sin(now * 0.9 + self._phases[0]) * math.sin(now * 0.37 + self._phases[1])
        idle = 0.012 + 0.02 * quiver
        return min(1.0, max(idle, doing.busy_share * (0.97 + 0.06 * quiver)))


@dataclass(frozen=True)
class Moment:
    """When a machine is read, and how it is by then."""

    now: float
    wall: float
    interval: float | None
    busy: float
    warmth: float
    """How busy it was of late."""
    phases: tuple[float, ...]


def phases_of(spec: MachineSpec, seed: str) -> tuple[float, ...]:
    """Where the waves of a machine begin."""
    return tuple(2 * math.pi * share for share in shares(f"{seed}/{spec.name}"))


def figures(spec: MachineSpec, doing: Doing, at: Moment) -> Sample:
    """One reading."""
    total = spec.chip.memory_gib * GIB
    limit = int(total * GPU_LIMIT_SHARE)
    used = min(total - GIB, SYSTEM_BYTES + doing.memory_bytes + _others(spec, doing.memory_bytes, at))
    available = total - used
    short = max(0.0, WARNING_SHARE * total - available) * SWAPPED_SHARE
    gpu_used = int(0.6 * GIB + 0.3 * GIB * at.warmth) + doing.memory_bytes
    celsius = AMBIENT_CELSIUS + HEATING_CELSIUS * at.warmth * (1.12 if spec.chip.has_battery else 0.9)
    gpu_watts = 0.4 + spec.chip.gpu_watts * at.busy
    cpu = 0.03 + 0.05 * at.busy + 0.03 * (1 + math.sin(at.now / 17 + at.phases[2]))
    return Sample(
        at=at.wall,
        interval_seconds=at.interval,
        cpu_ratio=cpu,
        cpu_celsius=celsius - 4 + 20 * cpu,
        memory_used_bytes=used,
        memory_available_bytes=available,
        pressure=_pressure(available / total),
        pressure_evidence=f"{available / GIB:.1f} of {total // GIB}G available (made up)",
        swap_used_bytes=int(short),
        swap_bytes_per_second=short * 0.004 * (1 + math.sin(at.now / 5)) if short else 0.0,
        gpu_ratio=at.busy,
        gpu_memory_used_bytes=gpu_used,
        gpu_memory_allocated_bytes=gpu_used + 2 * GIB,
        gpu_memory_limit_bytes=limit,
        gpu_celsius=celsius,
        gpu_hertz=GPU_HERTZ[0] + (GPU_HERTZ[1] - GPU_HERTZ[0]) * at.busy,
        gpu_watts=gpu_watts,
        power_watts=spec.chip.idle_watts + gpu_watts + 60 * cpu,
        power_covers="system",
        thermal_state=next((state for least, state in THERMAL if celsius >= least), "nominal"),
        fans_rpm=tuple(1000 + step + 2600 * max(0.0, at.warmth - 0.35) for step in (0, 7)),
        uptime_seconds=BOOTED_SECONDS + at.now,
    )


def _others(spec: MachineSpec, models_bytes: int, at: Moment) -> int:
    """What other programs hold."""
    calm = (4 + math.sin(at.now / 90 + at.phases[3])) * GIB
    if not spec.swells:
        return int(calm)
    rise = max(0.0, math.sin(2 * math.pi * at.now / SWELL_SECONDS + at.phases[4])) ** 1.5
    left = max(0, spec.chip.memory_gib * GIB - SYSTEM_BYTES - models_bytes)
    return int(calm + (SWELL_SHARE + 0.05) * left * rise)


def _pressure(available_share: float) -> Pressure:
    """How short the memory is."""
    if available_share < CRITICAL_SHARE:
        return "critical"
    return "warning" if available_share < WARNING_SHARE else "normal"
