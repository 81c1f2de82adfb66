"""The demonstration in a real terminal: six machines, a swap by keys, and nothing left afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.stories.terminal import Terminal, terminal

LIMIT_SECONDS = 15.0


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where the demonstration makes its own folder; a short path, since sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="d", dir="/tmp") as name:
        yield Path(name)


def a_demo(folder: Path) -> dict[str, str]:
    return {"TMPDIR": str(folder), "HOME": str(folder), "PYTHONWARNINGS": "default"}


def fleets(folder: Path) -> list[psutil.Process]:
    """The processes that are the made-up fleet."""
    named = (process for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"])
    return [one for one in named if "simulate" in one.info["cmdline"] and str(folder) in " ".join(one.info["cmdline"])]


def until_all_is_gone(folder: Path) -> None:
    """Return when neither a process nor a file is left."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while (left := fleets(folder)) or list(folder.iterdir()):
        assert time.monotonic() < deadline, (left, list(folder.iterdir()))
        time.sleep(0.05)


def swap(pane: Terminal) -> None:
    """Load a small model in place of another, by keys alone."""
    pane.press("j", "j", "s")
    pane.wait_for("Swap on worker-primary")
    pane.type("llama3.1")
    pane.wait_for("llama3.1:8b", "verdict")
    pane.press("Enter")


def test_the_demo_shows_six_machines_takes_a_swap_and_leaves_nothing(folder: Path) -> None:
    with terminal(sys.executable, "-m", "fleetview", "demo", environment=a_demo(folder)) as pane:
        screen = pane.wait_for("6 of 6 up", "DEMO", "qwen3:32b")
        for name in ("head-primary", "head-secondary", "worker-primary", "worker-secondary", "laptop-secondary"):
            assert name in screen
        swap(pane)
        pane.wait_for("llama3.1:8b swapped in", seconds=60)
        pane.press("q", "q")
        until_all_is_gone(folder)


def test_a_dashboard_that_is_killed_takes_its_fleet_with_it(folder: Path) -> None:
    with terminal(sys.executable, "-m", "fleetview", "demo", environment=a_demo(folder)) as pane:
        pane.wait_for("6 of 6 up")
        (fleet,) = fleets(folder)
        os.kill(fleet.ppid(), 9)
        until_all_is_gone(folder)


def test_the_demo_needs_a_terminal() -> None:
    told = subprocess.run(
        (sys.executable, "-m", "fleetview", "demo"), stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert told.returncode == 2
    assert b"needs a terminal" in told.stderr
