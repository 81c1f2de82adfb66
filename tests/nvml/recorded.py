"""What `nvidia-smi` printed on real machines, as the figures that its library told."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

RECORDINGS = Path(__file__).resolve().parents[2].parent / "shared" / "recordings" / "nvidia"
Figures = Mapping[str, int | str | None]


def figures(recording: str) -> Figures:
    """Of the whole GPU."""
    return _of_csv(recording) if recording.endswith(".csv") else _of_xml(recording)


def instances(recording: str) -> tuple[Figures, ...]:
    """Of the instances of a GPU that is divided."""
    if recording.endswith(".txt"):
        pairs = re.findall(r"\|\s+(\d+)MiB / +(\d+)MiB +\| \d+", (RECORDINGS / recording).read_text())
        return tuple({"used": _mebibytes(used), "total": _mebibytes(total)} for used, total in pairs)
    devices = _xml(recording).findall(".//mig_device/fb_memory_usage")
    return tuple({key: _mebibytes(device.findtext(key)) for key in ("used", "total", "reserved")} for device in devices)


def _of_csv(recording: str) -> Figures:
    header, row = csv.reader((RECORDINGS / recording).read_text().splitlines(), skipinitialspace=True)
    told = dict(zip((title.split(" [")[0] for title in header), row, strict=True))
    return {
        "name": told.get("name"),
        "total": _mebibytes(told["memory.total"]),
        "used": _mebibytes(told["memory.used"]),
        "reserved": _mebibytes(told.get("memory.reserved")),
        "busy": _number(told["utilization.gpu"]),
        "celsius": _number(told["temperature.gpu"]),
        "milliwatts": _number(told["power.draw"], 1000),
        "megahertz": _number(told.get("clocks.current.sm")),
        "divided": {"Enabled": 1, "Disabled": 0}.get(told.get("mig.mode.current", "")),
    }


def _of_xml(recording: str) -> Figures:
    gpu = _xml(recording).find("gpu")
    assert gpu is not None
    watts = next(
        found
        for path in ("power_readings/power_draw", "gpu_power_readings/power_draw", ".//average_power_draw")
        if (found := gpu.findtext(path))  # by the version of the program
    )
    return {
        "name": gpu.findtext("product_name"),
        **{key: _mebibytes(gpu.findtext(f"fb_memory_usage/{key}")) for key in ("total", "used", "reserved")},
        "busy": _number(gpu.findtext("utilization/gpu_util")),
        "celsius": _number(gpu.findtext("temperature/gpu_temp")),
        "milliwatts": _number(watts, 1000),
        "megahertz": _number(gpu.findtext("clocks/sm_clock")),
        "divided": {"Enabled": 1, "Disabled": 0}.get(gpu.findtext("mig_mode/current_mig") or ""),
    }


def _xml(recording: str) -> ET.Element:
    return ET.fromstring((RECORDINGS / recording).read_text())  # noqa: S314, a recording of our own


def _number(text: str | None, times: int = 1) -> int | None:
    """A number before its unit; None for `[N/A]` and its like."""
    found = re.match(r"[\d.]+", text or "")
    return None if found is None else round(float(found[0]) * times)


def _mebibytes(text: str | None) -> int | None:
    number = _number(text)
    return None if number is None else number << 20
