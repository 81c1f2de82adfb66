from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from fleetview_agent.samplers.linux.gpus import GpuIdentity
from fleetview_agent.samplers.linux.nvidia import nvidia_probe
from fleetview_agent.samplers.linux.nvml import NO_LIBRARY, NO_PACKAGE
from fleetview_agent.samplers.probing import Moment, ProbedSampler
from tests.builders import a_machine
from tests.nvml.machine import GIB, MEMORY_BYTES, MIB, PLAIN, Build, Clock, identity
from tests.nvml.standin import NvmlStandIn

pynvml = pytest.importorskip("pynvml", reason="nvidia-ml-py, of the extra nvidia, is not installed")
UNINITIALIZED, NOT_LOADED, LOST, MISMATCH = 1, 9, 15, 18


def test_a_lost_gpu_comes_back_after_the_driver_was_started_anew(
    nvml: NvmlStandIn, sampler: Build, clock: Clock
) -> None:
    nvml.set(gpus=1)
    nvml.set("gpu0", **PLAIN)
    one = sampler()
    assert one.read().gpu_ratio == 0.4
    nvml.set("gpu0", problem=LOST)
    lost = one.read()
    assert lost.gpu_ratio is None
    assert "lost" in lost.reasons["gpu_ratio"]
    assert nvml.count("started") == nvml.count("ended")
    nvml.set("gpu0", problem=None)
    assert one.read().gpu_ratio is None  # left alone for a while
    clock.seconds += 6
    assert one.read().gpu_ratio == 0.4


def test_one_lost_gpu_of_two_is_reasons_and_is_looked_for_each_minute(
    nvml: NvmlStandIn, sampler: Build, clock: Clock
) -> None:
    nvml.set(gpus=2)
    nvml.set("gpu0", **PLAIN, name="A")
    nvml.set("gpu1", **PLAIN, name="B")
    one = sampler()
    assert one.read().gpu_memory_used_bytes == 12 * GIB
    nvml.set("gpu1", problem=LOST)
    sample = one.read()
    assert sample.gpu_ratio == 0.4
    assert sample.gpu_memory_used_bytes is None
    assert sample.reasons["gpu_memory_used_bytes"].startswith("B: the driver has lost this GPU")
    assert [gpu.memory_used_bytes for gpu in sample.gpus] == [6 * GIB, None]
    clock.seconds += 61
    assert [gpu.name for gpu in one.read().gpus] == ["A", "NVIDIA GPU 1"]
    nvml.set("gpu1", problem=None)
    clock.seconds += 61
    assert one.read().gpu_memory_used_bytes == 12 * GIB


def test_a_driver_that_is_loaded_again_is_picked_up_and_asked_more_seldom_the_longer_it_is_away(
    nvml: NvmlStandIn, sampler: Build, clock: Clock
) -> None:
    nvml.set(gpus=1, driver=NOT_LOADED)
    nvml.set("gpu0", **PLAIN)
    one = sampler()
    began = nvml.count("refused")
    for _ in range(300):
        sample = one.read()
        assert sample.reasons["gpu_ratio"] == "the NVIDIA driver is not loaded"
        clock.seconds += 1
    assert 5 <= nvml.count("refused") - began <= 10
    nvml.set(driver=None)
    clock.seconds += 60
    assert one.read().gpu_ratio == 0.4
    nvml.set(driver=UNINITIALIZED)  # unloaded and loaded beneath us
    assert one.read().reasons["gpu_ratio"] == "the NVIDIA driver was restarted"
    nvml.set(driver=None)
    clock.seconds += 6
    assert one.read().gpu_ratio == 0.4


def test_a_driver_that_was_updated_beneath_its_library_says_so(nvml: NvmlStandIn, sampler: Build) -> None:
    nvml.set(gpus=1, driver=MISMATCH)
    assert "restart fleetview-agent" in sampler().read().reasons["gpu_ratio"]


def test_a_driver_without_the_python_package_says_what_to_install(
    nvml: NvmlStandIn, sampler: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert sampler().read().reasons["gpu_ratio"] == NO_PACKAGE
    assert "fleetview-agent[nvidia]" in NO_PACKAGE


def test_a_container_without_the_drivers_library_says_so(tmp_path: Path) -> None:
    (tmp_path / "proc/driver/nvidia").mkdir(parents=True)
    found = nvidia_probe(MEMORY_BYTES, tmp_path)
    assert found is not None
    sample = ProbedSampler(a_machine(), (found[0],), {}).read()
    assert sample.reasons["gpu_ratio"] == NO_LIBRARY


def test_the_library_alone_is_no_sign_of_a_gpu_but_with_a_device_on_the_bus_it_is(
    nvml: NvmlStandIn, tmp_path: Path
) -> None:
    assert nvidia_probe(MEMORY_BYTES, tmp_path) is None
    assert nvidia_probe(MEMORY_BYTES, tmp_path, (str(nvml.path),)) is None
    device = tmp_path / "sys/bus/pci/devices/0000:01:00.0"
    device.mkdir(parents=True)
    (device / "vendor").write_text("0x10de\n")
    found = nvidia_probe(MEMORY_BYTES, tmp_path, (str(nvml.path),))
    assert found is not None
    assert found[1] is None
    found[0].close()


@pytest.mark.parametrize("name", [b"NVIDIA \xff\xfe", None], ids=["not a text", "not told"])
def test_a_name_that_cannot_be_read_costs_the_name_alone(
    nvml: NvmlStandIn, sampler: Build, root: Path, name: bytes | None
) -> None:
    nvml.set(gpus=1)
    nvml.set("gpu0", **PLAIN, name=name)
    assert sampler().read().gpu_ratio == 0.4
    assert identity(root) == GpuIdentity("NVIDIA GPU 0")


def test_an_older_nvidia_ml_py_tells_names_as_bytes(
    nvml: NvmlStandIn, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nvml.set(gpus=3)
    for index, name in enumerate(("A", "B", "B")):
        nvml.set(f"gpu{index}", **PLAIN, name=name)
    told = pynvml.nvmlDeviceGetName
    monkeypatch.setattr(pynvml, "nvmlDeviceGetName", lambda handle: told(handle).encode())
    assert identity(root) == GpuIdentity("B", 2)


def test_ten_thousand_readings_ask_the_same_each_time_and_leave_nothing_behind(nvml: NvmlStandIn, root: Path) -> None:
    nvml.set(gpus=1)
    nvml.set("gpu0", **PLAIN, megahertz=1500)
    found = nvidia_probe(MEMORY_BYTES, root)
    assert found is not None
    probe = found[0]
    for at in range(1_000):
        probe.read(Moment(at))
    process = psutil.Process()
    resident, calls = process.memory_info().rss, nvml.count("calls")
    for at in range(10_000):
        probe.read(Moment(at))
    assert (nvml.count("calls") - calls) % 10_000 == 0
    assert process.memory_info().rss - resident < MIB
    probe.close()
