"""What the tree promises: short files, an agent without a TUI, and start-ups that pay for nothing early."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LIMIT = 300
FOLDERS = ("agents", "tui", "tests", "benchmarks", "screenshots")


def sources() -> list[Path]:
    """Every file that the rule is about."""
    found = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*") if file.suffix in {".py", ".tcss"}]
    return [file for file in found if not any(part.startswith(".") for part in file.relative_to(ROOT).parts)]


def modules_after(statement: str) -> set[str]:
    """What a fresh interpreter has imported once `statement` has run."""
    code = f"import sys; {statement}; print('\\n'.join(sys.modules))"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    files = sources()
    assert len(files) > 50
    long = {
        str(file.relative_to(ROOT)): lines for file in files if (lines := len(file.read_text().splitlines())) > LIMIT
    }
    assert long == {}


def test_the_agent_needs_no_dashboard() -> None:
    modules = modules_after("import fleetview_agent.serving.serve, fleetview_agent.__main__")
    assert "uvicorn" in modules
    assert not modules & {
        "fleetview",
        "textual",
        "rich",
        "asyncssh",
        "httpx",
        "llama_cpp",
        "numpy",
        "prometheus_client",
    }


@pytest.mark.parametrize("program", ["fleetview", "fleetview_agent"])
def test_a_command_line_that_only_tells_its_version_loads_nothing_heavy(program: str) -> None:
    modules = modules_after(f"import {program}.__main__")
    assert not modules & {"textual", "httpx", "pydantic", "starlette", "uvicorn", "psutil", "asyncssh"}


def test_the_first_paint_does_not_wait_for_the_network() -> None:
    modules = modules_after("import fleetview.app")
    assert "textual" in modules
    assert not modules & {"httpx", "asyncssh", "httpcore"}
