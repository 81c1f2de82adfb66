from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gguf_files import write_tiny
from tests.ollama.installed import install
from tests.ollama.servers import OllamaServer, ollama_server
from tests.ollama.shapes import shapes

RECORDED = Path(__file__).with_name("recorded.json")
"""What Ollama 0.33.0-rc2 answered to the script."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[OllamaServer]:
    with ollama_server(install(tmp_path), tmp_path) as running:
        yield running


def test_the_stand_in_answers_in_the_shapes_that_were_recorded(server: OllamaServer, tmp_path: Path) -> None:
    answered = shapes(server.url, write_tiny(tmp_path / "tiny.gguf"))
    recorded = json.loads(RECORDED.read_text())
    assert answered.keys() == recorded.keys()
    assert {name: shape for name, shape in answered.items() if shape != recorded[name]} == {}


def test_the_recorded_shapes_are_those_of_the_ollama_on_this_machine(tmp_path: Path) -> None:
    program = shutil.which("ollama")
    if program is None:
        pytest.skip("no `ollama` on PATH")
    with ollama_server(Path(program).resolve(), tmp_path) as real:
        answered = shapes(real.url, write_tiny(tmp_path / "tiny.gguf"))
    assert answered == json.loads(RECORDED.read_text())
