"""Reading a Linux machine, from made-up files and from the one that runs the tests."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fleetview_agent.samplers.linux import GPU_FIELDS, NO_GPU, build_sampler
from fleetview_agent.samplers.probing import FIRST, SLEPT
from tests.clocks import Clock
from tests.linux_files import put

BUSY = "cpu  1060 0 590 8040 510 0 0 0 0 0\n"
FIGURES_OF_PLAIN = {
    "memory_used_bytes",
    "memory_available_bytes",
    "pressure",
    "swap_used_bytes",
    "cpu_ratio",
    "swap_bytes_per_second",
    "uptime_seconds",
}


def test_levels_are_there_at_once_and_rates_from_the_second_reading_on(root: Path, clock: Clock) -> None:
    sampler = build_sampler(root, clock.watch)
    first = sampler.read()
    assert first.memory_used_bytes == first.memory_available_bytes == 8 << 30
    assert first.swap_used_bytes == 1 << 30
    assert first.uptime_seconds == 5000.25
    assert (first.interval_seconds, first.cpu_ratio, first.swap_bytes_per_second) == (None, None, None)
    assert first.reasons["cpu_ratio"] == first.reasons["swap_bytes_per_second"] == FIRST
    clock.now += 2
    put(root, "proc/stat", BUSY)
    put(root, "proc/vmstat", "pswpin 104\npswpout 206\n")
    second = sampler.read()
    assert second.interval_seconds == 2
    assert second.cpu_ratio == pytest.approx(0.75)
    assert second.swap_bytes_per_second == 10 * os.sysconf("SC_PAGE_SIZE") / 2
    assert "cpu_ratio" not in second.reasons


def test_a_machine_without_a_gpu_is_a_node_and_says_so(root: Path) -> None:
    sampler = build_sampler(root)
    sample = sampler.read()
    assert sampler.machine.gpu is None
    assert {sample.reasons[field] for field in GPU_FIELDS} == {NO_GPU}
    assert sample.reasons["power_watts"] == "no meter that can be read was found"


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
def test_a_source_that_fails_costs_its_own_figures_alone_and_is_named(
    root: Path, clock: Clock, file: str, fields: set[str], damage: str
) -> None:
    sampler = build_sampler(root, clock.watch)
    sampler.read()
    clock.now += 1
    put(root, "proc/stat", BUSY)
    damages = {"empty": b"", "nonsense": b"cpu a b c d e\nsome\n", "binary": bytes(range(256))}
    if damage == "gone":
        (root / file).unlink()
    else:
        (root / file).write_bytes(damages[damage])
    sample = sampler.read()
    assert {field for field in FIGURES_OF_PLAIN if getattr(sample, field) is None} == fields
    assert all(f"/{file}" in sample.reasons[field] for field in fields)


def test_counters_that_go_back_give_no_rate(root: Path, clock: Clock) -> None:
    sampler = build_sampler(root, clock.watch)
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


def test_no_rate_reaches_across_a_sleep(root: Path, clock: Clock) -> None:
    sampler = build_sampler(root, clock.watch)
    sampler.read()
    clock.now += 1
    clock.slept += 600
    put(root, "proc/stat", BUSY)
    put(root, "proc/vmstat", "pswpin 900\npswpout 900\n")
    woken = sampler.read()
    assert woken.reasons["cpu_ratio"] == woken.reasons["swap_bytes_per_second"] == SLEPT


def test_two_readings_in_one_moment_give_no_rate(root: Path, clock: Clock) -> None:
    sampler = build_sampler(root, clock.watch)
    sampler.read()
    sample = sampler.read()
    assert (sample.interval_seconds, sample.cpu_ratio, sample.swap_bytes_per_second) == (None, None, None)


def test_a_reading_opens_each_file_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = build_sampler(root)
    read: list[Path] = []
    open_path = Path.open

    def counted(path: Path, *how: Any, **also: Any) -> Any:  # as the function it stands for
        read.append(path)
        return open_path(path, *how, **also)

    monkeypatch.setattr(Path, "open", counted)
    sampler.read()
    assert root / "proc/meminfo" in read
    assert len(read) == len(set(read))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc of a real Linux")
def test_the_real_machine_gives_plausible_and_changing_figures() -> None:
    sampler = build_sampler()
    sampler.read()
    deadline = time.monotonic() + 5
    busy = 0.0
    while busy == 0.0 and time.monotonic() < deadline:
        sum(range(3_000_000))
        busy = (second := sampler.read()).cpu_ratio or 0.0
    sampler.close()
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
