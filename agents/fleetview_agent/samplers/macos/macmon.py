"""Power, temperature, frequency and fans of a Mac, from a long-running `macmon pipe` where macmon is installed."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

from fleetview_agent.samplers.limits import FASTEST_RPM
from fleetview_agent.samplers.probing import Absent, Moment, Probe, Reading, Unreadable
from fleetview_agent.samplers.programs import LineProgram

FOLDERS = ("/opt/homebrew/bin", "/usr/local/bin", "~/.local/bin", "~/.cargo/bin")
"""Where macmon is looked for beside PATH, which is short where a service or ssh starts the agent."""
OLDEST = (0, 7)
VERSION_SECONDS = 2.0
REST_SECONDS = 10.0
"""How long to wait before it is looked for again: five folders, at a fifth of what a whole sample takes."""
PATIENCE_SECONDS = 5.0
"""How long its first line takes at most, which is told after a second of measuring, where all is well."""
NOT_INSTALLED = "install macmon (brew install macmon) for power, temperature, frequency and fans"
SILENT = "macmon says nothing but zeros here (a virtual machine?)"
BUSY_RATIO = 0.01
"""A GPU that is so busy draws some power, and has a frequency."""
MOST_FANS = 32
SOURCES: Mapping[str, str] = {
    "gpu_watts": "macmon, gpu_power",
    "power_watts": "macmon, sys_power (the SMC's PSTR), else all_power (CPU, GPU and neural engine)",
    "gpu_celsius": "macmon, gpu_temp_avg, the mean of the GPU's sensors",
    "cpu_celsius": "macmon, cpu_temp_avg, the mean of the CPU's sensors",
    "gpu_hertz": "macmon, gpu_freq_mhz, the mean while it was busy",
    "fans_rpm": "macmon, fans",
    "gpu_ratio": "macmon, gpu_active_ratio",
}

_Told = Mapping[str, object]
"""One line, of which nothing is certain."""


def macmon_probe(path: Callable[[], str | None] | None = None, clock: Callable[[], float] = time.monotonic) -> Probe:
    """What macmon prints; it is found also where it is installed later. `path`: tells where it is."""
    path = path or _path
    macmon = _Macmon(path, clock)
    patience = PATIENCE_SECONDS if path() else 0.0
    return Probe("macmon", SOURCES, macmon.read, macmon.close, rest_seconds=REST_SECONDS, patience_seconds=patience)


class _Macmon:
    """The program, started when it is first read."""

    def __init__(self, path: Callable[[], str | None], clock: Callable[[], float]) -> None:
        self._path = path
        self._is_found = False
        self._program = LineProgram("macmon", self._command, clock)
        self.close = self._program.close

    def read(self, moment: Moment) -> Reading:
        """The newest line. Raises Unreadable, and Absent where macmon is not installed."""
        self._is_found = self._is_found or self._path() is not None
        if not self._is_found:
            raise Absent(NOT_INSTALLED)
        line = self._program.read(moment)
        try:
            return parse(line)
        except ValueError as problem:
            raise Unreadable(f"macmon printed {line!r:.60}, which is no reading") from problem

    def _command(self, interval: float) -> Sequence[str]:
        """What to run for a line each `interval`. Raises Unreadable, or OSError."""
        if (path := self._path()) is None:
            raise Unreadable(NOT_INSTALLED)
        _check_version(path)
        return (path, "pipe", "--samples", "0", "--interval", f"{interval * 1000:.0f}")


def parse(line: str) -> Reading:
    """The figures of one line of `macmon pipe`, 0.6 to 0.8. Raises ValueError where it is none."""
    try:
        told = json.loads(line)
    except RecursionError as problem:
        raise ValueError("it is nested too deeply") from problem
    if not isinstance(told, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - a mistake in data, not in the program
    values: dict[str, object] = {}
    reasons: dict[str, str] = {}
    for name, figure in FIGURES.items():
        try:
            values[name] = figure(told)
        except Unreadable as why:
            reasons[name] = str(why)
    if "power_watts" in values:
        values["power_covers"] = "chip" if _system_watts(told) is None else "system"
    return Reading(values, reasons)


def _gpu_watts(told: _Told) -> float:
    watts = _need(told, "gpu_power")
    if watts == 0 and _gpu_busy(told):
        raise Unreadable("macmon says that a busy GPU draws no power")
    _doubt_zero(watts, told)
    return watts


def _power_watts(told: _Told) -> float:
    """Of the whole machine where that is known, else of the chip."""
    if (system := _system_watts(told)) is not None:
        return system
    if _need(told, "cpu_power") == 0:
        raise Unreadable("macmon reads neither the power of the machine nor that of the CPU (macOS 27 tells none)")
    return _need(told, "all_power")


def _system_watts(told: _Told) -> float | None:
    """Macmon gives 0 where it cannot read it, and the chip's where that is more: then it is not of the machine."""
    system = _number(told.get("sys_power")) or 0.0
    return system if system > (_number(told.get("all_power")) or 0.0) else None


def _gpu_celsius(told: _Told) -> float:
    return _celsius(told, "gpu_temp_avg")


def _cpu_celsius(told: _Told) -> float:
    return _celsius(told, "cpu_temp_avg")


