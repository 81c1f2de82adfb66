from __future__ import annotations

from pathlib import Path

import pytest

from fleetview_agent.samplers.linux import build_sampler
from fleetview_agent.samplers.linux.gpus import GpuIdentity
from tests.nvml.machine import GIB, MEMORY_BYTES, MIB, PLAIN, Build, identity, memory
from tests.nvml.recorded import RECORDINGS, figures, instances
from tests.nvml.standin import NvmlStandIn

recorded = pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings are not here")
H100 = "NVIDIA H100 80GB HBM3"
NO_PERMISSION, VERSION, UNKNOWN = "!4", "!25", "!999"


@recorded
@pytest.mark.parametrize(
    ("recording", "name", "told"),
    [
        ("smi-query-gpu.h100.idle.csv", H100, (0.0, 0, 81559, 41, 345e6, 69.85)),
        ("smi-query-gpu.h100.load.csv", H100, (1.0, 19818, 81559, 59, 1980e6, 631.95)),
        (
            "smi-query-gpu.rtx4080super.load.all-columns.csv",
            "NVIDIA GeForce RTX 4080 SUPER",
            (0.07, 1474, 16376, 46, 2805e6, 84.24),
        ),
        ("smi-q-x.tesla-t4.xml", "Tesla T4", (0.0, 1032, 15360, 40, 585e6, 26.78)),
        ("smi-q-x.rtx-3080-v13.xml", "NVIDIA GeForce RTX 3080", (0.65, 9184, 10240, 27, 1950e6, 139.62)),
        (
            "smi-q-x.rtx-4000-sff-ada-v13.xml",
            "NVIDIA RTX 4000 SFF Ada Generation",
            (0.0, 3534, 20475, 38, 210e6, 8.81),
        ),
    ],
)
def test_what_real_machines_told_is_what_the_sample_says(
    nvml: NvmlStandIn, root: Path, sampler: Build, recording: str, name: str, told: tuple[float, ...]
) -> None:
    ratio, used, limit, celsius, hertz, watts = told
    nvml.set(gpus=1)
    nvml.set("gpu0", cores=16896, **figures(recording))
    sample = sampler().read()
    assert sample.gpu_ratio == ratio
    assert memory(sample) == (used * MIB, limit * MIB)
    assert (sample.gpu_celsius, sample.gpu_hertz) == (celsius, hertz)
    assert (sample.gpu_watts, sample.power_watts, sample.power_covers) == (watts, watts, "gpu")
    assert sample.gpus == ()
    assert not sample.gpu_memory_limit_inferred
    assert identity(root) == GpuIdentity(name, 1, 16896, unified=False)


@recorded
@pytest.mark.parametrize(
    ("whole", "parts", "used", "limits", "others"),
    [
        (
            "smi-query-gpu.h100-mig.load.all-columns.csv",
            "smi-table.h100-mig.load.txt",
            (11091, 17, 9, 9),
            (40448, 20096, 9984, 9984),
            (53, 433.78),
        ),
        ("smi-q-x.a100-sxm4-v12.xml", "smi-q-x.a100-sxm4-v12.xml", (12,) * 4, (19968,) * 4, (27, 67.03)),
    ],
)
def test_a_gpu_divided_by_mig_is_its_instances_and_tells_no_utilisation(
    nvml: NvmlStandIn,
    sampler: Build,
    whole: str,
    parts: str,
    used: tuple[int, ...],
    limits: tuple[int, ...],
    others: tuple[float, ...],
) -> None:
    nvml.set(gpus=1)
    nvml.set("gpu0", slots=7, **figures(whole))
    for index, instance in enumerate(instances(parts)):
        nvml.set(f"gpu0.instance{index * 2 - (index > 2)}", **instance)  # numbers between them are free
    sample = sampler().read()
    assert memory(sample) == (sum(used) * MIB, sum(limits) * MIB)
    assert [(gpu.memory_used_bytes, gpu.memory_limit_bytes) for gpu in sample.gpus] == [
        (of_one * MIB, limit * MIB) for of_one, limit in zip(used, limits, strict=True)
    ]
    assert sample.gpu_ratio is None
    assert "MIG" in sample.reasons["gpu_ratio"]
    assert all("MIG" in gpu.reasons["ratio"] for gpu in sample.gpus)
    assert len({gpu.name for gpu in sample.gpus}) == 4
    assert (sample.gpu_celsius, sample.power_watts) == others


def test_mig_without_an_instance_is_a_gpu_on_which_nothing_can_run(nvml: NvmlStandIn, sampler: Build) -> None:
    nvml.set(gpus=1)
    nvml.set("gpu0", **PLAIN, divided=1, slots=7)
    sample = sampler().read()
    assert memory(sample) == (None, None)
    assert sample.reasons["gpu_memory_limit_bytes"].startswith("MIG is on and no instance is made")
    assert sample.gpu_celsius == 50


