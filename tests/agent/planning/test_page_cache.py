"""How much of a file is in memory already."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from fleetview_agent.planning.page_cache import cached_share, parts

MIB = 1 << 20


def write(file: Path, size: int) -> Path:
    file.write_bytes(os.urandom(MIB) * (size // MIB))
    descriptor = os.open(file, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    return file


def forget(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def test_what_was_just_written_is_in_memory(tmp_path: Path) -> None:
    assert cached_share(write(tmp_path / "m.gguf", 4 * MIB)) == 1.0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody can make the system forget a file")
def test_what_the_system_has_forgotten_must_be_read_again(tmp_path: Path) -> None:
    file = write(tmp_path / "m.gguf", 96 * MIB)
    forget(file)
    if cached_share(file) != 0.0:
        pytest.skip("this file system keeps its files in memory")
    with file.open("rb") as opened:
        opened.read(48 * MIB)
    share = cached_share(file)
    assert share is not None
    assert 0.4 < share < 0.65


def test_a_hundred_gigabytes_cost_no_time(tmp_path: Path) -> None:
    file = tmp_path / "m.gguf"
    with file.open("wb") as opened:
        opened.truncate(100 << 30)
    cached_share(file)
    fastest = min(_seconds(file) for _ in range(5))
    assert fastest < 0.02


def _seconds(file: Path) -> float:
    began = time.perf_counter()
    assert cached_share(file) == 0.0
    return time.perf_counter() - began


def test_what_cannot_be_seen_is_not_claimed(tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(b"x")
    for name in ("tiny.gguf", "missing.gguf", "."):
        assert cached_share(tmp_path / name) is None


def test_the_parts_of_a_split_file_count_together(tmp_path: Path) -> None:
    names = [f"big-0000{number}-of-00002.gguf" for number in (1, 2)]
    assert [file.name for file in parts(tmp_path / names[0])] == names
    write(tmp_path / names[0], MIB)
    assert cached_share(tmp_path / names[0]) is None, "a part is missing"
    with (tmp_path / names[1]).open("wb") as opened:
        opened.truncate(MIB)
    assert cached_share(tmp_path / names[0]) == 0.5
