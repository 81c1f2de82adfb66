"""Ending runners that outlived their server: real processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest

from fleetview_agent.backends.ollama import orphans
from fleetview_agent.backends.ollama.processes import Runner

DEAF = "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); sys.stdin.read()"


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does not hear SIGTERM."""
    with subprocess.Popen([sys.executable, "-c", DEAF], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as one:
        assert one.stdout is not None
        one.stdout.readline()
        yield one
        one.kill()


def runner_of(pid: int) -> Runner:
    created_at = psutil.Process(pid).create_time()
    return Runner(pid, 1, created_at, "/m/blobs/sha256-0", None, None, 1, None, orphaned=True)


def test_a_process_that_hears_nothing_is_killed(
    process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "GRACE_SECONDS", 0.05)
    orphans.end_process(runner_of(process.pid))
    assert not psutil.pid_exists(process.pid)


def test_another_process_of_the_same_number_is_left_alone(process: subprocess.Popen[bytes]) -> None:
    former = replace(runner_of(process.pid), created_at=1.0)
    orphans.end_process(former)
    assert process.poll() is None


def test_one_that_has_ended_already_is_no_failure(process: subprocess.Popen[bytes]) -> None:
    runner = runner_of(process.pid)
    process.kill()
    process.wait()
    orphans.end_process(runner)
