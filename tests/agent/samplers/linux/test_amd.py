"""AMD's GPUs, by the files of their driver."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from fleetview_agent.samplers.linux import build_sampler
from tests.linux_files import put, put_all

RECORDING = Path(__file__).resolve().parents[4].parent / "shared" / "recordings" / "amd" / "rocm-smi.rx6700xt.json"
GIB = 1 << 30
CARD = {
    "vendor": "0x1002\n",
    "device": "0x73df\n",
    "revision": "0xc1\n",
    "gpu_busy_percent": "37\n",
    "mem_info_vram_total": f"{12 * GIB}\n",
    "mem_info_vram_used": f"{5 * GIB}\n",
    "mem_info_gtt_total": f"{8 * GIB}\n",
    "mem_info_gtt_used": f"{GIB}\n",
    "power/runtime_status": "active\n",
    "hwmon/hwmon3/name": "amdgpu\n",
    "hwmon/hwmon3/temp1_input": "45000\n",
    "hwmon/hwmon3/temp1_label": "edge\n",
    "hwmon/hwmon3/temp2_input": "58000\n",
    "hwmon/hwmon3/temp2_label": "junction\n",
    "hwmon/hwmon3/freq1_input": "2424000000\n",
    "hwmon/hwmon3/power1_average": "186000000\n",
    "hwmon/hwmon3/fan1_input": "1450\n",
}
STRIX_HALO = {
    "vendor": "0x1002\n",
    "device": "0x1586\n",
    "revision": "0xc1\n",
    "gpu_busy_percent": "80\n",
    "mem_info_vram_total": f"{GIB // 2}\n",
    "mem_info_vram_used": f"{GIB // 4}\n",
    "mem_info_gtt_total": f"{12 * GIB}\n",
    "mem_info_gtt_used": f"{10 * GIB}\n",
    "hwmon/hwmon5/name": "amdgpu\n",
    "hwmon/hwmon5/in1_label": "vddnb\n",
    "hwmon/hwmon5/temp1_input": "66000\n",
    "hwmon/hwmon5/power1_input": "71000000\n",
}


def card(root: Path, number: int, files: dict[str, str]) -> Path:
    put_all(root, files, f"sys/class/drm/card{number}/device")
    return root / f"sys/class/drm/card{number}/device"


def test_a_card_is_read(root: Path) -> None:
    card(root, 1, CARD)
    put(root, "sys/class/drm/card1-DP-1/status", "connected\n")
    put(root, "sys/class/drm/card0/device/vendor", "0x1a03\n")
    sampler = build_sampler(root)
    sample = sampler.read()
    assert sampler.machine.gpu == "AMD GPU 1002:73df"
    assert sampler.machine.gpu_count == 1
    assert not sampler.machine.unified_memory
    assert sampler.machine.sources["gpu_memory_used_bytes"].endswith("VRAM")
    assert sample.gpu_ratio == 0.37
    assert (sample.gpu_memory_used_bytes, sample.gpu_memory_limit_bytes) == (5 * GIB, 12 * GIB)
    assert sample.gpu_celsius == 58.0, "the junction is hotter than the edge"
    assert sample.gpu_hertz == 2_424e6
    assert sample.gpu_watts == sample.power_watts == 186.0
    assert sample.power_covers == "gpu"
    assert sample.gpus == ()


def test_the_recorded_card_is_read_as_its_own_tool_read_it(root: Path) -> None:
    if not RECORDING.exists():
        pytest.skip("the recordings are not at hand")
    told = json.loads(RECORDING.read_text())["card0"]
    device = card(root, 0, CARD)
    put_all(
        device,
        {
            "gpu_busy_percent": told["GPU use (%)"],
            "mem_info_vram_total": told["VRAM Total Memory (B)"],
            "mem_info_vram_used": told["VRAM Total Used Memory (B)"],
            "hwmon/hwmon3/temp1_input": f"{float(told['Temperature (Sensor edge) (C)']) * 1000:.0f}",
            "hwmon/hwmon3/temp2_input": f"{float(told['Temperature (Sensor junction) (C)']) * 1000:.0f}",
            "hwmon/hwmon3/power1_average": f"{float(told['Average Graphics Package Power (W)']) * 1e6:.0f}",
        },
    )
    sample = build_sampler(root).read()
    assert (sample.gpu_ratio, sample.gpu_celsius, sample.gpu_watts) == (0.0, 47.0, 6.0)
    assert (sample.gpu_memory_used_bytes, sample.gpu_memory_limit_bytes) == (1_572_745_216, 12_868_124_672)


def test_a_gpu_within_the_processor_has_what_was_set_apart_and_what_it_may_take(root: Path) -> None:
    card(root, 0, STRIX_HALO)
    sampler = build_sampler(root)
    sample = sampler.read()
    assert sampler.machine.unified_memory
    assert "VRAM + GTT" in sampler.machine.sources["gpu_memory_used_bytes"]
    assert sample.gpu_memory_used_bytes == 10 * GIB + GIB // 4
    assert sample.gpu_memory_limit_bytes == 12 * GIB + GIB // 2
    assert sample.gpu_watts == 71.0
    assert sample.reasons["gpu_hertz"] == "the card has no such sensor"


def test_memory_that_the_firmware_set_apart_is_not_the_machines(root: Path) -> None:
    card(root, 0, {**STRIX_HALO, "mem_info_vram_total": f"{96 * GIB}", "mem_info_vram_used": f"{70 * GIB}"})
    sampler = build_sampler(root)
    assert not sampler.machine.unified_memory
    assert sampler.read().gpu_memory_used_bytes == 80 * GIB, "more than the 16 GiB that the system has for itself"


def test_beside_a_real_card_the_processors_own_gpu_does_not_count(root: Path) -> None:
    card(root, 0, STRIX_HALO)
    card(root, 1, CARD)
    sampler = build_sampler(root)
    assert (sampler.machine.gpu, sampler.machine.gpu_count) == ("AMD GPU 1002:73df", 1)
    assert sampler.read().gpu_ratio == 0.37


def test_figures_of_a_card_of_another_maker_are_not_mixed_in(root: Path) -> None:
    card(root, 0, STRIX_HALO)
    put(root, "proc/driver/nvidia/version", "NVRM version: any\n")
    sampler = build_sampler(root)
    sample = sampler.read()
    sampler.close()
    assert (sampler.machine.gpu, sample.gpu_ratio) == (None, None)
    assert "NVIDIA" in sample.reasons["gpu_ratio"]


def test_several_cards_are_told_apart_and_together(root: Path) -> None:
    for number in (1, 2, 10):
        card(root, number, {**CARD, "gpu_busy_percent": f"{number * 10}\n"})
    sampler = build_sampler(root)
    sample = sampler.read()
    assert sampler.machine.gpu_count == 3
    assert [gpu.ratio for gpu in sample.gpus] == [0.1, 0.2, 1.0], "in the order of their numbers"
    assert sample.gpu_memory_limit_bytes == 36 * GIB


@pytest.mark.parametrize(
    ("files", "name"),
    [
        (
            {"usr/share/libdrm/amdgpu.ids": "# List\n1.0.0\n73DF,\tC1,\tAMD Radeon RX 6700 XT\n"},
            "AMD Radeon RX 6700 XT",
        ),
        ({"usr/share/libdrm/amdgpu.ids": "73DF,\tFF,\tAnother\n"}, "AMD GPU 1002:73df"),
        ({"sys/class/drm/card0/device/product_name": "Instinct MI210\n"}, "Instinct MI210"),
        ({"sys/class/drm/card0/device/product_name": "\n"}, "AMD GPU 1002:73df"),
    ],
)
def test_a_card_is_called_by_the_best_name_there_is(root: Path, files: dict[str, str], name: str) -> None:
    card(root, 0, CARD)
    put_all(root, files)
    assert build_sampler(root).machine.gpu == name


def test_a_card_that_sleeps_is_left_asleep(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = card(root, 0, {**CARD, "power/runtime_status": "suspended\n"})
    sampler = build_sampler(root)
    read: set[str] = set()
    open_path = Path.open

    def watched(path: Path, *how: Any, **also: Any) -> Any:  # as the function it stands for
        read.add(path.name)
        return open_path(path, *how, **also)

    monkeypatch.setattr(Path, "open", watched)
    sample = sampler.read()
    assert sample.gpu_memory_used_bytes == 5 * GIB
    for field in ("gpu_ratio", "gpu_celsius", "gpu_hertz", "gpu_watts"):
        assert sample.reasons[field] == "the card sleeps, and asking would wake it"
    assert not read & {"gpu_busy_percent", "temp1_input", "freq1_input", "power1_average", "fan1_input"}
    put(device, "power/runtime_status", "active\n")
    assert sampler.read().gpu_ratio == 0.37


def test_a_figure_that_the_driver_refuses_costs_no_other(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card(root, 0, {**CARD, "mem_info_vram_used": "many\n", "hwmon/hwmon3/temp2_input": "-273000\n"})
    sampler = build_sampler(root)
    open_path = Path.open

    def refused(path: Path, *how: Any, **also: Any) -> Any:  # as the function it stands for
        if path.name == "gpu_busy_percent":
            raise OSError(errno.EBUSY, "Device or resource busy")
        return open_path(path, *how, **also)

    monkeypatch.setattr(Path, "open", refused)
    sample = sampler.read()
    assert sample.reasons["gpu_ratio"] == "the driver does not tell it: Device or resource busy"
    assert sample.reasons["gpu_memory_used_bytes"] == "the driver told no number"
    assert (sample.gpu_celsius, sample.gpu_memory_limit_bytes) == (45.0, 12 * GIB)


def test_a_driver_that_is_loaded_again_may_number_its_card_anew(root: Path) -> None:
    card(root, 0, CARD)
    sampler = build_sampler(root)
    assert sampler.read().gpu_ratio == 0.37
    (root / "sys/class/drm/card0").rename(root / "sys/class/drm/gone")
    assert sampler.read().reasons["gpu_ratio"] == "the driver amdgpu is not loaded any more"
    (root / "sys/class/drm/gone").rename(root / "sys/class/drm/card2")
    assert sampler.read().gpu_ratio == 0.37
