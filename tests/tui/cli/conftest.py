"""The command line in a home of its own, with a real agent of simulated parts that it starts by itself."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from fleetview.cli.run import run
from fleetview.words.parser import parse

SETTINGS = """
sampler = "simulated"
delete_wait_seconds = 0.1
[ollama]
enabled = false
[llamacpp]
enabled = false
[simulated]
enabled = true
load_seconds = 0.3
tokens_per_second = 500
"""
FLEET = """
[[node]]
name = "here"
local = true

[[node]]
name = "gone"
local = true
socket = "/nowhere/agent.sock"

[[node]]
name = "far"
host = "127.0.0.1"
port = 1
"""


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A home with a fleet of three nodes, of which this machine alone answers; whatever was started in it is ended."""
    with tempfile.TemporaryDirectory(prefix="fv-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        (home / ".fleetview").mkdir(mode=0o700)
        (home / ".fleetview" / "agent.toml").write_text(SETTINGS)
        (home / "fleet.toml").write_text(FLEET)
        yield home
        for child in psutil.Process().children(recursive=True):
            if child.status() != psutil.STATUS_ZOMBIE and child.environ().get("HOME") == folder:
                child.send_signal(signal.SIGKILL)
                child.wait()


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one value on standard output."""
        (line,) = self.out.splitlines()
        return json.loads(line)


Fleetview = Callable[..., Done]


@pytest.fixture
def fleetview(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Fleetview]:
    """Runs one command line in that home, with nothing resident before it."""
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("FLEETVIEW_FLEET", str(home / "fleet.toml"))
    monkeypatch.chdir(home)
    handlers = tuple(logging.getLogger().handlers)

    def call(*words: str, stdin: str = "") -> Done:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        capsys.readouterr()
        status = run(parse(words))
        return Done(int(status), *capsys.readouterr())

    while resident := call("status", "here", "--json").json[0]["backends"][0]["resident"]:
        call("unload", "here", resident[0]["name"])
    yield call
    for handler in set(logging.getLogger().handlers) - set(handlers):
        logging.getLogger().removeHandler(handler)
        handler.close()


def program(home: Path, *words: str, **streams: Any) -> subprocess.Popen[str]:
    """The real program as a process."""
    environment = {**os.environ, "HOME": str(home), "FLEETVIEW_FLEET": str(home / "fleet.toml")}
    command = [sys.executable, "-m", "fleetview", *words]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, **streams)
