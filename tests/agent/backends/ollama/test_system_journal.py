"""The log of a service that has no file: followed in the system's journal, by a child that ends with who reads it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from fleetview_agent.backends.ollama.supervise.facts import LogUnit
from fleetview_agent.backends.ollama.traffic import Observer

UNIT = LogUnit("ollama.service")


@pytest.fixture
def journalctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """What stands in for the command; its number comes into the file that is handed back."""

    def write(script: str) -> Path:
        program, pid = tmp_path / "journalctl", tmp_path / "pid"
        program.write_text(f'#!/bin/sh\necho $$ > {pid}\necho "$@" > {tmp_path / "words"}\n{script}\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        return pid

    return write


async def told(observer: Observer, lines: list[str], count: int) -> None:
    """Look until so many lines were told."""
    async with asyncio.timeout(5):
        while len(lines) < count:
            await observer.observe((), {}, server_address="127.0.0.1:9", log_file=None, log_unit=UNIT)
            await asyncio.sleep(0.01)


async def test_the_journal_of_a_service_is_told_line_by_line_and_its_reader_ends_with_us(
    journalctl: Callable[[str], Path],
) -> None:
    pid = journalctl("echo before; head -c 100000 /dev/zero | tr '\\0' x; echo; echo after; exec sleep 60")
    lines: list[str] = []
    observer = Observer("ollama", lambda _: None, lines.append)
    await told(observer, lines, 2)
    assert (lines[0], lines[-1]) == ("before", "after")  # what nobody could read between them stops nothing
    assert "--unit ollama.service" in (pid.parent / "words").read_text()
    child = psutil.Process(int(pid.read_text()))
    await observer.close()
    assert not child.is_running()


async def test_a_journal_that_may_not_be_read_says_so_in_the_log(journalctl: Callable[[str], Path]) -> None:
    journalctl("echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1")
    lines: list[str] = []
    observer = Observer("ollama", lambda _: None, lines.append)
    await told(observer, lines, 1)
    reason = "No journal files were opened due to insufficient permissions."
    assert lines == [f"the log of ollama.service cannot be read from the system's journal: {reason}"]
    await observer.close()


async def test_a_journal_that_broke_off_goes_on_without_telling_its_past_again(
    journalctl: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleetview_agent.backends.ollama.system_journal.AGAIN_SECONDS", 0.01)
    journalctl('echo "$@" | grep -o "lines=[0-9]*"')
    lines: list[str] = []
    observer = Observer("ollama", lambda _: None, lines.append)
    await told(observer, lines, 3)
    await observer.close()
    assert [line for line in lines if line.startswith("lines=")][:2] == ["lines=20", "lines=0"]
