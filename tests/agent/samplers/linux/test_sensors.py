"""Temperatures and fans, wherever a kernel puts them."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from fleetview_agent.samplers.linux.sensors import LOOK_AGAIN_SECONDS, NO_FAN, NO_SENSOR, sensors_probe
from fleetview_agent.samplers.probing import Moment, Reading
from tests.linux_files import put_all

NOW = Moment(100.0)
CORETEMP = {
    "name": "coretemp\n",
    "temp1_input": "61000\n",
    "temp1_label": "Package id 0\n",
    "temp2_input": "70000\n",
    "temp2_label": "Core 0\n",
    "temp9_input": "63500\n",
    "temp9_label": "Package id 1\n",
}
K10TEMP = {
    "name": "k10temp\n",
    "temp1_input": "75000\n",
    "temp1_label": "Tctl\n",
    "temp2_input": "65125\n",
    "temp2_label": "Tdie\n",
    "temp3_input": "80000\n",
    "temp3_label": "Tccd1\n",
}
NVME = {"name": "nvme\n", "temp1_input": "90000\n", "temp1_label": "Composite\n"}


def chip(root: Path, number: int, files: dict[str, str]) -> None:
    put_all(root, files, f"sys/class/hwmon/hwmon{number}")


def zone(root: Path, number: int, kind: str, temp: str) -> None:
    put_all(root, {"type": f"{kind}\n", "temp": temp}, f"sys/class/thermal/thermal_zone{number}")


def read(root: Path) -> Reading:
    return sensors_probe(root).read(NOW)


@pytest.mark.parametrize(
    ("files", "celsius"),
    [
        (CORETEMP, 63.5),
        (K10TEMP, 65.125),
        ({name: text for name, text in K10TEMP.items() if not name.startswith("temp2")}, 75.0),
        ({"name": "cpu_thermal\n", "temp1_input": "48312\n"}, 48.312),
    ],
)
def test_the_processor_as_a_whole_is_read(root: Path, files: dict[str, str], celsius: float) -> None:
    chip(root, 0, NVME)
    chip(root, 3, files)
    zone(root, 0, "x86_pkg_temp", "99000")
    assert read(root).values["cpu_celsius"] == celsius


def test_without_a_sensor_chip_the_hottest_zone_of_the_processor_is_read(root: Path) -> None:
    chip(root, 0, NVME)
    for number, (kind, temp) in enumerate([("acpitz", "90000"), ("CPU-therm", "50500"), ("cpu-1-0", "52000")]):
        zone(root, number, kind, temp)
    assert read(root).values["cpu_celsius"] == 52.0


def test_where_there_is_nothing_it_is_said(root: Path) -> None:
    chip(root, 0, NVME)
    reading = read(root)
    assert reading.values == {}
    assert reading.reasons == {"cpu_celsius": NO_SENSOR, "fans_rpm": NO_FAN}


def test_fans_are_those_of_the_machine_and_one_may_stand_still(root: Path) -> None:
    chip(root, 0, {"name": "amdgpu\n", "fan1_input": "3000\n"})
    chip(root, 1, {"name": "nct6775\n", "fan1_input": "1200\n", "fan2_input": "0\n", "fan3_input": "-1\n"})
    assert read(root).values["fans_rpm"] == (1200.0, 0.0)


def test_sensors_are_found_again_where_their_numbers_changed(root: Path) -> None:
    chip(root, 1, {**CORETEMP, "fan1_input": "900\n"})
    probe = sensors_probe(root)
    before = probe.read(NOW)
    (root / "sys/class/hwmon/hwmon1").rename(root / "sys/class/hwmon/hwmon7")
    after = probe.read(NOW)
    assert before.values == after.values == {"cpu_celsius": 63.5, "fans_rpm": (900.0,)}


def test_sensors_that_come_later_are_looked_for_from_time_to_time(root: Path) -> None:
    probe = sensors_probe(root)
    assert probe.read(NOW).values == {}
    chip(root, 1, CORETEMP)
    assert probe.read(Moment(NOW.seconds + LOOK_AGAIN_SECONDS / 2)).values == {}
    assert probe.read(Moment(NOW.seconds + LOOK_AGAIN_SECONDS)).values == {"cpu_celsius": 63.5}


@pytest.mark.parametrize("problem", [OSError(errno.ENODATA, "No data available"), ValueError("not a number")])
def test_a_sensor_that_fails_costs_no_other(root: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
    chip(root, 1, {**CORETEMP, "fan1_input": "900\n"})
    probe = sensors_probe(root)
    open_path = Path.open
    broken = {"temp9_input"}

    def failing(path: Path, *how: Any, **also: Any) -> Any:  # as the function it stands for
        if path.name in broken:
            raise problem
        return open_path(path, *how, **also)

    monkeypatch.setattr(Path, "open", failing)
    assert probe.read(NOW).values == {"cpu_celsius": 61.0, "fans_rpm": (900.0,)}
    broken |= {"temp1_input", "fan1_input"}
    reading = probe.read(NOW)
    assert reading.values == {}
    assert reading.reasons == {
        "cpu_celsius": "the processor's sensor gives no figure",
        "fans_rpm": "the fans give no figure",
    }
