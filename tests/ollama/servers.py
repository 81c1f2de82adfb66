"""An Ollama server of a test's own: the stand-in, or the real one, with a home and a port for itself."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

START_SECONDS = 20.0


@dataclass(frozen=True)
class OllamaServer:
    """A server that answers."""

    address: str
    """HOST:PORT."""
    process: subprocess.Popen[bytes]
    models: Path
    log: Path

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def runners(self) -> list[psutil.Process]:
        """The processes that hold a model out of this server's folder, also when the server is gone."""
        return list(_holding(self.models))


@contextlib.contextmanager
def ollama_server(program: Path, home: Path, **environment: str) -> Iterator[OllamaServer]:
    """`ollama serve` with these variables, until the end of the block; nothing of it is left behind."""
    port = free_port()
    models, log = home / ".ollama" / "models", home / "ollama.log"
    models.mkdir(parents=True, exist_ok=True)
    variables = {**os.environ, "HOME": str(home), "OLLAMA_HOST": f"127.0.0.1:{port}", "OLLAMA_MODELS": str(models)}
    with log.open("ab") as file:
        process = subprocess.Popen([program, "serve"], stdout=file, stderr=file, env={**variables, **environment})
    server = OllamaServer(f"127.0.0.1:{port}", process, models, log)
    try:
        _until_it_answers(server)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for runner in server.runners():
            with contextlib.suppress(psutil.NoSuchProcess):
                runner.kill()


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _until_it_answers(server: OllamaServer) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"{server.url}/api/version", timeout=1, trust_env=False)
            return
        assert server.process.poll() is None, server.log.read_text(errors="replace")
        assert time.monotonic() < deadline, "ollama serve does not answer"
        time.sleep(0.02)


def _holding(models: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            command = process.cmdline()
            if any(word.startswith(f"{models}{os.sep}") for word in command):
                yield process
