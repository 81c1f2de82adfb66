"""What a running server was told."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from fleetview_agent.backends.ollama.environment import Settings, settings, settings_of
from fleetview_agent.backends.ollama.processes import Server


@pytest.mark.parametrize(
    ("text", "keep"),
    [
        pytest.param("", 300.0, id="nothing is five minutes"),
        pytest.param("10m", 600.0, id="minutes"),
        pytest.param("1h30m", 5400.0, id="hours and minutes"),
        pytest.param("1.5s", 1.5, id="a part of a second"),
        pytest.param("500ms", 0.5, id="milliseconds"),
        pytest.param("42", 42.0, id="bare seconds"),
        pytest.param("0", 0.0, id="at once"),
        pytest.param("-1", "forever", id="negative is for ever"),
        pytest.param("-1m", "forever", id="negative with a unit"),
        pytest.param('"24h"', 86_400.0, id="quotes do not count"),
        pytest.param("soon", 300.0, id="nonsense is what Ollama makes of it"),
    ],
)
def test_how_long_models_stay_is_read_as_ollama_reads_it(text: str, keep: object) -> None:
    assert settings({"OLLAMA_KEEP_ALIVE": text}).keep == keep


def test_the_models_folder_is_the_one_that_was_named_else_the_one_below_its_home() -> None:
    assert settings({"HOME": "/home/ada", "OLLAMA_MODELS": "/big/models"}).models == Path("/big/models")
    assert settings({"HOME": "/home/ada"}).models == Path("/home/ada/.ollama/models")
    assert settings({}).models is None


@pytest.mark.parametrize(("text", "context"), [("8192", 8192), ("0", None), ("", None), ("many", None)])
def test_the_usual_context_is_known_only_where_it_was_set(text: str, context: int | None) -> None:
    assert settings({"OLLAMA_CONTEXT_LENGTH": text}).context == context


def test_the_environment_of_a_real_process_is_read() -> None:
    own = Server(os.getpid(), os.getppid(), psutil.Process().create_time(), ("ollama", "serve"))
    assert settings_of(own).models is not None


def test_a_server_that_is_gone_leaves_what_is_usual() -> None:
    assert settings_of(Server(2**22 + 1, 1, 0.0, ())) == Settings()
