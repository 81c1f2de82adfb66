"""What a Linux machine says that it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetview_agent.samplers.linux import build_sampler
from tests.linux_files import put


def test_the_machine_is_described(root: Path) -> None:
    put(root, "sys/class/dmi/id/product_name", "ThinkStation P620\n")
    put(root, "sys/class/dmi/id/product_serial", "S3CRET\n")
    machine = build_sampler(root).machine
    assert machine.platform == "linux"
    assert machine.chip == "Imaginary 9000 @ 5.00GHz"
    assert machine.model == "ThinkStation P620"
    assert machine.system == "Debian GNU/Linux 12 (bookworm)"
    assert machine.memory_bytes == 16 << 30
    assert machine.gpu is None
    assert machine.cpu_core_kinds == {}
    assert not machine.virtual
    assert not machine.simulated
    assert "S3CRET" not in machine.model_dump_json()


def test_a_board_without_a_processor_name_is_named_itself(root: Path) -> None:
    put(root, "proc/cpuinfo", "processor\t: 0\nBogoMIPS\t: 108.00\n")
    put(root, "proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0")
    machine = build_sampler(root).machine
    assert machine.chip == machine.model == "Raspberry Pi 5 Model B Rev 1.0"


@pytest.mark.parametrize("name", ["To Be Filled By O.E.M.", "System Product Name", "Default string", "\n"])
def test_what_a_maker_forgot_to_fill_in_is_no_name(root: Path, name: str) -> None:
    put(root, "sys/class/dmi/id/product_name", name)
    assert build_sampler(root).machine.model is None


@pytest.mark.parametrize(
    ("file", "text"),
    [("proc/cpuinfo", "model name\t: Any\nflags\t\t: fpu hypervisor lahf_lm\n"), ("sys/hypervisor/type", "xen\n")],
)
def test_a_virtual_machine_is_known_as_one(root: Path, file: str, text: str) -> None:
    put(root, file, text)
    assert build_sampler(root).machine.virtual


@pytest.mark.parametrize(
    ("performance", "efficiency", "kinds"),
    [
        ("0-15\n", "16-23\n", {"performance": 16, "efficiency": 8}),
        ("0,2-5,7", "8", {"performance": 6, "efficiency": 1}),
        ("0-15\n", "", {}),
        ("all", "some", {}),
    ],
)
def test_two_kinds_of_core_are_counted(root: Path, performance: str, efficiency: str, kinds: dict[str, int]) -> None:
    put(root, "sys/devices/cpu_core/cpus", performance)
    put(root, "sys/devices/cpu_atom/cpus", efficiency)
    machine = build_sampler(root).machine
    assert machine.cpu_core_kinds == kinds
    assert list(machine.cpu_core_kinds) == list(kinds), "the fastest come first"


def test_a_jetson_is_told_by_its_program(root: Path) -> None:
    put(root, "proc/device-tree/model", "NVIDIA Jetson Orin Nano Developer Kit\0")
    put(root, "usr/bin/tegrastats", "#!/bin/sh\n")
    (root / "usr/bin/tegrastats").chmod(0o755)
    sampler = build_sampler(root)
    sampler.close()
    assert sampler.machine.gpu == "NVIDIA Jetson Orin Nano Developer Kit"
    assert sampler.machine.unified_memory
    assert sampler.machine.sources["gpu_ratio"] == "tegrastats, GR3D_FREQ"
