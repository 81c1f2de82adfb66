"""`ollama serve` killed in the midst of its work: nothing is left behind, and what should run is back."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import ollama as official
import psutil

from tests.stories.conftest import SHORT, command, needs_engine, needs_tmux, until
from tests.stories.ollamas import MODEL, NAME, OllamaHome, a_home_with_ollama, both_ollamas, is_gone
from tests.stories.terminal import terminal

pytestmark = needs_engine
BACK_SECONDS = 30.0


@both_ollamas
def test_our_server_is_started_again_with_its_models_as_often_as_it_may(ollama: str) -> None:
    with a_home_with_ollama(ollama, settings="restarts = 1") as home:
        home.made()
        home.do("load", "here", MODEL, "--ctx", SHORT)
        former = {row["id"] for row in home.journal}
        (first,), (orphan,) = home.servers(), home.runners()
        under_load(home, orphan)
        first.send_signal(signal.SIGKILL)

        until(lambda: len(home.journal) == len(former) + 2, "the model to be back", BACK_SECONDS)
        load, start, *_ = home.journal
        assert [row["request"]["verb"] for row in (load, start)] == ["load", "start"]
        assert {row["request"]["author"] for row in (load, start)} == {"fleetview-agent"}
        assert [row["result"] for row in (load, start)] == ["done", "done"]
        killed = f"ollama serve (pid {first.pid}) ended by signal 9 (SIGKILL) without being asked to"
        assert killed in start["reason"]
        assert killed in load["reason"]
        assert start["evictions"] == [f"{MODEL}#{orphan.pid}"]
        assert is_gone(orphan)
        assert home.ready == [MODEL]
        (second,), (orphan,) = home.servers(), home.runners()

        second.send_signal(signal.SIGKILL)
        until(lambda: home.state["phase"] == "failed" and bool(orphans(home)), "the end of our patience")
        assert "2nd time within ten minutes, so it is not started again by itself" in home.state["failure"]["reason"]
        home.do("unload", "here", f"{MODEL}#{orphan.pid}")
        assert is_gone(orphan)
        assert home.state["phase"] == "failed"
        assert home.servers() == []

        home.do("start", "here", "ollama")
        assert home.state["phase"] == "ready"


@needs_tmux
@both_ollamas
def test_what_a_server_of_somebody_else_leaves_behind_is_shown_and_ended_by_a_key(ollama: str) -> None:
    with a_home_with_ollama(ollama) as home, somebody_elses(home) as server:
        until(lambda: is_served(home), "the server")
        home.create()
        with client(home) as other:
            other.generate(NAME)
        (orphan,) = home.runners()
        server.kill()
        server.wait()

        until(lambda: bool(orphans(home)), "the orphan")
        (row,) = orphans(home)
        assert row["name"] == f"{NAME}:latest#{orphan.pid}"
        assert row["memory_bytes"] > 50 << 20
        told = home.do("status", "here")
        assert re.search(rf"{MODEL}#{orphan.pid} has lost its server and keeps \d+M", told)
        assert f"fleetview unload here '{MODEL}#{orphan.pid}'" in told

        with terminal(command("fleetview"), environment=home.environment) as pane:
            pane.wait_for("! degraded", f"{NAME}:latest#{orphan.pid}", "orphaned, x ends it")
            pane.press("x")
            pane.wait_for(f"End the orphaned {NAME}:latest#{orphan.pid}", "Its process runs on and keeps")
            assert orphan.is_running()
            pane.press("y")
            pane.wait_for("no model is resident")
        assert is_gone(orphan)
        assert home.servers() == []
        until(lambda: verbs(home) == ["unload", "create"], "its place in the journal")


def verbs(home: OllamaHome) -> list[str]:
    """What was done, newest first."""
    return [row["request"]["verb"] for row in home.journal]


def orphans(home: OllamaHome) -> list[dict[str, Any]]:
    """Rows of runners that nobody can ask any more."""
    return [row for row in home.state["resident"] if row["phase"] == "orphaned"]


@contextmanager
def somebody_elses(home: OllamaHome) -> Iterator[subprocess.Popen[bytes]]:
    """`ollama serve` as a person runs it in a terminal."""
    variables = {"OLLAMA_HOST": f"127.0.0.1:{home.port}", "OLLAMA_MODELS": str(home.path / "models")}
    with subprocess.Popen(
        [home.program, "serve"],
        env={**home.environment, **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as server:
        try:
            yield server
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)


def client(home: OllamaHome) -> official.Client:
    """The official client of this server."""
    return official.Client(host=f"http://127.0.0.1:{home.port}")


def is_served(home: OllamaHome) -> bool:
    """Whether anybody answers there."""
    try:
        with client(home) as other:
            other.list()
    except ConnectionError:
        return False
    return True


def under_load(home: OllamaHome, runner: psutil.Process) -> None:
    """Return while a client is being answered, whatever becomes of that."""

    def ask() -> None:
        with suppress(official.ResponseError, httpx.TransportError), client(home) as other:
            other.generate(NAME, "Tell a long story.", options={"num_predict": 400, "num_ctx": int(SHORT)})

    before = sum(runner.cpu_times()[:2])
    threading.Thread(target=ask, daemon=True).start()
    until(lambda: sum(runner.cpu_times()[:2]) > before + 0.2, "the answer to begin")
