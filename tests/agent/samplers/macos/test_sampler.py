"""The whole sampler of a Mac: every figure of the fixture, and each of its sources failing alone."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from fleetview_agent.errors import ConfigError
from fleetview_agent.samplers.macos import build_sampler
from fleetview_agent.samplers.probing import COMPANIONS, SLEPT, Moment, ProbedSampler, Unreadable, Watch
from fleetview_agent.wire import Sample
from tests.mac.standin import FIXTURE, M2MAX, Standin

GIB = 1 << 30
BOOTED_AT = 1_735_689_600.25
LIMIT_SECONDS = 10.0
BY_MACMON = {"cpu_celsius", "gpu_celsius", "gpu_hertz", "gpu_watts", "power_watts", "power_covers", "fans_rpm"}
NOT_READ = {"at", "interval_seconds", "sources", "reasons", "traffic"}
FIGURES = {
    "cpu_ratio": 0.25,
    "cpu_celsius": 43.5,
    "memory_used_bytes": 1_889_137 * 16384,
    "memory_available_bytes": 2_249_917 * 16384,
    "pressure": "normal",
    "pressure_evidence": "level 1, 88 % free, 2.9G swapped",
    "swap_used_bytes": 3_163_815_936,
    "swap_bytes_per_second": 0.0,
    "gpu_ratio": 0.43,
    "gpu_memory_used_bytes": 18_540_298_240,
    "gpu_memory_allocated_bytes": 21_307_064_320,
    "gpu_memory_limit_bytes": 48 * GIB,
    "gpu_celsius": 51.25,
    "gpu_hertz": 1.3e9,
    "gpu_watts": 21.5,
    "power_watts": 48.75,
    "power_covers": "system",
    "thermal_state": "nominal",
    "fans_rpm": [1800.0, 1850.0],
    "gpus": [],
}
MACMON = """#!/bin/sh
if [ "$1" = --version ]; then echo 'macmon 0.8.2'; exit; fi
while :; do
  echo '{"temp":{"cpu_temp_avg":43.5,"gpu_temp_avg":51.25},"gpu_power":21.5,"cpu_power":4.5,"ane_power":0.0,\
"all_power":26.0,"sys_power":48.75,"gpu_freq_mhz":1300,"gpu_active_ratio":0.5,\
"fans":[{"name":"fan0","rpm":1800,"max_rpm":5700},{"name":"fan1","rpm":1850,"max_rpm":5700}]}' || exit
  sleep 0.1
