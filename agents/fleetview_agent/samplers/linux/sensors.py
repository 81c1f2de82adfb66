"""How hot the processor is and how fast the fans turn, by the kernel's sensors."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fleetview_agent.samplers.limits import FASTEST_RPM
from fleetview_agent.samplers.linux.files import number, word
from fleetview_agent.samplers.probing import Moment, Probe, Reading

PROCESSORS: Mapping[str, tuple[str, ...]] = {
    "coretemp": ("package id",),
    "k10temp": ("tdie", "tctl", ""),
    "zenpower": ("tdie", "tctl"),
    "cpu_thermal": ("",),
}
"""Sensor chips of processors → how the labels begin of what is the processor as a whole, the best first: Tctl is Tdie
with what the fan's controller adds on some models, and before Zen there are no labels."""
ZONES = ("x86_pkg_temp", "cpu", "bigcore", "littlecore", "soc-thermal", "soc_thermal")
"""How the types begin of thermal zones that are of the processor; what the firmware calls acpitz may be anywhere."""
GPUS = ("amdgpu", "radeon", "nouveau", "nvidia", "xe", "i915")
"""Sensor chips of graphics cards, whose fans cool no machine."""
LOOK_AGAIN_SECONDS = 60.0
"""After how long sensors that were not there are looked for again; their driver may have come since."""
NO_SENSOR = "no sensor of the processor was found"
NO_FAN = "no fan that can be read was found"


@dataclass(frozen=True)
class _Found:
    """The files to read."""

    heat: tuple[Path, ...]
    fans: tuple[Path, ...]


def sensors_probe(root: Path) -> Probe:
    """Temperature of the processor, and the fans."""
    sources = {
        "cpu_celsius": "/sys/class/hwmon, else /sys/class/thermal, the hottest of what is the whole processor",
        "fans_rpm": "/sys/class/hwmon, fan*_input (0 also for a fan that is not plugged in)",
    }
    return Probe("hwmon", sources, _Sensors(root).read)


class _Sensors:
    """Knows the files of the sensors; they are numbered anew whenever a driver is loaded again."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._found = _Found((), ())
        self._look_at = -math.inf

    def read(self, moment: Moment) -> Reading:
        """Whatever there is; each sensor that fails is left out."""
        if moment.seconds >= self._look_at and not (self._found.heat and self._found.fans):
            self._look(moment)
        try:
            heat, fans = self._figures()
        except FileNotFoundError:
            self._look(moment)
            try:
                heat, fans = self._figures()
            except FileNotFoundError:  # they are on the move just now
                heat, fans = (), ()
        values: dict[str, object] = {}
        reasons: dict[str, str] = {}
        if heat:
            values["cpu_celsius"] = max(heat) / 1000
        else:
            reasons["cpu_celsius"] = "the processor's sensor gives no figure" if self._found.heat else NO_SENSOR
        if turning := tuple(float(fan) for fan in fans if 0 <= fan <= FASTEST_RPM):
            values["fans_rpm"] = turning
        else:
            reasons["fans_rpm"] = "the fans give no figure" if self._found.fans else NO_FAN
        return Reading(values, reasons)

    def _look(self, moment: Moment) -> None:
        """Find the sensors."""
        self._found = _find(self._root)
        self._look_at = moment.seconds + LOOK_AGAIN_SECONDS

    def _figures(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Thousandths of degrees, and turns a minute. Raises FileNotFoundError where a sensor went."""
        return tuple(_numbers(self._found.heat)), tuple(_numbers(self._found.fans))


def _numbers(files: tuple[Path, ...]) -> Iterator[int]:
    """What the files hold, without those that fail. Raises FileNotFoundError."""
    for file in files:
        try:
            yield number(file)
        except FileNotFoundError:
            raise
        except (OSError, ValueError):  # ENODATA of a sensor that is not connected, EAGAIN of one that is asleep
            continue


def _find(root: Path) -> _Found:
    """Look through all sensors."""
    chips = [(word(chip / "name") or "", chip) for chip in sorted((root / "sys/class/hwmon").glob("hwmon*"))]
    heat = [file for name, chip in chips for file in _of_processor(name, chip)]
    fans = [file for name, chip in chips if name not in GPUS for file in sorted(chip.glob("fan*_input"))]
    return _Found(tuple(heat or _zones(root)), tuple(fans))


def _of_processor(name: str, chip: Path) -> list[Path]:
    """The files of the best kind of figure that a processor's sensor chip has; none of another chip."""
    for beginning in PROCESSORS.get(name, ()):
        inputs = sorted(chip.glob("temp*_input"))
        labels = [(word(file.with_name(file.name.replace("_input", "_label"))) or "").lower() for file in inputs]
        if found := [file for file, label in zip(inputs, labels, strict=True) if label.startswith(beginning)]:
            return found
    return []


def _zones(root: Path) -> list[Path]:
    """The thermal zones of the processor."""
    zones = sorted((root / "sys/class/thermal").glob("thermal_zone*"))
    return [zone / "temp" for zone in zones if (word(zone / "type") or "").lower().startswith(ZONES)]
