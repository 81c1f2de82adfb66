"""Homes in which fleetview drives an Ollama: the real one where it is on PATH, and always its stand-in."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.ollama.installed import install
from tests.stories.conftest import SHORT, SMALL, Home, a_home

STAND_IN, REAL = "stand-in", "real"
both_ollamas = pytest.mark.parametrize("ollama", [STAND_IN, REAL])
"""Run a story with the stand-in, and with the real thing where there is one."""
NAME = "story"
"""The model that stories make for Ollama."""
MODEL = f"ollama/{NAME}:latest"
SAME_FILE = f"llamacpp/{NAME}:latest"
"""The same blob, run by llama.cpp."""


@dataclass(frozen=True)
class OllamaHome(Home):
    """A home whose agent may run `ollama serve`."""

    port: int
    program: Path
    """`ollama`."""

    def told(self, path: str) -> Any:
        """What the agent itself answers; a command of ours would take a second or two for each look."""
        answer = self.get(path)
        assert answer is not None
        assert answer[0] == 200, answer[1]
        return json.loads(answer[1])

    @property
    def state(self) -> dict[str, Any]:
        """The backend as the agent tells it."""
        states = self.told("/api/snapshot")["backends"]
        return next(state for state in states if state["backend"] == "ollama")

    @property
    def ready(self) -> list[str]:
        """BACKEND/MODEL of everything that can answer."""
        return [
            f"{state['backend']}/{row['name']}"
            for state in self.told("/api/snapshot")["backends"]
            for row in state["resident"]
            if row["phase"] == "ready"
        ]

    @property
    def journal(self) -> list[dict[str, Any]]:
        """The operations that have ended, newest first."""
        rows: list[dict[str, Any]] = self.told("/api/journal")
        return rows

    def do(self, *words: str) -> str:
        """Run a verb of fleetview that succeeds; what it said."""
        done = self.run("fleetview", *words)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    def made(self, *, context: str = SHORT) -> None:
        """Start the server, and make a model of SmolLM2 that does not babble for long."""
        self.do("start", "here", "ollama")
        self.create(context=context)

    def create(self, *, context: str = SHORT) -> None:
        """Make the model, where the server runs."""
        self.do("create", "here", f"ollama/{NAME}", "--from", f"llamacpp/{SMALL}", "--ctx", context)

    def servers(self) -> list[psutil.Process]:
        """The processes that are `ollama serve`."""
        return [process for process in self.processes() if "serve" in line(process) and is_called(process, "ollama")]

    def runners(self) -> list[psutil.Process]:
        """The processes in which Ollama's models live."""
        return [process for process in self.processes() if "--model" in line(process)]


def is_gone(process: psutil.Process) -> bool:
    """Whether it has ended; whose child it was may not have taken notice yet."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def line(process: psutil.Process) -> list[str]:
    """The command line; empty for a process that is gone."""
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return []


def is_called(process: psutil.Process, name: str) -> bool:
    """Whether that is the name of its program."""
    return Path(next(iter(line(process)), "")).name == name


@contextmanager
def a_home_with_ollama(which: str, *, settings: str = "") -> Iterator[OllamaHome]:
    """A fresh home; skips where the real thing is wanted and absent. `settings` go into [ollama.serve]."""
    with a_home() as home:
        program: Path | str | None = install(home.path / "ollama") if which == STAND_IN else shutil.which("ollama")
        if program is None:
            pytest.skip("no `ollama` on PATH")
        port = free_port()
        folder = home.path / ".fleetview"
        folder.mkdir(mode=0o700)
        (folder / "agent.toml").write_text(
            f'[ollama]\nprogram = "{program}"\naddress = "127.0.0.1:{port}"\nmodels = "{home.path}/models"\n'
            f"[ollama.serve]\n{settings}\n"
        )
        yield OllamaHome(home.path, port, Path(program))


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
