"""The command line, one command after another, with the real engine and a real model."""

from __future__ import annotations

import http.server
import json
import re
import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.gguf_files import write_missing_tensor, write_tiny, write_truncated
from tests.stories.conftest import LARGE, SHORT, SMALL, Home, needs_engine, until

pytestmark = needs_engine

TINY, TRUNCATED, BROKEN = "tiny", "truncated", "broken"


@pytest.fixture
def models(home: Home) -> Iterator[Home]:
    """A home with further files: one that works, one cut short, one without a tensor that it needs."""
    folder = home.path / "models"
    write_tiny(folder / f"{TINY}.gguf")
    write_truncated(folder / f"{TRUNCATED}.gguf")
    write_missing_tensor(folder / f"{BROKEN}.gguf")
    settings = home.path / ".fleetview" / "agent.toml"
    settings.parent.mkdir(mode=0o700)
    settings.write_text('[ollama]\nenabled = false\n[llamacpp]\nfolders = ["~/models"]\n')
    yield home
    assert home.run("fleetview-agent", "stop").returncode == 0
    until(lambda: home.processes() == [], "every process to be gone")


def resident(home: Home) -> list[str]:
    """What can answer on the node."""
    (node,) = home.json("status")
    return [row["name"] for state in node["backends"] for row in state["resident"] if row["phase"] == "ready"]


def answer(home: Home, *arguments: str) -> Any:
    """One answer of the resident model."""
    return home.json("chat", "here", *arguments, "-p", "What is the capital of France?")


def test_look_plan_swap_and_ask(models: Home) -> None:
    (node,) = models.json("status")
    assert (node["name"], node["condition"]) == ("here", "up")

    until(lambda: LARGE in models.run("fleetview", "models").stdout, "the second model", 30)
    plan = models.json("plan", "here", SMALL)
    assert (plan["verdict"], plan["confidence"], plan["evictions"]) == ("fits", "computed", [])
    assert plan["need_bytes"] > plan["weights_bytes"] > 90_000_000
    assert resident(models) == []

    swapped = models.json("swap", "here", SMALL, "--ctx", SHORT)
    assert (swapped["result"], swapped["phases"][-1]["phase"]) == ("done", "ready")

    said = answer(models)
    assert said["model"] == f"llamacpp/{SMALL}"
    assert said["content"]
    assert said["usage"]["completion_tokens"] > 0
    assert 0 < said["time_to_first_token_seconds"] < 60
    assert said["tokens_per_second"] == pytest.approx(said["timings"]["predicted_per_second"])

    again = models.json("swap", "here", LARGE)
    assert again["evictions"] == [f"llamacpp/{SMALL}"]
    assert resident(models) == [LARGE]
    assert models.json("unload", "here", LARGE)["result"] == "done"
    assert resident(models) == []


def test_an_unknown_model_is_answered_with_the_nearest_name(models: Home) -> None:
    done = models.run("fleetview", "swap", "here", "SmolLM2-135M-Instruct.Q4_0")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert SMALL in done.stderr


def test_a_file_cut_short_is_refused_and_nothing_leaves(models: Home) -> None:
    models.json("swap", "here", TINY)
    done = models.run("fleetview", "swap", "here", TRUNCATED)
    assert done.returncode == 4
    assert "is truncated" in done.stderr
    assert resident(models) == [TINY]
    plan = models.run("fleetview", "plan", "here", TRUNCATED, "--json")
    assert plan.returncode == 4
    assert "is truncated" in json.loads(plan.stdout)["refusal"]


def test_a_file_that_the_engine_refuses_makes_nobody_leave(models: Home) -> None:
    models.json("swap", "here", SMALL, "--ctx", SHORT)
    done = models.run("fleetview", "swap", "here", BROKEN)
    assert done.returncode == 4
    assert re.search(r"was refused: .* tensor '.*' not found", done.stderr), done.stderr
    assert resident(models) == [SMALL]
    assert answer(models)["content"]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("status", "heer"), 2, "here"),
        (("plan", "here"), 2, "MODEL"),
        (("swap", "here", SMALL, "--ctx", "many"), 2, "many"),
        (("unload", "here", SMALL), 1, "not resident"),
        (("chat", "here", "-p", "hello"), 4, "no model is ready on here"),
        (("--fleet", "none.toml", "status"), 2, "none.toml"),
    ],
)
def test_wrong_usage_is_told_with_its_status(models: Home, arguments: tuple[str, ...], status: int, words: str) -> None:
    done = models.run("fleetview", *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert words in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


class WebPage(http.server.BaseHTTPRequestHandler):
    """Speaks HTTP, but is no agent."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>hello</html>")

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def address_string(self) -> str:
        return "a unix socket"


def test_what_listens_but_is_no_agent_is_told_apart(home: Home) -> None:
    path = home.path / "web.sock"
    (home.path / "fleet.toml").write_text(f'[[node]]\nname = "web"\nlocal = true\nsocket = "{path}"\n')
    with socketserver.UnixStreamServer(str(path), WebPage) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = home.run("fleetview", "status", "web")
        server.shutdown()
    assert done.returncode == 3
    assert "what answers for web is not a fleetview agent" in done.stdout


def test_the_version_and_the_fleet_file_need_no_agent(home: Home) -> None:
    assert re.fullmatch(r"fleetview \d+\.\d+\.\d+\n", home.run("fleetview", "--version").stdout)
    assert home.run("fleetview", "config", "check").returncode == 0
    (home.path / "fleet.toml").write_text('[[node]]\nname = "a"\nlocal = true\nhots = "x"\n')
    wrong = home.run("fleetview", "config", "check")
    assert wrong.returncode == 2
    assert "host" in wrong.stderr
    assert "fleet.toml:4:" in wrong.stderr
    assert json.loads(home.run("fleetview", "config", "schema").stdout)["title"]
    assert home.processes() == []