@recorded
@pytest.mark.parametrize("total", [None, 0], ids=["not supported", "zero"])
def test_gb10_has_the_machines_memory_and_uses_what_its_programs_hold(
    nvml: NvmlStandIn, sampler: Build, total: int | None
) -> None:
    told = {**figures("smi-query-gpu.gb10.idle.csv"), "name": "NVIDIA Graphics", "total": total, "used": total}
    nvml.set(gpus=1)
    nvml.set("gpu0", **told, compute=f"21:{5 * GIB} 22:{7 * GIB}", graphics=f"22:{7 * GIB} 23:{GIB}")
    one = sampler()
    sample = one.read()
    assert memory(sample) == (13 * GIB, MEMORY_BYTES)  # the program on both lists is counted once
    assert one.machine.unified_memory
    assert one.machine.sources["gpu_memory_used_bytes"] == "NVML, sum over programs"
    assert sample.gpu_memory_limit_inferred
    assert (sample.gpu_ratio, sample.gpu_watts, sample.gpu_celsius) == (0.0, 11.17, 35)


@pytest.mark.parametrize("programs", ["21:-", ""], ids=["told without their memory", "none in a container"])
def test_programs_that_are_hidden_leave_memory_in_use_unknown(
    nvml: NvmlStandIn, root: Path, sampler: Build, programs: str
) -> None:
    (root / ".dockerenv").touch()
    nvml.set(gpus=1)
    nvml.set("gpu0", name="NVIDIA GB10", celsius=35, compute=programs, graphics="")
    sample = sampler().read()
    assert memory(sample) == (None, MEMORY_BYTES)
    assert "hidden" in sample.reasons["gpu_memory_used_bytes"]
    assert sample.gpu_celsius == 35


def test_the_size_that_a_jetson_tells_of_its_gpu_is_not_believed(nvml: NvmlStandIn, sampler: Build) -> None:
    nvml.set(gpus=1)
    nvml.set("gpu0", name="Orin (nvgpu)", total=512 * MIB, used=100 * MIB, busy=20)
    sample = sampler().read()
    assert memory(sample) == (None, None)
    assert "Jetson" in sample.reasons["gpu_memory_used_bytes"]
    assert sample.gpu_ratio == 0.2


def test_an_older_driver_tells_memory_by_the_first_version_with_what_it_keeps(
    nvml: NvmlStandIn, sampler: Build
) -> None:
    nvml.set(gpus=1)
    nvml.set("gpu0", **PLAIN, second=VERSION)
    assert memory(sampler().read()) == (6 * GIB + 400 * MIB, 24 * GIB)


@pytest.mark.parametrize(
    ("figure", "field"),
    [
        ("busy", "gpu_ratio"),
        ("total", "gpu_memory_used_bytes"),
        ("celsius", "gpu_celsius"),
        ("megahertz", "gpu_hertz"),
        ("milliwatts", "power_watts"),
        ("rpm", "fans_rpm"),
    ],
)
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "does not tell"),
        (NO_PERMISSION, "may not"),
        (UNKNOWN, "without saying why"),
        (VERSION, "Argument version"),
    ],
)
def test_a_figure_that_fails_costs_no_other(
    nvml: NvmlStandIn, sampler: Build, figure: str, field: str, answer: str | None, words: str
) -> None:
    told = {**PLAIN, "megahertz": 1500, "rpm": 1200}
    nvml.set(gpus=1)
    nvml.set("gpu0", name="NVIDIA GeForce RTX 4090", **told)
    one = sampler()
    before = one.read()
    nvml.set("gpu0", **{figure: answer})
    after = one.read()
    beside = {"gpu_watts", "power_covers", "gpu_memory_limit_bytes", "gpu_memory_limit_inferred"}
    assert field in before.model_fields_set - after.model_fields_set <= {field, *beside}
    assert words in after.reasons[field]


def test_a_whole_linux_machine_shows_its_nvidia_gpu(nvml: NvmlStandIn, root: Path) -> None:
    for path, text in {
        "proc/meminfo": f"MemTotal: {MEMORY_BYTES >> 10} kB\nMemAvailable: {MEMORY_BYTES >> 11} kB\n",
        "proc/uptime": "100.0 50.0\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    nvml.set(gpus=2)
    for index in range(2):
        nvml.set(f"gpu{index}", **PLAIN, name="NVIDIA GeForce RTX 4090", cores=16384)
    sampler = build_sampler(root)
    sample = sampler.read()
    sampler.close()
    machine = sampler.machine
    assert (machine.gpu, machine.gpu_count, machine.gpu_cores) == ("NVIDIA GeForce RTX 4090", 2, 16384)
    assert machine.memory_bytes_per_second == 1008e9
    assert not machine.unified_memory
    assert machine.sources["gpu_ratio"] == "NVML, nvmlDeviceGetUtilizationRates"
    assert (sample.gpu_ratio, sample.power_watts, len(sample.gpus)) == (0.4, 301.0, 2)
