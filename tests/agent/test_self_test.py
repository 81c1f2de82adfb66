"""The self-test: what each source gives and costs, and nothing that tells whose machine it is."""

from __future__ import annotations

import json
import re
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

import pytest

from fleetview_agent import self_test
from fleetview_agent.__main__ import _self_test
from fleetview_agent.sample_text import FIGURES
from fleetview_agent.samplers.linux import build_sampler as build_linux
from fleetview_agent.samplers.macos import build_sampler as build_macos
from fleetview_agent.samplers.probing import Moment, Probe, ProbedSampler, Reading, Unreadable
from fleetview_agent.self_test import Figure, Report, examine
from fleetview_agent.self_test_text import describe
from fleetview_agent.wire import Gpu
from tests.builders import a_machine
from tests.linux_files import PLAIN, put_all
from tests.mac.standin import FIXTURE, M2MAX, Standin, compiled

GIB = 1 << 30
DOCS = Path(__file__).resolve().parents[2] / "docs"
SLOW_MACMON = """#!/bin/sh
if [ "$1" = --version ]; then echo 'macmon 0.8.2'; exit; fi
sleep 0.7
while :; do
  echo '{"gpu_power":21.5,"cpu_power":4.5,"all_power":26.0,"sys_power":48.75}' || exit
  sleep 0.1
done
"""


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_test, "BETWEEN_SECONDS", 0.02)


def figures(report: Report, probe: str) -> Mapping[str, Figure]:
    (trial,) = (trial for trial in report.trials if trial.probe == probe)
    return {figure.field: figure for figure in trial.figures}


def a_failing_probe(problem: Exception, field: str = "gpu_ratio") -> Probe:
    def read(_: Moment) -> Reading:
        raise problem

    return Probe("broken", {field: "nowhere"}, read)


def test_each_probe_of_a_linux_machine_tells_values_units_sources_and_what_it_costs(tmp_path: Path) -> None:
    put_all(tmp_path, PLAIN)
    report = examine(build_linux(tmp_path))
    used = figures(report, "meminfo")["memory_used_bytes"]
    assert (used.value, used.unit, used.shown, used.reason) == (8 * GIB, "bytes", "8.00G", None)
    assert used.source is not None
    assert used.source.startswith("/proc/meminfo")
    assert figures(report, "uptime")["uptime_seconds"].value == 5000.25
    assert figures(report, "psi")["pressure_evidence"].value == "stalled 1.5 % of 10 s, fully 0.2 %, 50 % available"
    fans = figures(report, "hwmon")["fans_rpm"]
    assert (fans.value, fans.unit, fans.reason) == (None, "turns per minute", "no fan that can be read was found")
    for cost in (report.together, *(trial.cost for trial in report.trials)):
        assert cost.readings == 5
        assert cost.first_ms > 0
        assert cost.most_ms is not None
        assert cost.median_ms is not None
        assert 0 < cost.median_ms <= cost.most_ms
    assert "gpu_ratio" in report.not_read
    assert report.sought["AMD's driver, amdgpu"] is None


def test_what_starts_slowly_is_waited_for_and_what_is_not_there_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mac = Standin(compiled(tmp_path))
    monkeypatch.setenv(FIXTURE, str(M2MAX))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    programs = tmp_path / ".local" / "bin"
    programs.mkdir(parents=True)
    (programs / "macmon").write_text(SLOW_MACMON)
    (programs / "macmon").chmod(0o755)
    sampler = build_macos(mac.library)
    try:
        report = examine(sampler)
    finally:
        sampler.close()
    assert figures(report, "metal")["gpu_memory_limit_bytes"].value == 48 * GIB
    assert figures(report, "inferred limit")["gpu_memory_limit_bytes"].shown == "about 48.00G"
    assert figures(report, "iokit")["gpu_ratio"].value == 0.43
    assert figures(report, "ioreg")["gpu_ratio"].reason == "ioreg is not there"
    power = figures(report, "macmon")["power_watts"]
    assert (power.value, power.unit, power.shown) == (48.75, "watts", "48.8 W (system)")
    assert report.sought == {"macmon": "0.8.2"}
    assert "gpu busy, gpu memory in use, gpu memory allocated: ioreg is not there" in describe(report)


