"""NVIDIA's GPUs: what each tells by NVML, over every life of the driver; see `nvml` for the library itself."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleetview_agent.samplers.aside import Aside, aside
from fleetview_agent.samplers.linux.gpus import MEMORY, RULES, GpuFigures, GpuIdentity, combined
from fleetview_agent.samplers.linux.nvml import Lost, NotSupported, Nvml, Untold, installed, libraries, start
from fleetview_agent.samplers.probing import Absent, Moment, Probe, Reading, Unreadable

REST_SECONDS = 5.0
STARTING_SECONDS = 5.0
"""How long the driver may take to say what the GPUs are; where nothing kept it in memory, it has to start them."""
LOOK_AGAIN_SECONDS = 60.0
"""After which the driver is started anew while one GPU of several is lost."""
MOST_GPUS, MOST_INSTANCES = 256, 64
"""More than there can be: what a broken driver counts beyond is not looked for."""
TEMPERATURE_GPU, CLOCK_SM, MEMORY_V2 = 0, 1, 0x02000028
"""Of NVML's binary interface. The second version of memory does not count as used what the driver keeps for itself."""
JETSON = re.compile(r"\b(Thor|Orin|Xavier)\b")
SHARED = re.compile(rf"\bGB10\b|{JETSON.pattern}")
"""GPUs that have the machine's memory, of which some tell a size of their own that means nothing."""
LEFT = "the GPU of a Jetson has the machine's memory, and NVML does not tell its part"
DIVIDED = "NVML tells no utilisation while a GPU is divided by MIG"
UNDIVIDED = "MIG is on and no instance is made, so nothing can run on this GPU"
OF_ALL = "it is measured for the whole GPU, not for an instance"
HIDDEN = "NVML tells this GPU's memory by program alone, and programs outside this container are hidden"
SOURCES: Mapping[str, str] = {
    "gpu_ratio": "NVML, nvmlDeviceGetUtilizationRates",
    "gpu_memory_used_bytes": "NVML, nvmlDeviceGetMemoryInfo, used",
    "gpu_memory_limit_bytes": "NVML, nvmlDeviceGetMemoryInfo, total",
    "gpu_celsius": "NVML, nvmlDeviceGetTemperature",
    "gpu_hertz": "NVML, nvmlDeviceGetClockInfo, multiprocessors",
    "gpu_watts": "NVML, nvmlDeviceGetPowerUsage",
    "power_watts": "NVML, nvmlDeviceGetPowerUsage",
    "fans_rpm": "NVML, nvmlDeviceGetFanSpeedRPM",
}
SOURCES_OF_SHARED: Mapping[str, str] = {
    "gpu_memory_used_bytes": "NVML, sum over programs",
    "gpu_memory_limit_bytes": "the machine's memory, which is the GPU's too",
}


@dataclass(frozen=True)
class _Device:
    """One GPU in one life of the driver."""

    name: str
    handle: Any = None  # an opaque pointer of ctypes
    shares_memory: bool = False
    problem: str | None = None
    """Why there is no handle."""


def nvidia_probe(
    memory_bytes: int, root: Path = Path("/"), names: Sequence[str] | None = None
) -> tuple[Probe, GpuIdentity | None] | None:
    """The probe, and what the GPUs are if the driver runs now; None where nothing speaks of NVIDIA.

    `names`: under which NVML's library is looked for.
    """
    names = libraries(root) if names is None else names
    if not installed(root, names):
        return None
    contained = any((root / mark).exists() for mark in (".dockerenv", "run/.containerenv"))
    gpus = _Gpus(names, memory_bytes, contained=contained)
    thread = Aside("NVIDIA's driver")
    try:
        identity = thread.ask(gpus.identity, STARTING_SECONDS)
    except Unreadable:
        identity = None
    shared = identity is not None and identity.unified
    sources = {**SOURCES, **SOURCES_OF_SHARED} if shared else SOURCES
    probe = Probe("nvml", sources, gpus.read, gpus.close, rest_seconds=REST_SECONDS)
    return aside(probe, thread), identity


