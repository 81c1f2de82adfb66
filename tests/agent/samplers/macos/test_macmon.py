"""macmon: its lines, recorded and bent, and a program that prints them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetview_agent.samplers.macos import macmon
from fleetview_agent.samplers.macos.macmon import NOT_INSTALLED, SILENT, SOURCES, macmon_probe, parse
from fleetview_agent.samplers.probing import Probe, ProbedSampler
from tests.agent.samplers.children import a_script, first_reading, is_gone, open_files, why_not
from tests.builders import a_machine

RECORDINGS = Path(__file__).resolve().parents[4].parent / "shared" / "recordings"
LINE = {
    "temp": {"cpu_temp_avg": 57.5, "gpu_temp_avg": 61.25},
    "fans": [{"name": "fan0", "rpm": 2412, "max_rpm": 5779}, {"name": "fan1", "rpm": 0, "max_rpm": None}],
    "cpu_active_ratio": 0.25,
    "ecpu_usage": [1699, 0.16],
    "gpu_freq_mhz": 1578,
    "gpu_active_ratio": 0.97,
    "gpu_usage": [1578, 0.94],
    "cpu_power": 3.5,
    "gpu_power": 24.5,
    "all_power": 28.0,
    "sys_power": 41.25,
}
"""A line of 0.8.2, without what we do not read."""
VALUES = {
    "gpu_watts": 24.5,
    "power_watts": 41.25,
    "power_covers": "system",
    "gpu_celsius": 61.25,
    "cpu_celsius": 57.5,
    "gpu_hertz": 1.578e9,
    "fans_rpm": (2412.0, 0.0),
    "gpu_ratio": 0.97,
}
Install = Callable[..., Probe]


def values(**changes: object) -> dict[str, object]:
    """What a line gives in which something is different."""
    return dict(parse(json.dumps({**LINE, **changes})).values)


def reason(field: str, **changes: object) -> str:
    """Why a line does not give it in which something is different."""
    reading = parse(json.dumps({**LINE, **changes}))
    assert field not in reading.values
    return reading.reasons[field]


def test_a_line_gives_every_figure() -> None:
    assert values() == VALUES
    assert parse(json.dumps(LINE)).reasons == {}
    assert VALUES.keys() - {"power_covers"} == SOURCES.keys()


@pytest.mark.parametrize(
    ("recording", "expected", "unknown"),
    [
        (
            "macmon/pipe.v0.6-0.7.16gb.ndjson",
            {"power_watts": 10.4955, "gpu_watts": 0.010859, "gpu_hertz": 503e6, "gpu_celsius": 29.445},
            {"gpu_ratio", "fans_rpm"},
        ),
        ("macmon/doc-example.v0.8.json", {"power_watts": 5.8765, "gpu_ratio": 0.09, "fans_rpm": (999, 1200)}, set()),
        (
            "synthetic/macmon-pipe.v0.8.2.ndjson",
            {"power_watts": 41.25, "gpu_watts": 24.87, "gpu_hertz": 1.578e9},
            set(),
        ),
    ],
)
def test_recorded_lines_give_what_stands_in_them(
    recording: str, expected: dict[str, object], unknown: set[str]
) -> None:
    if not (file := RECORDINGS / recording).is_file():
        pytest.skip("the recordings are not here")
    reading = parse(file.read_text())
    assert {name: reading.values[name] for name in expected} == pytest.approx(expected, rel=1e-4)
    assert reading.values["power_covers"] == "system"
    assert reading.reasons.keys() == unknown


def test_power_of_the_machine_that_macmon_cannot_read_is_no_zero() -> None:
    told = values(sys_power=0.0)
    assert (told["power_watts"], told["power_covers"]) == (28.0, "chip")


def test_power_that_macmon_raised_to_that_of_the_chip_is_of_the_chip() -> None:
    told = values(sys_power=28.0)
    assert (told["power_watts"], told["power_covers"]) == (28.0, "chip")


def test_a_chip_without_its_processor_has_no_power() -> None:
    assert "macOS 27" in reason("power_watts", sys_power=0.0, cpu_power=0.0, all_power=24.5)
    assert values(cpu_power=0.0, all_power=24.5)["power_watts"] == 41.25


def test_a_gpu_that_rests_has_measured_zeros() -> None:
    told = values(gpu_power=0.0, gpu_freq_mhz=0, gpu_active_ratio=0.0, gpu_usage=[0, 0.0])
    assert (told["gpu_watts"], told["gpu_hertz"], told["gpu_ratio"]) == (0, 0, 0)


def test_a_busy_gpu_that_draws_nothing_is_not_believed() -> None:
    assert "draws no power" in reason("gpu_watts", gpu_power=0.0)
    assert "stands still" in reason("gpu_hertz", gpu_freq_mhz=0)


def test_zeros_where_nothing_moves_are_not_believed() -> None:
    still = {
        **dict.fromkeys(LINE, 0.0),
        "temp": {"cpu_temp_avg": 0.0, "gpu_temp_avg": 0.0},
        "fans": [],
        "ecpu_usage": [0, 0.0],
        "gpu_usage": [0, 0.0],
    }
    reading = parse(json.dumps(still))
    assert reading.values == {}
    assert {reading.reasons[name] for name in ("gpu_watts", "gpu_hertz", "gpu_ratio")} == {SILENT}
    assert reading.reasons["gpu_celsius"] == reading.reasons["cpu_celsius"] == "macmon finds no such sensor here"
    assert "SMC" in reading.reasons["fans_rpm"]


def test_a_machine_without_fans_has_none_and_that_is_known() -> None:
    assert values(fans=[])["fans_rpm"] == ()


@pytest.mark.parametrize("fans", ["2", {}, [3], [{}], [{"rpm": "2"}], [{"rpm": -1}], [{"rpm": 1e9}], [{"rpm": 1}] * 99])
def test_fans_that_cannot_be_are_not_shown(fans: object) -> None:
    assert "cannot be" in reason("fans_rpm", fans=fans)


def test_the_share_that_is_scaled_by_the_frequency_is_not_taken() -> None:
    older = {name: value for name, value in LINE.items() if name not in {"gpu_active_ratio", "gpu_freq_mhz", "fans"}}
    reading = parse(json.dumps(older))
    assert reading.values["gpu_hertz"] == 1.578e9
    assert "0.8" in reading.reasons["gpu_ratio"]
    assert "0.8" in reading.reasons["fans_rpm"]


@pytest.mark.parametrize("value", [True, None, "3.5", [], {}, float("nan"), float("inf"), 10**400])
def test_what_is_no_number_is_no_figure(value: object) -> None:
    told = parse(json.dumps({**dict.fromkeys(LINE, value), "temp": {"cpu_temp_avg": value, "gpu_temp_avg": value}}))
    assert told.values == {}
    assert told.reasons.keys() == SOURCES.keys()


@pytest.mark.parametrize("line", ["", "{", "[1]", "3", "null", "[" * 100_000, '{"a":' * 100_000, "9" * 5000])
def test_what_is_no_line_of_macmon_is_a_value_error(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(line)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_bent_line_never_gives_what_cannot_be(data: st.DataObject) -> None:
    text = bytearray(json.dumps(LINE).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    line = bytes(text[: data.draw(st.sampled_from((len(text), len(text), len(text) - 1, 60)))]).decode(errors="replace")

    def read(_: object) -> object:
        return parse(line)

    sample = ProbedSampler(a_machine(), (Probe("macmon", SOURCES, read),), {}).read()  # type: ignore[arg-type] # as is
    for name in ("gpu_watts", "power_watts", "gpu_celsius", "cpu_celsius", "gpu_hertz", "gpu_ratio", "fans_rpm"):
        assert (getattr(sample, name) is None) == (name in sample.reasons)
    assert sample.gpu_ratio is None or 0 <= sample.gpu_ratio <= 1
    assert sample.gpu_celsius is None or 0 < sample.gpu_celsius <= 150
    assert all(0 <= rpm <= 100_000 for rpm in sample.fans_rpm or ())


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Install]:
    """Puts a macmon there that tells its version, and prints lines."""
    path = tmp_path / "macmon"
    probes: list[Probe] = []

    def build(version: str = "echo macmon 0.8.2", line: str = json.dumps(LINE)) -> Probe:
        pipe = f"echo $$ $* >> {tmp_path}/calls; while :; do echo '{line}'; sleep 0.02; done"
        a_script(path, f'case "$1" in --version) {version};; pipe) {pipe};; esac')
        probes.append(macmon_probe(lambda: str(path) if path.exists() else None))
        return probes[-1]

    yield build
    for probe in probes:
        probe.close()


def test_a_running_macmon_gives_its_figures_and_goes_when_it_is_closed(install: Install, tmp_path: Path) -> None:
    files, threads = open_files(), threading.active_count()
    probe = install()
    assert first_reading(probe.read).values == VALUES
    pid, *arguments = (tmp_path / "calls").read_text().split()
    assert arguments == ["pipe", "--samples", "0", "--interval", "1000"]
    probe.close()
    assert is_gone(int(pid))
    assert (open_files(), threading.active_count()) == (files, threads)


@pytest.mark.parametrize(
    ("version", "why"),
    [
        ("echo macmon 0.6.1", "macmon 0.6.1 is too old (0.7 or newer; older ones crash on M5): brew upgrade macmon"),
        ("echo nonsense", "macmon --version tells no version: brew reinstall macmon"),
        ("exec sleep 60", "macmon --version did not answer within 0 s"),
    ],
)
def test_a_macmon_that_will_not_do_is_not_started(
    install: Install, tmp_path: Path, version: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "sleep" in version:
        monkeypatch.setattr(macmon, "VERSION_SECONDS", 0.1)
    probe = install(version)
    assert why_not(probe.read, "macmon --version" if "0.6" not in version else "too old") == why
    assert not (tmp_path / "calls").exists()


@pytest.mark.parametrize("version", ["0.7.0", "0.10.0", "1.0"])
def test_every_newer_version_is_started(install: Install, version: str) -> None:
    assert first_reading(install(f"echo macmon {version}").read).values == VALUES


def test_a_macmon_that_prints_something_else_is_told_of(install: Install) -> None:
    assert why_not(install(line="hello").read, "no reading") == "macmon printed 'hello', which is no reading"


def test_a_macmon_that_is_installed_later_is_found(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(macmon, "FOLDERS", (str(tmp_path),))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    probe = macmon_probe()
    assert why_not(probe.read, "install") == NOT_INSTALLED
    install()
    assert first_reading(probe.read).values == VALUES
    probe.close()
