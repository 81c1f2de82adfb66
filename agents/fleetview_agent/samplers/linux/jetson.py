"""The GPU and the power of a Jetson board, from a long-running `tegrastats`."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence

from fleetview_agent.samplers.probing import Moment, Probe, Reading, Unreadable
from fleetview_agent.samplers.programs import LineProgram

PATIENCE_SECONDS = 5.0
"""How long its first line takes at most, where all is well."""
SHARED_MEMORY = "the GPU uses the machine's memory, and tegrastats does not tell its part"
SOURCES: Mapping[str, str] = {
    "gpu_ratio": "tegrastats, GR3D_FREQ",
    "gpu_hertz": "tegrastats, GR3D_FREQ, the fastest part of the GPU",
    "gpu_celsius": "tegrastats, gpu@",
    "cpu_celsius": "tegrastats, cpu@, the hottest cluster",
    "gpu_watts": "tegrastats, the rail of the GPU alone",
    "power_watts": "tegrastats, the input of the board, else the sum of the chip's rails",
}
_READING = re.compile(r"\bRAM \d+/\d+MB")
_GPU = re.compile(r"\bGR3D_FREQ (?:(\d{1,9})%)?(?:@\[?(\d{1,9}(?:,\d{1,9})*)\]?)?")
_DEGREES = re.compile(r"\b(\w+)@(-?\d{1,9}(?:\.\d+)?)C\b")
_MILLIWATTS = re.compile(r"\b([A-Z][A-Z0-9_]+) (\d{1,9})(?:mW)?/\d+(?:mW)?(?!\w)")
"""A rail, what it draws now, and its mean, which is left out."""
_BOARD_INPUTS = ("VDD_IN", "POM_5V_IN", "VIN")
"""Rails that feed the whole board, by the kinds of boards."""
_GPU_RAILS = ("VDD_SYS_GPU", "VDD_GPU", "POM_5V_GPU", "GPU")
"""Rails that feed the GPU and nothing else."""
_CHIP_RAIL = re.compile(r"(?:(?:VDD|POM_5V)_)?(?:SYS_)?(?:CPU|GPU|SOC|CV|DDR)(?:_\w+)?|VDDR?Q\w*")
"""Rails that feed processor, GPU and memory; others feed radios, slots and what is plugged in."""
_CPU_SENSORS = ("cpu", "mcpu", "bcpu")


def jetson_probe(
    path: Callable[[], str | None] | None = None, clock: Callable[[], float] = time.monotonic
) -> Probe | None:
    """What tegrastats prints; None where there is none. `path`: tells where it is."""
    if (found := (path or tegrastats_path)()) is None:
        return None

    def command(interval: float) -> Sequence[str]:
        return (found, "--interval", f"{interval * 1000:.0f}")

    program = LineProgram("tegrastats", command, clock)

    def read(moment: Moment) -> Reading:
        return parse(program.read(moment))

    return Probe("tegrastats", SOURCES, read, program.close, patience_seconds=PATIENCE_SECONDS)


def parse(line: str) -> Reading:
    """The figures of one line, of whatever board. Raises Unreadable where it is none."""
    if not _READING.search(line):
        raise Unreadable(f"tegrastats printed {line!r:.60}, which is no reading")
    values: dict[str, object] = {}
    if (gpu := _GPU.search(line)) is not None:
        percent, megahertz = gpu.groups()
        if percent is not None:
            values["gpu_ratio"] = int(percent) / 100
        if megahertz is not None:
            values["gpu_hertz"] = max(map(int, megahertz.split(","))) * 1e6
    degrees = [(sensor.lower(), float(told)) for sensor, told in _DEGREES.findall(line)]
    for name, sensors in (("gpu_celsius", ("gpu",)), ("cpu_celsius", _CPU_SENSORS)):
        # A part that is switched off has -256 degrees.
        if warm := [told for sensor, told in degrees if sensor in sensors and told > 0]:
            values[name] = max(warm)
    values |= _power({rail: int(told) / 1000 for rail, told in _MILLIWATTS.findall(line)})
    reasons = {name: f"{where}: not told on this board" for name, where in SOURCES.items() if name not in values}
    return Reading(values, {**reasons, "gpu_memory_used_bytes": SHARED_MEMORY, "gpu_memory_limit_bytes": SHARED_MEMORY})


def _power(watts: Mapping[str, float]) -> dict[str, object]:
    """Of the GPU where it has a rail of its own; of the board, else of the rails that feed the chip."""
    values: dict[str, object] = {}
    if (gpu := next((watts[rail] for rail in _GPU_RAILS if rail in watts), None)) is not None:
        values["gpu_watts"] = gpu
    if (board := next((watts[rail] for rail in _BOARD_INPUTS if rail in watts), None)) is not None:
        return {**values, "power_watts": board, "power_covers": "system"}
    if chip := [drawn for rail, drawn in watts.items() if _CHIP_RAIL.fullmatch(rail)]:
        return {**values, "power_watts": sum(chip), "power_covers": "chip"}
    return values


def tegrastats_path() -> str | None:
    """Where tegrastats is installed."""
    return shutil.which("tegrastats", path=os.pathsep.join(("/usr/bin", os.environ.get("PATH", os.defpath))))
