"""A backend over a home of its own, with tiny models in it."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fleetview_agent.backends.llamacpp import second_file
from tests.agent.backends.llamacpp.bench import Bench


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and no package that carries a model."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(second_file, "CARRIER", "no_such_package")
    return tmp_path


@pytest.fixture
async def bench(home: Path) -> AsyncIterator[Bench]:
    """A backend with the real engine."""
    if importlib.util.find_spec("llama_cpp") is None:
        pytest.skip("llama-cpp-python is not installed; it comes with the extra llamacpp")
    made = Bench(home / "models")
    yield made
    await made.backend.close()
