"""ioreg: its property lists, recorded and bent, and a program that prints them."""

from __future__ import annotations

import plistlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetview_agent.samplers.macos import ioreg
from fleetview_agent.samplers.macos.gpu_statistics import NOT_PUBLISHED
from fleetview_agent.samplers.macos.ioreg import ioreg_probe, parse
from fleetview_agent.samplers.probing import Moment, Probe, Unreadable
from tests.agent.samplers.children import a_script, is_gone, open_files, until

RECORDINGS = Path(__file__).resolve().parents[4].parent / "shared" / "recordings"
STATISTICS = {
    "Alloc system memory": 66_200_000_000,
    "Device Utilization %": 43,
    "In use system memory": 11_000_000_000,
    "In use system memory (driver)": 0,
}
VALUES = {
    "gpu_ratio": 0.43,
    "gpu_memory_used_bytes": 11_000_000_000,
    "gpu_memory_allocated_bytes": 66_200_000_000,
}
OUTPUT = plistlib.dumps([{"IOClass": "AGXAcceleratorG16X", "PerformanceStatistics": STATISTICS}])
Build = Callable[[str], Probe]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """A probe of a program that does what the shell's words say, and notes that it ran."""
    (tmp_path / "output").write_bytes(OUTPUT)

    def build(words: str) -> Probe:
        path = a_script(tmp_path / "ioreg", f"cd {tmp_path}; echo $$ $LC_ALL $* >> calls; {words}")
        return ioreg_probe(lambda: path)

    return build


def calls(tmp_path: Path) -> list[str]:
    return (tmp_path / "calls").read_text().splitlines()


def why(probe: Probe, seconds: float = 0.0) -> str:
    with pytest.raises(Unreadable) as raised:
        probe.read(Moment(seconds))
    return str(raised.value)


def test_the_recorded_list_gives_what_stands_in_it() -> None:
    if not (file := RECORDINGS / "ioreg/m4pro-16core.trimmed.plist").is_file():
        pytest.skip("the recordings are not here")
    assert parse(file.read_bytes()).values == {
        "gpu_ratio": 0.12,
        "gpu_memory_used_bytes": 1_270_726_656,
        "gpu_memory_allocated_bytes": 8_970_174_464,
    }


def test_the_first_accelerator_with_statistics_is_read() -> None:
    others: list[object] = ["text", {"IOClass": "other"}, {"PerformanceStatistics": 3}]
    assert parse(plistlib.dumps([*others, {"PerformanceStatistics": STATISTICS}])).values == VALUES
    with pytest.raises(Unreadable, match="no GPU driver"):
        parse(plistlib.dumps(others))


@pytest.mark.parametrize("output", [b"<plist><dict/></plist>", b"<plist><array>", b"bplist00" + b"\x00" * 40, b"hello"])
def test_what_is_no_array_is_a_value_error(output: bytes) -> None:
    with pytest.raises(ValueError, match="ioreg printed"):
        parse(output)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_bent_list_fails_only_as_it_should(data: st.DataObject) -> None:
    output = bytearray(OUTPUT)
    for _ in range(data.draw(st.integers(1, 4))):
        output[data.draw(st.integers(0, len(output) - 1))] = data.draw(st.integers(0, 255))
    try:
        reading = parse(bytes(output[: data.draw(st.sampled_from((len(output), len(output), len(output) // 2)))]))
    except (Unreadable, ValueError):
        return
    assert (reading.values.keys() | reading.reasons.keys()) == VALUES.keys()


def test_ioreg_is_asked_for_accelerators_alone_and_without_commas(build: Build, tmp_path: Path) -> None:
    probe = build("cat output; head -c 300000 /dev/zero | tr '\\0' ' '")  # the list, and more than a pipe holds
    assert probe.read(Moment(0.0)).values == VALUES
    assert calls(tmp_path)[0].split()[1:] == ["C", "-a", "-r", "-d", "1", "-c", "IOAccelerator"]
    assert (probe.every_seconds, probe.sources.keys()) == (2.0, VALUES.keys())


def test_a_virtual_machine_has_no_gpu_and_is_asked_ever_less_often(build: Build, tmp_path: Path) -> None:
    probe = build("true")
    for seconds, asked in ((0, 1), (4.9, 1), (5, 2), (14.9, 2), (15, 3), (34, 3), (35, 4), (75, 5), (134, 5), (135, 6)):
        assert why(probe, seconds) == NOT_PUBLISHED
        assert len(calls(tmp_path)) == asked


def test_an_ioreg_that_hangs_is_killed(build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ioreg, "TIMEOUT_SECONDS", 0.2)
    files = open_files()
    began = time.monotonic()
    assert why(build("exec sleep 60")) == "ioreg did not answer within 0 s"
    assert time.monotonic() - began < 2
    until(lambda: is_gone(int(calls(tmp_path)[0].split()[0])), "its end")
    assert open_files() == files


def test_an_ioreg_that_fails_is_told_of_and_asked_again(build: Build, tmp_path: Path) -> None:
    probe = build("[ -e repaired ] && cat output || exit 7")
    assert why(probe) == "ioreg ended with exit status 7"
    (tmp_path / "repaired").touch()
    assert probe.read(Moment(5.0)).values == VALUES


def test_no_ioreg_is_a_reason() -> None:
    assert why(ioreg_probe(lambda: None)) == "ioreg is not there"
    assert why(ioreg_probe(lambda: "/nowhere/ioreg")) == "ioreg could not be started: No such file or directory"
