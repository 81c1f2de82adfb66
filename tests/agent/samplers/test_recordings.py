"""Every output that we read, as recorded and mutated: a sampler never raises, and never tells what cannot be."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetview_agent.errors import ConfigError
from fleetview_agent.samplers.linux import build_sampler as build_linux
from fleetview_agent.samplers.linux import jetson
from fleetview_agent.samplers.macos import build_sampler as build_macos
from fleetview_agent.samplers.macos import macmon
from fleetview_agent.samplers.macos.ioreg import ioreg_probe
from fleetview_agent.samplers.probing import Moment, Probe, ProbedSampler
from fleetview_agent.wire import Sample
from tests.agent.samplers.mutations import NO_FIGURES, WILD_NUMBERS, assert_sane, figures, fuzz, in_turn
from tests.agent.samplers.specimens import AMD, CONTAINER, IOREG, MACMON, SENSORS, TEGRASTATS, lines, recorded
from tests.builders import a_machine
from tests.clocks import Clock
from tests.linux_files import PLAIN, put_all
from tests.mac.standin import FIXTURE, M2MAX, Standin, compiled, values

MACMON_LINES = (
    *MACMON,
    *lines(recorded("macmon/pipe.v0.6-0.7.16gb.ndjson", "macmon/doc-example.v0.8.json")),
    *lines(recorded("synthetic/macmon-pipe.v0.8.2.ndjson")),
)
TEGRASTATS_LINES = (*TEGRASTATS, *lines(recorded("jetson/tegrastats.lines.txt")))
IOREG_OUTPUTS = (*IOREG, *recorded("ioreg/m4pro-16core.trimmed.plist"))
STALLS = recorded("synthetic/psi-memory.txt", "linux/psi-cgroup-memory.txt")
NO_SOURCE = dict.fromkeys(Sample.model_fields.keys() - NO_FIGURES, "nothing else is read in this test")


class Said:
    """A program of many lines, of which the newest is always this one."""

    line = b""

    def __init__(self, *_: object) -> None:
        self.close = lambda: None

    def read(self, _: Moment) -> str:
        return self.line.decode(errors="replace")


def sampled(*probes: Probe) -> Sample:
    """A reading of these probes alone, which is as it should be."""
    sampler = ProbedSampler(a_machine(), probes, NO_SOURCE)
    sample = sampler.read()
    assert_sane(sampler, sample)
    return sample


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> type[Said]:
    monkeypatch.setattr(macmon, "LineProgram", Said)
    monkeypatch.setattr(jetson, "LineProgram", Said)
    return Said


def of_macmon(said: type[Said], line: bytes) -> Sample:
    said.line = line
    return sampled(macmon.macmon_probe(lambda: "/usr/bin/macmon"))


def of_tegrastats(said: type[Said], line: bytes) -> Sample:
    said.line = line
    probe = jetson.jetson_probe(lambda: "/usr/bin/tegrastats")
    assert probe is not None
    return sampled(probe)


@pytest.mark.parametrize("line", MACMON_LINES)
def test_every_line_of_macmon_tells_power_temperature_and_frequency(said: type[Said], line: bytes) -> None:
    told = figures(of_macmon(said, line))
    assert told >= {"gpu_watts", "power_watts", "power_covers", "gpu_celsius", "cpu_celsius", "gpu_hertz"}


@pytest.mark.parametrize("line", TEGRASTATS_LINES)
def test_every_line_of_tegrastats_tells_load_temperature_and_power(said: type[Said], line: bytes) -> None:
    assert figures(of_tegrastats(said, line)) >= {"gpu_ratio", "gpu_celsius", "power_watts", "power_covers"}


@fuzz(150)
@given(line=in_turn(MACMON_LINES))
def test_no_mutated_line_of_macmon_does_harm(said: type[Said], line: bytes) -> None:
    of_macmon(said, line)


@fuzz(150)
@given(line=in_turn(TEGRASTATS_LINES))
def test_no_mutated_line_of_tegrastats_does_harm(said: type[Said], line: bytes) -> None:
    of_tegrastats(said, line)


@pytest.fixture
def ioreg(tmp_path: Path) -> Callable[[bytes], Sample]:
    """A program that prints what it is told to, in the place of ioreg."""
    output, program = tmp_path / "output", tmp_path / "ioreg"
    program.write_text(f"#!/bin/sh\nexec cat {output}\n")
    program.chmod(0o755)

    def read(text: bytes) -> Sample:
        output.write_bytes(text)
        return sampled(ioreg_probe(lambda: str(program)))

    return read


@pytest.mark.parametrize("output", IOREG_OUTPUTS)
def test_every_output_of_ioreg_tells_load_and_memory(ioreg: Callable[[bytes], Sample], output: bytes) -> None:
    assert figures(ioreg(output)) == {"gpu_ratio", "gpu_memory_used_bytes", "gpu_memory_allocated_bytes"}


@fuzz(150)
@given(output=in_turn(IOREG_OUTPUTS))
def test_no_mutated_output_of_ioreg_does_harm(ioreg: Callable[[bytes], Sample], output: bytes) -> None:
    ioreg(output)


@pytest.mark.parametrize("stalls", STALLS)
def test_every_recording_of_stalls_is_evidence(tmp_path: Path, stalls: bytes) -> None:
    put_all(tmp_path, {**PLAIN, "proc/pressure/memory": stalls.decode()})
    some, full = (float(text) for text in re.findall(rb"avg10=([\d.]+)", stalls))
    sample = build_linux(tmp_path).read()
    assert sample.pressure_evidence == f"stalled {some:.1f} % of 10 s, fully {full:.1f} %, 50 % available"
    assert sample.pressure == ("warning" if some >= 10 else "normal")


MACHINES: Mapping[str, Mapping[str, str]] = {
    "with a card": {**PLAIN, **SENSORS, **AMD},
    "a container": {**PLAIN, **CONTAINER},
}


@pytest.mark.parametrize("machine", MACHINES)
@fuzz(150)
@given(data=st.data())
def test_no_mutated_file_of_a_kernel_does_harm(tmp_path: Path, machine: str, data: st.DataObject) -> None:
    root, whole = tmp_path / "root", MACHINES[machine]
    put_all(root, dict(whole))
    name = data.draw(st.sampled_from(sorted(whole)))
    broken = data.draw(in_turn((whole[name].encode(), *(STALLS if "pressure" in name else ()))))
    early, clock = data.draw(st.booleans()), Clock()
    if early:
        (root / name).write_bytes(broken)
    sampler = build_linux(root, clock.watch)
    assert_sane(sampler, sampler.read())
    (root / name).write_bytes(broken)
    for _ in range(2):
        clock.now += 1
        assert_sane(sampler, sampler.read())


@pytest.mark.parametrize("total", ["0", "-5", "many"])
def test_a_kernel_that_tells_no_size_of_its_memory_is_asked_in_another_way(tmp_path: Path, total: str) -> None:
    put_all(tmp_path, {**PLAIN, "proc/meminfo": PLAIN["proc/meminfo"].replace("16777216", total)})
    sampler = build_linux(tmp_path)
    assert sampler.machine.memory_bytes == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert_sane(sampler, sampler.read())


WITH_NUMBERS = [(machine, name) for machine, files in MACHINES.items() for name in files if not name.startswith("etc")]


@pytest.mark.parametrize("digits", [25, 400, 5000], ids="{} digits".format)
@pytest.mark.parametrize(("machine", "name"), WITH_NUMBERS)
def test_a_number_of_any_length_is_no_more_than_a_broken_figure(
    tmp_path: Path, machine: str, name: str, digits: int
) -> None:
    files = MACHINES[machine]
    put_all(tmp_path, {**files, name: re.sub(r"\d+", "9" * digits, files[name])})
    sampler = build_linux(tmp_path)
    for _ in range(2):
        assert_sane(sampler, sampler.read())


def wild(value: str) -> st.SearchStrategy[str]:
    """Another value of the same kind, as the stand-in for macOS reads them."""
    match value.partition(":"):
        case "hex" as kind, ":", _:
            return st.binary(max_size=40).map(lambda told: f"{kind}:{told.hex()}")
        case ("i32" | "i64" | "int") as kind, ":", _:
            return WILD_NUMBERS.map(lambda told: f"{kind}:{told}") | wild("data:" if kind == "int" else "hex:")
        case "data", ":", _:
            return st.binary(max_size=40).map(lambda told: f"data:{told.hex()}")
        case (("text" | "dict") as kind, ":", _):
            return st.text(st.characters(min_codepoint=32, max_codepoint=126)).map(lambda told: f"{kind}:{told}")
        case _:
            return WILD_NUMBERS.map(str)


@pytest.fixture
def mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Standin:
    """The fixture Mac without macmon and ioreg, whose Metal cannot be asked: so many children would take too long."""
    library = compiled(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("fleetview_agent.samplers.macos.metal.sys.executable", str(tmp_path / "no python"))
    monkeypatch.setenv(FIXTURE, str(M2MAX))
    return Standin(library)


@fuzz(150)
@given(data=st.data())
def test_no_answer_of_macos_does_harm(mac: Standin, data: st.DataObject) -> None:
    whole = values(M2MAX)
    for key, value in whole.items():
        mac.set(key, value)
    clock = Clock()
    changes: dict[str, str | None] = {}
    for key in data.draw(st.lists(st.sampled_from(sorted(whole)), min_size=1, max_size=3)):
        changes[key] = data.draw(st.none() | wild(whole[key]))
    if data.draw(st.booleans()):
        change(mac, changes)
    try:
        sampler = build_macos(mac.library, clock.watch)
    except ConfigError:
        assert "sysctl.hw.memsize" in changes  # without its memory there is no machine
        return
    assert_sane(sampler, sampler.read())
    change(mac, changes)
    for _ in range(2):
        clock.now += 1
        assert_sane(sampler, sampler.read())
    sampler.close()
    assert mac.count("created") == mac.count("released")
    assert (mac.count("ports"), mac.count("registered"), mac.count("misused")) == (0, 0, 0)


def change(mac: Standin, changes: Mapping[str, str | None]) -> None:
    for key, value in changes.items():
        mac.unset(key) if value is None else mac.set(key, value)