def test_nothing_in_it_tells_whose_machine_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    machine = a_machine().model_copy(update={"hostname": "janes-studio.local", "user": "jane"})
    card = "0f5fd1ff-8a0b-4b8c-9c3e-2b8f4c3e7a11"
    why = f"{tmp_path}/bin: jane may not ask GPU-{card} on janes-studio or janes-studio.local"
    broken = a_failing_probe(OSError(why))
    sampler = ProbedSampler(machine, (broken,), {}, sought=lambda: {"macmon": f"not run by jane: {tmp_path}/macmon"})
    report = examine(sampler)
    secrets = re.compile(rf"jane|studio|{re.escape(str(tmp_path))}|{card}|serial|uuid-", re.IGNORECASE)
    for text in (describe(report), report.model_dump_json()):
        assert not secrets.search(text)
        assert "~/bin: USER may not ask GPU-UUID on HOST or HOST" in " ".join(text.split())


def test_the_text_survives_every_way_of_pasting(tmp_path: Path) -> None:
    put_all(tmp_path, PLAIN | {"proc/cpuinfo": "model name\t: Über–Chip® " + "9000 " * 40})
    text = describe(examine(build_linux(tmp_path)))
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 80
    assert not any(line != line.rstrip() for line in text.splitlines())


def test_several_gpus_are_told_one_by_one() -> None:
    rows = (Gpu(name="H100", ratio=0.5, celsius=60.0), Gpu(name="H100", reasons={"ratio": "it is lost"}))
    probe = Probe("nvml", {"gpu_ratio": "NVML"}, lambda _: Reading({"gpu_ratio": 0.5, "gpus": rows}))
    report = examine(ProbedSampler(a_machine(), (probe,), {}))
    told = figures(report, "nvml")["gpus"]
    assert told.shown == "H100: busy 50%, temperature 60 °C; H100: no figures"
    assert json.loads(report.model_dump_json())["trials"][0]["figures"][1]["value"][0]["ratio"] == 0.5


@pytest.mark.parametrize("problem", [Unreadable("it is not there"), RuntimeError("it is broken")])
def test_a_probe_that_fails_is_a_result_and_a_machine_that_tells_nothing_a_failure(
    problem: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    works = Probe("works", {"cpu_ratio": "here"}, lambda _: Reading({"cpu_ratio": 0.5}))
    statuses = []
    for probes in ((a_failing_probe(problem), works), (a_failing_probe(problem),)):
        sampler = ProbedSampler(a_machine(), probes, {})
        monkeypatch.setattr("fleetview_agent.samplers.detect", lambda sampler=sampler: sampler)
        statuses.append(_self_test(Namespace(json=False)))
    assert statuses == [0, 1]
    assert str(problem) in capsys.readouterr().out


def test_an_impossible_value_is_no_value() -> None:
    probe = Probe("wild", {"gpu_celsius": "here"}, lambda _: Reading({"gpu_celsius": 900.0}))
    told = figures(examine(ProbedSampler(a_machine(), (probe,), {})), "wild")["gpu_celsius"]
    assert (told.value, told.reason) == (None, "wild said 900.0, which cannot be")


def test_the_documentation_tells_of_every_figure_and_shows_reports_of_today() -> None:
    page = (DOCS / "telemetry.md").read_text()
    for field in FIGURES:
        assert f"`{field}`" in page
    for example, probes in (("self-test-linux.txt", 7), ("self-test-mac.txt", 12)):
        assert len(re.findall(r"^\S.* ms[ ,]", (DOCS / example).read_text(), re.MULTILINE)) == probes + 1