class _Gpus:
    """All NVIDIA GPUs of the machine, whose driver may go and come back."""

    def __init__(self, names: Sequence[str], memory_bytes: int, *, contained: bool) -> None:
        self._names = names
        self._memory_bytes = memory_bytes
        self._contained = contained
        self._nvml: Nvml | None = None
        self._devices: tuple[_Device, ...] = ()
        self._look_again_at = math.inf

    def identity(self) -> GpuIdentity | None:
        """What the GPUs are; None where the driver does not tell now."""
        try:
            nvml = self._nvml or self._open()
        except Unreadable:
            return None
        found = [device for device in self._devices if device.problem is None]
        if not found:
            return None
        ((name, count),) = Counter(device.name for device in found).most_common(1)
        try:
            cores = nvml.ask("nvmlDeviceGetNumGpuCores", next(one.handle for one in found if one.name == name))
        except Unreadable:
            cores = None
        return GpuIdentity(name, count, cores, unified=any(device.shares_memory for device in found))

    def read(self, moment: Moment) -> Reading:
        """What all of them tell now. Raises Absent, after which the driver is started anew."""
        if moment.seconds >= self._look_again_at:
            self.close()
        nvml = self._nvml or self._open()
        figures: list[GpuFigures] = []
        lost: list[str] = []
        for device in self._devices:
            try:
                figures.append(self._figures(nvml, device))
            except Lost as why:
                lost.append(str(why))
                figures.append(GpuFigures(device.name, {}, dict.fromkeys(RULES, str(why))))
            except Absent:
                self.close()
                raise
        if len(lost) == len(figures):
            self.close()
            raise Absent("; ".join(dict.fromkeys(lost)))
        if lost and self._look_again_at == math.inf:
            self._look_again_at = moment.seconds + LOOK_AGAIN_SECONDS
        return combined(figures)

    def close(self) -> None:
        """Shut the library down, if it is up."""
        nvml, self._nvml, self._devices, self._look_again_at = self._nvml, None, (), math.inf
        if nvml is not None:
            nvml.close()

    def _open(self) -> Nvml:
        """Start the library and look for GPUs. Raises Absent."""
        nvml = start(self._names)
        try:
            self._devices = tuple(
                _device(nvml, index) for index in range(min(nvml.ask("nvmlDeviceGetCount"), MOST_GPUS))
            )
            if not self._devices:
                raise Absent("NVIDIA's driver finds no GPU")
        except Unreadable as why:
            nvml.close()
            raise Absent(str(why)) from why
        self._nvml = nvml
        return nvml

    def _figures(self, nvml: Nvml, device: _Device) -> GpuFigures:
        """What one GPU tells. Raises Lost and Absent."""
        if device.problem is not None:
            raise Lost(device.problem)
        handle, notes = device.handle, _Notes()
        notes.take("celsius", lambda: nvml.ask("nvmlDeviceGetTemperature", handle, TEMPERATURE_GPU))
        notes.take("hertz", lambda: nvml.ask("nvmlDeviceGetClockInfo", handle, CLOCK_SM) * 1e6)
        notes.take("watts", lambda: nvml.ask("nvmlDeviceGetPowerUsage", handle) / 1000)
        notes.take("fan_rpm", lambda: nvml.ask("nvmlDeviceGetFanSpeedRPM", handle))
        instances: tuple[GpuFigures, ...] = ()
        if _divided(nvml, handle):
            instances = _instances(nvml, device)
            notes.reasons |= {"ratio": DIVIDED, **dict.fromkeys(MEMORY, UNDIVIDED)}
        else:
            notes.take("ratio", lambda: nvml.ask("nvmlDeviceGetUtilizationRates", handle).gpu / 100)
            if JETSON.search(device.name):
                notes.reasons |= dict.fromkeys(MEMORY, LEFT)
            elif device.shares_memory:
                notes.values["memory_limit_bytes"] = self._memory_bytes
                notes.take("memory_used_bytes", lambda: _used_by_programs(nvml, handle, contained=self._contained))
            else:
                notes.take_memory(nvml, handle)
        return GpuFigures(device.name, notes.values, notes.reasons, instances, limit_inferred=device.shares_memory)