done
"""


class Clocks:
    """A clock that stands still in sleep, and one on the wall that does not; each look takes a second."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept = BOOTED_AT
        self.step = 1.0
        self.watch = Watch(self._tick, lambda: self.seconds + self.slept)

    def _tick(self) -> float:
        self.seconds += self.step
        return self.seconds


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def sampler(mac: Standin, clocks: Clocks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProbedSampler]:
    """Of the fixture Mac, which has no programs installed, and whose Metal was asked."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(FIXTURE, str(M2MAX))
    sampler = build_sampler(mac.library, clocks.watch)
    clocks.step, until = 0.0, time.monotonic() + LIMIT_SECONDS
    while sampler.read().gpu_memory_limit_inferred:
        assert time.monotonic() < until, "Metal did not answer"
        time.sleep(0.01)
    clocks.step = 1.0
    yield sampler
    sampler.close()
    assert (mac.count("ports"), mac.count("registered"), mac.count("misused")) == (0, 0, 0)
    assert mac.count("created") == mac.count("released")


def given(sample: Sample) -> set[str]:
    """The figures that have a value."""
    told = sample.model_dump(exclude=NOT_READ, exclude_none=True)
    return {name for name, value in told.items() if value is not False and value != ()}


def test_the_command_tells_the_fixture_mac_field_by_field(library: Path, tmp_path: Path) -> None:
    macmon = tmp_path / "macmon"
    macmon.write_text(MACMON)
    macmon.chmod(0o755)
    home = {"HOME": str(tmp_path), "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        (sys.executable, "-m", "fleetview_agent", "sample", "--json", "--count", "3"),
        env={**os.environ, **home, "FLEETVIEW_MAC_LIBRARY": str(library), FIXTURE: str(M2MAX)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    *earlier, last = map(json.loads, done.stdout.splitlines())
    assert {name: last[name] for name in FIGURES} == FIGURES
    assert last["uptime_seconds"] == pytest.approx(last["at"] - BOOTED_AT, abs=1)
    assert last["interval_seconds"] == pytest.approx(1, abs=0.5)
    assert last["reasons"] == {}
    assert last["sources"]["gpu_memory_limit_bytes"].startswith("Metal")
    assert [sample["cpu_ratio"] for sample in earlier] == [0.25, 0.25]


def test_without_macmon_only_its_figures_are_missing_and_the_reason_says_what_to_do(sampler: ProbedSampler) -> None:
    sample = sampler.read()
    told = sample.model_dump()
    assert {name: told[name] for name in FIGURES.keys() - BY_MACMON - {"gpus"}} == {
        name: value for name, value in FIGURES.items() if name not in BY_MACMON | {"gpus"}
    }
    assert sample.reasons.keys() == BY_MACMON - COMPANIONS.keys()
    assert all("brew install macmon" in reason for reason in sample.reasons.values())
    assert sample.sources["gpu_memory_limit_bytes"].startswith("Metal")
    assert sample.interval_seconds == 1


@pytest.mark.parametrize(
    ("key", "value", "lost"),
    [
        ("sysctl.kern.memorystatus_vm_pressure_level", None, {"pressure", "pressure_evidence"}),
        ("sysctl.kern.memorystatus_vm_pressure_level", "i32:3", {"pressure", "pressure_evidence"}),
        ("sysctl.vm.swapusage", None, {"swap_used_bytes"}),
        ("sysctl.kern.boottime", "hex:00", {"uptime_seconds"}),
        ("fail.host_statistics", "5", {"cpu_ratio"}),
        (
            "fail.host_statistics64",
            "5",
            {"memory_used_bytes", "memory_available_bytes", "swap_bytes_per_second"},
        ),
        ("vm.wired", str(2**32 - 1), {"memory_used_bytes"}),
        ("fail.notify_get_state", "9", {"thermal_state"}),
        ("iokit.fail.property", "1", {"gpu_ratio", "gpu_memory_used_bytes", "gpu_memory_allocated_bytes"}),
        ("iokit.PerformanceStatistics.Device Utilization %", "int:101", {"gpu_ratio"}),
        ("iokit.PerformanceStatistics.In use system memory", f"int:{65 * GIB}", {"gpu_memory_used_bytes"}),
    ],
)
def test_a_source_that_fails_takes_none_but_its_own_figures_with_it_and_comes_back(
    mac: Standin, sampler: ProbedSampler, key: str, value: str | None, lost: set[str]
) -> None:
    whole, before = given(sampler.read()), mac.value(key)
    mac.unset(key) if value is None else mac.set(key, value)
    broken = sampler.read()
    assert whole - given(broken) == lost
    assert broken.reasons.keys() == (lost | BY_MACMON) - COMPANIONS.keys()
    mac.unset(key) if before is None else mac.set(key, before)
    sampler.read()  # a rate needs two
    assert given(sampler.read()) == whole


def test_a_sleep_costs_the_differences_across_it_and_nothing_else(clocks: Clocks, sampler: ProbedSampler) -> None:
    whole = given(sampler.read())
    clocks.slept += 8 * 3600
    woken = sampler.read()
    assert whole - given(woken) == {"cpu_ratio", "swap_bytes_per_second"}
    assert woken.reasons["cpu_ratio"] == woken.reasons["swap_bytes_per_second"] == SLEPT
    assert woken.interval_seconds is None
    assert given(sampler.read()) == whole


def test_ten_thousand_readings_of_the_kernel_leave_nothing_behind(mac: Standin, sampler: ProbedSampler) -> None:
    sampler.read()
    probes = [
        probe for probe in sampler.probes if probe.name not in {"iokit", "ioreg", "macmon"}
    ]  # those by themselves

    def read(count: int) -> int:
        for second in range(count):
            for probe in probes:
                with suppress(Unreadable):
                    probe.read(Moment(second))
        return int(psutil.Process().memory_info().rss)

    before = read(500)
    assert read(10_000) - before < 1 << 20
    assert (mac.count("ports"), mac.count("registered")) == (1, 1)
    assert mac.count("cpu asked") > 10_000


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({"sysctl.iogpu.wired_limit_mb": "i32:57344"}, 56 * GIB),
        ({"sysctl.kern.osproductversion": "text:26.1"}, int(51.84 * GIB)),
        ({"sysctl.kern.hv_vmm_present": "i32:1"}, None),
    ],
    ids=["the owner's", "the rule of macOS 26", "a virtual machine"],
)
def test_the_limit_is_the_owners_or_about_what_the_system_gives(
    mac: Standin, monkeypatch: pytest.MonkeyPatch, changes: Mapping[str, str], limit: int | None
) -> None:
    monkeypatch.delenv(FIXTURE, raising=False)  # so the child that asks Metal finds no GPU
    for key, value in changes.items():
        mac.set(key, value)
    sampler = build_sampler(mac.library)
    sample = sampler.read()
    assert sample.gpu_memory_limit_bytes == limit
    assert sample.gpu_memory_limit_inferred is ("26" in str(changes))
    sampler.close()


def test_a_virtual_mac_without_a_gpu_is_a_node_like_any_other(mac: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FIXTURE, raising=False)
    mac.set("sysctl.kern.hv_vmm_present", "i32:1")
    mac.set("iokit.accelerators", "0")
    sampler = build_sampler(mac.library)
    sampler.read()
    sample = sampler.read()
    assert (sampler.machine.virtual, sampler.machine.gpu, sampler.machine.gpu_cores) == (True, None, None)
    assert sample.pressure == "normal"
    assert not any(name.startswith("gpu_") for name in given(sample))
    for name in Sample.model_fields.keys() - NOT_READ - COMPANIONS.keys() - given(sample):
        assert sample.reasons[name]
    assert "virtual machine" in sample.reasons["gpu_ratio"]
    sampler.close()


def test_no_figure_lies_outside_what_is_possible_however_wild_the_kernels_numbers(
    mac: Standin, sampler: ProbedSampler
) -> None:
    for key in ("free", "internal", "external", "compressor", "purgeable", "speculative", "swapins", "swapouts"):
        mac.set(f"vm.{key}", str(2**32 - 1))
    mac.set("sysctl.kern.boottime", "hex:" + "ff" * 16)
    mac.set("sysctl.vm.swapusage", "hex:" + "ff" * 32)
    mac.set("sysctl.iogpu.wired_limit_mb", "i64:9223372036854775807")
    sampler.read()
    sample = sampler.read()
    assert sample.memory_used_bytes is sample.memory_available_bytes is sample.swap_used_bytes is None
    assert "which cannot be" in sample.reasons["swap_used_bytes"]
    assert sample.gpu_memory_limit_bytes == 64 * GIB
    assert sample.swap_bytes_per_second == 0
    assert sample.uptime_seconds is not None
    assert math.isfinite(sample.uptime_seconds)


def test_a_library_that_is_no_stand_in_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read as a Mac") as absent:
        build_sampler(tmp_path / "absent.so")
    assert "absent.so has to stand in for macOS" in str(absent.value.hint)
