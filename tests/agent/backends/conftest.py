"""The servers of engines that outlive a test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.gguf_files import Tiny, write_tiny, write_truncated
from tests.ollama.installed import install
from tests.ollama.servers import OllamaServer, ollama_server
from tests.ollama.store import Store


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OllamaServer]:
    """The stand-in for Ollama, one for all tests."""
    home = tmp_path_factory.mktemp("ollama")
    with serving(install(home), home) as server:
        yield server


@pytest.fixture(scope="module")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OllamaServer]:
    """The real one, where it is on PATH."""
    if (program := shutil.which("ollama")) is None:
        pytest.skip("there is no `ollama` on PATH")
    with serving(Path(program), tmp_path_factory.mktemp("real")) as server:
        yield server


@contextmanager
def serving(program: Path, home: Path) -> Iterator[OllamaServer]:
    """A server that has a model which can be loaded, and one that cannot."""
    store = Store(home / ".ollama" / "models")
    store.create("tiny", write_tiny(home / "tiny.gguf"))
    store.create("cut", write_truncated(home / "cut.gguf", Tiny(seed=2)))
    with ollama_server(program, home, OLLAMA_CONTEXT_LENGTH="1024") as server:
        yield server