class _Notes:
    """What a GPU told so far, and what it did not."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}
        self.reasons: dict[str, str] = {}

    def take(self, name: str, question: Callable[[], float]) -> None:
        """Ask, and note the answer or why there is none."""
        try:
            self.values[name] = question()
        except Untold as why:
            self.reasons[name] = str(why)

    def take_memory(self, nvml: Nvml, handle: object) -> None:
        """Note what is in use, and all that there is.

        All of it, as `nvidia-smi` and the maker say it: some hundred MiB of it the driver keeps for itself.
        """
        try:
            memory = _memory(nvml, handle)
        except Untold as why:
            self.reasons |= dict.fromkeys(MEMORY, str(why))
        else:
            self.values |= {"memory_used_bytes": memory.used, "memory_limit_bytes": memory.total}


def _device(nvml: Nvml, index: int) -> _Device:
    """The GPU at an index. Raises Absent."""
    try:
        handle = nvml.ask("nvmlDeviceGetHandleByIndex", index)
        name = _name(nvml, handle) or f"NVIDIA GPU {index}"
        return _Device(name, handle, SHARED.search(name) is not None or _has_no_memory(nvml, handle))
    except (Untold, Lost) as why:
        return _Device(f"NVIDIA GPU {index}", problem=str(why))


def _name(nvml: Nvml, handle: object) -> str | None:
    """As the driver says it; None where it does not."""
    try:
        name = nvml.ask("nvmlDeviceGetName", handle)
    except (Untold, UnicodeDecodeError):
        return None
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)  # by version of nvidia-ml-py


def _has_no_memory(nvml: Nvml, handle: object) -> bool:
    """Whether a GPU has no memory of its own."""
    try:
        return bool(_memory(nvml, handle).total == 0)
    except NotSupported:
        return True
    except Untold:
        return False


def _memory(nvml: Nvml, handle: object) -> Any:  # a structure of nvidia-ml-py
    """Total and used; older drivers know only the version that counts as used what they keep for themselves."""
    try:
        return nvml.ask("nvmlDeviceGetMemoryInfo", handle, MEMORY_V2)
    except Untold:
        return nvml.ask("nvmlDeviceGetMemoryInfo", handle)


def _used_by_programs(nvml: Nvml, handle: object, *, contained: bool) -> int:
    """What programs hold, each counted once: one that computes and draws is on both lists."""
    used: dict[int, int] = {}
    for kind in ("Compute", "Graphics"):
        for program in nvml.ask(f"nvmlDeviceGet{kind}RunningProcesses", handle):
            if program.usedGpuMemory is None:
                raise Untold(HIDDEN)
            used[program.pid] = max(used.get(program.pid, 0), program.usedGpuMemory)
    if contained and not used:
        raise Untold(HIDDEN)
    return sum(used.values())


def _divided(nvml: Nvml, handle: object) -> bool:
    """Whether a GPU is divided by MIG just now."""
    try:
        return bool(nvml.ask("nvmlDeviceGetMigMode", handle)[0])
    except Untold:
        return False


def _instances(nvml: Nvml, device: _Device) -> tuple[GpuFigures, ...]:
    """The instances of a divided GPU; numbers between theirs may be free."""
    try:
        slots = nvml.ask("nvmlDeviceGetMaxMigDeviceCount", device.handle)
    except Untold:
        return ()
    found: list[GpuFigures] = []
    for index in range(min(slots, MOST_INSTANCES)):
        try:
            handle = nvml.ask("nvmlDeviceGetMigDeviceHandleByIndex", device.handle, index)
        except Untold:
            continue
        notes = _Notes()
        notes.take_memory(nvml, handle)
        notes.reasons |= {"ratio": DIVIDED, "celsius": OF_ALL, "watts": OF_ALL}
        name = _name(nvml, handle)
        if name is None or name == device.name:
            name = f"{device.name}, instance {index}"
        found.append(GpuFigures(name, notes.values, notes.reasons))
    return tuple(found)
