"""Reading a Linux machine, from recorded files and from the one that runs the tests."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from fleetview_agent.samplers.linux import FIRST, NO_GPU, LinuxSampler

MIB_IN_KB = 1024
FILES = {
    "proc/stat": "cpu  1000 0 500 8000 500 0 0 0 0 0\ncpu0 1000 0 500 8000 500 0 0 0 0 0\nintr 1\n",
    "proc/meminfo": (
        "MemTotal:       16777216 kB\nMemFree:         1000000 kB\nMemAvailable:    8388608 kB\n"
        "SwapTotal:       2097152 kB\nSwapFree:        1048576 kB\nHugePages_Total:       0\n"
    ),
    "proc/pressure/memory": (
        "some avg10=1.50 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.25 avg60=0.00 avg300=0.00 total=0\n"
    ),
    "proc/vmstat": "nr_free_pages 123\npswpin 100\npswpout 200\nthp_x 0\n",
    "proc/uptime": "5000.25 9000.00\n",
    "proc/cpuinfo": "processor\t: 0\nmodel name\t: Imaginary 9000 @ 5.00GHz\n",
    "etc/os-release": 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n\n',
}
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        put(tmp_path, name, text)
    return tmp_path


def put(root: Path, name: str, text: str) -> None:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def meminfo(available_kb: int) -> str:
    return f"MemTotal: 16777216 kB\nMemAvailable: {available_kb} kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n"


def pressure(some: float, full: float) -> str:
    return f"some avg10={some:.2f} avg60=0.00 total=0\nfull avg10={full:.2f} avg60=0.00 total=0\n"


def test_the_machine_is_described(root: Path) -> None:
    machine = LinuxSampler(root).machine
    assert machine.platform == "linux"
    assert machine.chip == "Imaginary 9000 @ 5.00GHz"
    assert machine.system == "Debian GNU/Linux 12 (bookworm)"
    assert machine.memory_bytes == 16 << 30
    assert machine.gpu is None
    assert not machine.simulated


def test_a_board_without_a_processor_name_is_named_itself(root: Path) -> None:
    put(root, "proc/cpuinfo", "processor\t: 0\nBogoMIPS\t: 108.00\n")
    put(root, "proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0")
    assert LinuxSampler(root).machine.chip == "Raspberry Pi 5 Model B Rev 1.0"


def test_levels_are_there_at_once_and_rates_from_the_second_reading_on(root: Path, clock: Clock) -> None:
    sampler = LinuxSampler(root, clock)
    first = sampler.read()
    assert first.memory_used_bytes == first.memory_available_bytes == 8 << 30
    assert first.swap_used_bytes == 1 << 30
    assert first.uptime_seconds == 5000.25
    assert (first.interval_seconds, first.cpu_ratio, first.swap_bytes_per_second) == (None, None, None)
    assert first.reasons["cpu_ratio"] == first.reasons["swap_bytes_per_second"] == FIRST
    clock.now += 2
    put(root, "proc/stat", "cpu  1060 0 590 8040 510 0 0 0 0 0\n")
    put(root, "proc/vmstat", "pswpin 104\npswpout 206\n")
    second = sampler.read()
    assert second.interval_seconds == 2
    assert second.cpu_ratio == pytest.approx(0.75)
    assert second.swap_bytes_per_second == 10 * PAGE_BYTES / 2
    assert "cpu_ratio" not in second.reasons


def test_there_is_no_gpu_and_no_meter_and_that_is_said(root: Path) -> None:
    sample = LinuxSampler(root).read()
    assert sample.gpu_ratio is None
    assert sample.power_watts is None
    assert sample.reasons["gpu_ratio"] == sample.reasons["gpu_memory_limit_bytes"] == NO_GPU


@pytest.mark.parametrize(
    ("some", "full", "available_ratio", "level"),
    [
        (0, 0, 0.5, "normal"),
        (9.9, 9.9, 0.1, "normal"),
        (10, 0, 0.5, "warning"),
        (0, 0, 0.09, "warning"),
        (10, 10, 0.5, "critical"),
        (0, 0, 0.03, "critical"),
    ],
)
def test_pressure_follows_stalls_and_what_is_available(
    root: Path, some: float, full: float, available_ratio: float, level: str
) -> None:
    put(root, "proc/pressure/memory", pressure(some, full))
    put(root, "proc/meminfo", meminfo(round(16 * MIB_IN_KB * MIB_IN_KB * available_ratio) + 1))
    assert LinuxSampler(root).read().pressure == level


def test_the_evidence_names_both_figures(root: Path) -> None:
    assert LinuxSampler(root).read().pressure_evidence == "stalled 1.5 % of 10 s, fully 0.2 %, 50 % available"


def test_a_kernel_that_counts_no_stalls_is_judged_by_what_is_available(root: Path) -> None:
    (root / "proc/pressure/memory").unlink()
    sample = LinuxSampler(root).read()
    assert sample.pressure == "normal"
    assert sample.pressure_evidence == "this kernel counts no stalls, 50 % available"


@pytest.mark.parametrize(
    ("file", "fields"),
    [
        ("proc/stat", {"cpu_ratio"}),
        ("proc/vmstat", {"swap_bytes_per_second"}),
        ("proc/uptime", {"uptime_seconds"}),
        ("proc/meminfo", {"memory_used_bytes", "memory_available_bytes", "swap_used_bytes"}),
        ("proc/pressure/memory", set()),
    ],
)
@pytest.mark.parametrize("damage", ["gone", "empty", "nonsense", "binary"])
def test_a_source_that_fails_costs_its_own_figures_alone(
    root: Path, clock: Clock, file: str, fields: set[str], damage: str
) -> None:
    sampler = LinuxSampler(root, clock)
    healthy = {field for field, value in sampler.read() if value is not None} | {"cpu_ratio", "swap_bytes_per_second"}
    clock.now += 1
    put(root, "proc/stat", "cpu  1060 0 590 8040 510 0 0 0 0 0\n")
    if damage == "gone":
        (root / file).unlink()
    else:
        (root / file).write_bytes(
            {"empty": b"", "nonsense": b"cpu a b c d e\nsome\n", "binary": bytes(range(256))}[damage]
        )
    clock.now += 1
    sample = sampler.read()
    missing = {field for field in healthy | {"interval_seconds"} if getattr(sample, field) is None}
    assert missing == fields
    assert all(sample.reasons[field] for field in fields)


def test_counters_that_go_back_give_no_rate(root: Path, clock: Clock) -> None:
    sampler = LinuxSampler(root, clock)
    sampler.read()
    clock.now += 1
    put(root, "proc/stat", "cpu  1 0 1 1 1 0 0 0 0 0\n")
    put(root, "proc/vmstat", "pswpin 0\npswpout 0\n")
    sample = sampler.read()
    assert (sample.cpu_ratio, sample.swap_bytes_per_second) == (None, None)
    assert sample.reasons["cpu_ratio"] == "the counters of /proc/stat did not go on"
    clock.now += 1
    put(root, "proc/stat", "cpu  2 0 1 2 1 0 0 0 0 0\n")
    assert sampler.read().cpu_ratio == 0.5


def test_two_readings_in_one_moment_give_no_rate(root: Path, clock: Clock) -> None:
    sampler = LinuxSampler(root, clock)
    sampler.read()
    sample = sampler.read()
    assert (sample.interval_seconds, sample.cpu_ratio) == (None, None)


def test_a_container_counts_by_its_own_limit(root: Path) -> None:
    put(root, "sys/fs/cgroup/memory.max", f"{4 << 30}\n")
    put(root, "sys/fs/cgroup/memory.current", f"{3 << 30}\n")
    put(root, "sys/fs/cgroup/memory.stat", f"anon 1\ninactive_file {1 << 30}\n")
    put(root, "sys/fs/cgroup/memory.pressure", pressure(20, 0))
    sampler = LinuxSampler(root)
    sample = sampler.read()
    assert sampler.machine.memory_bytes == 4 << 30
    assert sample.memory_available_bytes == 2 << 30
    assert sample.pressure == "warning"
    put(root, "sys/fs/cgroup/memory.max", "max\n")
    assert LinuxSampler(root).machine.memory_bytes == 16 << 30


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc of a real Linux")
def test_the_real_machine_gives_plausible_and_changing_figures() -> None:
    sampler = LinuxSampler()
    sampler.read()
    deadline = time.monotonic() + 5
    busy = 0.0
    while busy == 0.0 and time.monotonic() < deadline:
        sum(range(3_000_000))
        busy = (second := sampler.read()).cpu_ratio or 0.0
    assert 0 < busy <= 1
    assert second.interval_seconds is not None
    assert 0 < second.interval_seconds < 5
    assert second.memory_used_bytes is not None
    assert second.memory_available_bytes is not None
    assert second.memory_used_bytes + second.memory_available_bytes == sampler.machine.memory_bytes
    assert second.uptime_seconds is not None
    assert second.uptime_seconds > 0
    assert second.pressure in {"normal", "warning", "critical"}
    assert sampler.machine.hostname
    assert sampler.machine.cpu_cores >= 1
