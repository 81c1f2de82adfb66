"""How short of memory a Linux machine, or a container, is."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from fleetview_agent.samplers.linux import build_sampler
from tests.linux_files import PLAIN, put

RECORDINGS = Path(__file__).resolve().parents[4].parent / "shared" / "recordings"


def meminfo(available_kb: int) -> str:
    return f"MemTotal: 16777216 kB\nMemAvailable: {available_kb} kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n"


def pressure(some: float, full: float) -> str:
    return f"some avg10={some:.2f} avg60=0.00 total=0\nfull avg10={full:.2f} avg60=0.00 total=0\n"


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
    put(root, "proc/meminfo", meminfo(round((16 << 20) * available_ratio) + 1))
    assert build_sampler(root).read().pressure == level


def test_the_evidence_is_the_kernels_own_figures(root: Path) -> None:
    sample = build_sampler(root).read()
    assert sample.pressure_evidence == "stalled 1.5 % of 10 s, fully 0.2 %, 50 % available"
    put(root, "proc/pressure/memory", PLAIN["proc/pressure/memory"].partition("full")[0])
    assert build_sampler(root).read().pressure_evidence == "stalled 1.5 % of 10 s, 50 % available"


@pytest.mark.parametrize(
    ("recording", "level", "evidence"),
    [
        ("synthetic/psi-memory.txt", "warning", "stalled 10.0 % of 10 s, fully 1.0 %, 50 % available"),
        ("linux/psi-cgroup-memory.txt", "normal", "stalled 0.0 % of 10 s, fully 0.0 %, 50 % available"),
    ],
)
def test_recorded_pressure_is_read(root: Path, recording: str, level: str, evidence: str) -> None:
    if not (RECORDINGS / recording).exists():
        pytest.skip("the recordings are not at hand")
    put(root, "proc/pressure/memory", (RECORDINGS / recording).read_text())
    sample = build_sampler(root).read()
    assert (sample.pressure, sample.pressure_evidence) == (level, evidence)


@pytest.mark.parametrize("refusal", [errno.ENOENT, errno.EOPNOTSUPP])
def test_a_kernel_that_counts_no_stalls_is_judged_by_what_is_available(
    root: Path, monkeypatch: pytest.MonkeyPatch, refusal: int
) -> None:
    open_path = Path.open

    def refused(path: Path, *how: Any, **also: Any) -> Any:  # as the function it stands for
        if path == root / "proc/pressure/memory":
            raise OSError(refusal, "no")
        return open_path(path, *how, **also)

    monkeypatch.setattr(Path, "open", refused)
    sample = build_sampler(root).read()
    assert sample.pressure == "normal"
    assert sample.pressure_evidence == "this kernel counts no stalls, 50 % available"


def test_with_neither_stalls_nor_memory_there_is_no_level(root: Path) -> None:
    sampler = build_sampler(root)
    (root / "proc/pressure/memory").unlink()
    (root / "proc/meminfo").unlink()
    sample = sampler.read()
    assert sample.pressure is None
    assert sample.pressure_evidence is None
    assert sample.reasons["pressure"] == (
        "/proc/pressure/memory and what is available cannot be read: No such file or directory"
    )


def test_without_any_swap_nothing_lies_in_it(root: Path) -> None:
    put(root, "proc/meminfo", meminfo(8 << 20))
    assert build_sampler(root).read().swap_used_bytes == 0


def test_a_container_counts_by_its_own_limit(root: Path) -> None:
    put(root, "sys/fs/cgroup/memory.max", f"{4 << 30}\n")
    put(root, "sys/fs/cgroup/memory.current", f"{3 << 30}\n")
    put(root, "sys/fs/cgroup/memory.stat", f"anon 1\ninactive_file {1 << 30}\n")
    put(root, "sys/fs/cgroup/memory.pressure", pressure(20, 0))
    sampler = build_sampler(root)
    sample = sampler.read()
    assert sampler.machine.memory_bytes == 4 << 30
    assert sample.memory_available_bytes == 2 << 30
    assert sample.pressure == "warning"
    assert sampler.machine.sources["pressure"].startswith("the container's memory.pressure")
    put(root, "sys/fs/cgroup/memory.max", "max\n")
    assert build_sampler(root).machine.memory_bytes == 16 << 30
