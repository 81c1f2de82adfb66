"""tegrastats: its lines, by the kinds of boards and bent, and a program that prints them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetview_agent.samplers.linux.jetson import SHARED_MEMORY, SOURCES, jetson_probe, parse
from fleetview_agent.samplers.probing import Unreadable
from tests.agent.samplers.children import a_script, first_reading, why_not

RECORDING = Path(__file__).resolve().parents[4].parent / "shared" / "recordings" / "jetson" / "tegrastats.lines.txt"
ORIN_NANO = (
    "11-15-2024 08:38:09 RAM 6185/7620MB (lfb 8x2MB) SWAP 851/3810MB (cached 1MB) CPU [15%@729,11%@729] "
    "EMC_FREQ 43%@2133 GR3D_FREQ 63%@[621] cpu@53.968C soc2@52.437C gpu@53.343C tj@55.5C VDD_IN 12479mW/11000mW "
    "VDD_SOC 2817mW/2817mW"
)
AGX_ORIN = (
    "RAM 9000/62841MB (lfb 4x4MB) SWAP 0/31420MB (cached 0MB) CPU [1%@729,off,off] "
    "GR3D_FREQ 99%@[1300,918] cpu@50C gpu@-256C VDD_GPU_SOC 15000mW/4000mW VDD_CPU_CV 2500mW/800mW "
    "VIN_SYS_5V0 6000mW/5000mW VDDQ_VDD2_1V8AO 1500mW/1000mW"
)
TX2 = (
    "RAM 3276/7859MB (lfb 5x4MB) CPU [44%@1421,off] EMC_FREQ 1%@1866 GR3D_FREQ 0%@114 "
    "MCPU@42.5C PMIC@50C GPU@39.5C BCPU@44C thermal@41.3C "
    "VDD_SYS_GPU 182/190 VDD_4V0_WIFI 10/10 VDD_IN 5297/5300 VDD_SYS_CPU 1917/1917"
)
AGX_XAVIER = (
    "RAM 2000/31918MB (lfb 100x4MB) CPU [1%@1190] GR3D_FREQ 5% AUX@30C CPU@31.5C GPU@30.5C "
    "GPU 1000/900 CPU 600/600 SOC 1200/1200 CV 0/0 VDDRQ 300/300 SYS5V 1600/1600"
)


@pytest.mark.parametrize(
    ("line", "values"),
    [
        (
            ORIN_NANO,
            {
                "gpu_ratio": 0.63,
                "gpu_hertz": 621e6,
                "gpu_celsius": 53.343,
                "cpu_celsius": 53.968,
                "power_watts": 12.479,
                "power_covers": "system",
            },
        ),
        (
            AGX_ORIN,
            {"gpu_ratio": 0.99, "gpu_hertz": 1.3e9, "cpu_celsius": 50.0, "power_watts": 19.0, "power_covers": "chip"},
        ),
        (
            TX2,
            {
                "gpu_ratio": 0.0,
                "gpu_hertz": 114e6,
                "gpu_celsius": 39.5,
                "cpu_celsius": 44.0,
                "gpu_watts": 0.182,
                "power_watts": 5.297,
                "power_covers": "system",
            },
        ),
        (
            AGX_XAVIER,
            {
                "gpu_ratio": 0.05,
                "gpu_celsius": 30.5,
                "cpu_celsius": 31.5,
                "gpu_watts": 1.0,
                "power_watts": 3.1,
                "power_covers": "chip",
            },
        ),
    ],
    ids=["Orin Nano", "AGX Orin", "TX2", "AGX Xavier"],
)
def test_each_kind_of_board_is_understood(line: str, values: dict[str, object]) -> None:
    reading = parse(line)
    assert reading.values == pytest.approx(values)
    assert reading.reasons.keys() == SOURCES.keys() - values.keys() | {
        "gpu_memory_used_bytes",
        "gpu_memory_limit_bytes",
    }


def test_every_recorded_line_is_understood() -> None:
    if not RECORDING.is_file():
        pytest.skip("the recordings are not here")
    readings = [parse(line) for line in RECORDING.read_text().splitlines() if line]
    assert [reading.values["gpu_ratio"] for reading in readings] == [0.63, 0.0, 0.0]
    assert [reading.values["power_watts"] for reading in readings] == [12.479, 4.824, 5.297]
    assert [reading.values["gpu_celsius"] for reading in readings] == [53.343, 49.031, 39.5]


def test_the_memory_of_the_machine_is_not_taken_for_the_gpus() -> None:
    assert parse(ORIN_NANO).reasons["gpu_memory_used_bytes"] == SHARED_MEMORY


@pytest.mark.parametrize("line", ["", "tegrastats: command not permitted", "RAM 12", "RAM 1/2GB"])
def test_what_is_no_reading_is_a_reason(line: str) -> None:
    with pytest.raises(Unreadable, match="no reading"):
        parse(line)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from((ORIN_NANO, AGX_ORIN, TX2, AGX_XAVIER)), st.data())
def test_a_bent_line_fails_only_as_it_should(line: str, data: st.DataObject) -> None:
    text = list(line)
    for _ in range(data.draw(st.integers(1, 4))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.characters())
    bent = "".join(text[: data.draw(st.integers(0, len(text)))]) + data.draw(st.sampled_from(("", "9" * 5000)))
    try:
        reading = parse(bent)
    except Unreadable:
        return
    assert SOURCES.keys() <= reading.values.keys() | reading.reasons.keys()
    assert all(isinstance(value, float | int | str) for value in reading.values.values())


def test_a_running_tegrastats_gives_its_figures(tmp_path: Path) -> None:
    path = a_script(tmp_path / "tegrastats", f"echo $* > {tmp_path}/calls; while :; do echo '{TX2}'; sleep 0.02; done")
    probe = jetson_probe(lambda: path)
    assert probe is not None
    assert first_reading(probe.read).values["power_watts"] == 5.297
    assert (tmp_path / "calls").read_text() == "--interval 1000\n"
    probe.close()


def test_a_tegrastats_that_may_not_look_says_why(tmp_path: Path) -> None:
    path = a_script(tmp_path / "tegrastats", "echo 'permission denied' >&2; exit 1")
    probe = jetson_probe(lambda: path)
    assert probe is not None
    why = why_not(probe.read, "ended")
    assert why == "tegrastats ended with exit status 1 (permission denied) and is started again"
    probe.close()


def test_a_machine_without_tegrastats_is_no_jetson() -> None:
    assert jetson_probe(lambda: None) is None