def _celsius(told: _Told, key: str) -> float:
    """Macmon gives 0 where it finds no sensor."""
    temperatures = told.get("temp")
    celsius = _need(temperatures if isinstance(temperatures, dict) else {}, key)
    if celsius == 0:
        raise Unreadable("macmon finds no such sensor here")
    return celsius


def _gpu_hertz(told: _Told) -> float:
    """Zero where the GPU was off all the time."""
    megahertz = _number(told.get("gpu_freq_mhz"))
    if megahertz is None and (megahertz := _pair(told, "gpu_usage")[0]) is None:
        raise Unreadable("macmon does not tell gpu_freq_mhz")
    if megahertz == 0 and _gpu_busy(told):
        raise Unreadable("macmon says that a busy GPU stands still")
    _doubt_zero(megahertz, told)
    return megahertz * 1e6


def _fans_rpm(told: _Told) -> tuple[float, ...]:
    """Empty where there is no fan."""
    if "fans" not in told:
        raise Unreadable("macmon 0.8 or newer tells the fans: brew upgrade macmon")
    fans = told["fans"]
    rows = fans if isinstance(fans, list) else [None]
    turning = tuple(_number(fan.get("rpm")) if isinstance(fan, dict) else None for fan in rows[:MOST_FANS])
    known = tuple(rpm for rpm in turning if rpm is not None and 0 <= rpm <= FASTEST_RPM)
    if len(known) != len(rows):
        raise Unreadable(f"macmon tells fans that cannot be: {fans!r:.60}")
    if not known and not _number(told.get("sys_power")):
        # Whatever macmon reads of the SMC is then missing, so that no fans may as well be unread ones.
        raise Unreadable("macmon cannot read the SMC, which knows the fans")
    return known


def _gpu_ratio(told: _Told) -> float:
    """The share of time: `gpu_usage[1]` is scaled by the frequency, and so is half of it at half the clock."""
    if "gpu_active_ratio" not in told:
        raise Unreadable("macmon 0.8 or newer tells how busy the GPU is: brew upgrade macmon")
    ratio = _need(told, "gpu_active_ratio")
    _doubt_zero(ratio, told)
    return ratio


FIGURES: Mapping[str, Callable[[_Told], object]] = {
    "gpu_watts": _gpu_watts,
    "power_watts": _power_watts,
    "gpu_celsius": _gpu_celsius,
    "cpu_celsius": _cpu_celsius,
    "gpu_hertz": _gpu_hertz,
    "fans_rpm": _fans_rpm,
    "gpu_ratio": _gpu_ratio,
}
"""Field of `Sample` → how it is found in a line; each raises Unreadable."""


def _gpu_busy(told: _Told) -> bool:
    """Whether the GPU worked for a time worth mentioning, by whatever version."""
    return max(_number(told.get("gpu_active_ratio")) or 0.0, _pair(told, "gpu_usage")[1] or 0.0) > BUSY_RATIO


def _doubt_zero(figure: float, told: _Told) -> None:
    """A zero is believed where the counters beside it move, as the processor's always do. Raises Unreadable."""
    beside = (
        *(_number(told.get(key)) for key in ("cpu_power", "cpu_active_ratio", "cpu_usage_pct")),
        *(_pair(told, key)[1] for key in ("ecpu_usage", "pcpu_usage")),
    )
    if figure == 0 and not any(beside):
        raise Unreadable(SILENT)


def _need(told: _Told, key: str) -> float:
    """A number that should be there. Raises Unreadable."""
    if (number := _number(told.get(key))) is None:
        raise Unreadable(f"macmon does not tell {key}")
    return number


def _pair(told: _Told, key: str) -> tuple[float | None, float | None]:
    """What 0.7 tells of a part: its frequency in MHz, and how busy it was, scaled by that."""
    match told.get(key):
        case [first, second]:
            return _number(first), _number(second)
        case _:
            return None, None


def _number(value: object) -> float | None:
    """What is a finite number; JSON also knows true, and Python's JSON knows NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _path() -> str | None:
    """Where macmon is installed."""
    folders = (os.environ.get("PATH", os.defpath), *map(os.path.expanduser, FOLDERS))
    return shutil.which("macmon", path=os.pathsep.join(folders))


def installed_version(path: Callable[[], str | None] | None = None) -> str | None:
    """What macmon says of itself; None where it is not installed."""
    if (found := (path or _path)()) is None:
        return None
    try:
        return _version(found)[0].decode()
    except Unreadable as why:
        return str(why)
    except OSError as problem:
        return f"it could not be started: {problem.strerror or problem}"


def _check_version(path: str) -> None:
    """Raise Unreadable where macmon is too old."""
    found = _version(path)
    if (int(found[1]), int(found[2])) < OLDEST:
        raise Unreadable(
            f"macmon {found[0].decode()} is too old (0.7 or newer; older ones crash on M5): brew upgrade macmon"
        )


def _version(path: str) -> re.Match[bytes]:
    """The version, and its first two numbers. Raises Unreadable, or OSError."""
    try:
        told = subprocess.run(
            (path, "--version"), stdin=subprocess.DEVNULL, capture_output=True, timeout=VERSION_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as problem:
        raise Unreadable(f"macmon --version did not answer within {VERSION_SECONDS:.0f} s") from problem
    if (found := re.search(rb"(\d+)\.(\d+)(?:\.\d+)*", told.stdout)) is None:
        raise Unreadable("macmon --version tells no version: brew reinstall macmon")
    return found
