"""Verbs about servers, about how long models stay, and about the disk."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tui.cli.conftest import Fleetview, program

SMALL = "simulated/sim-small"


@pytest.fixture(autouse=True)
def running(fleetview: Fleetview) -> Iterator[None]:
    """The simulated server runs before and after each test."""
    yield
    if state(fleetview)["phase"] != "ready":
        fleetview("start", "here", "simulated")


def state(fleetview: Fleetview) -> Any:
    """The simulated backend, as programs see it."""
    return fleetview("status", "here", "--json").json[0]["backends"][0]


def names(fleetview: Fleetview) -> set[str]:
    """The models that it has."""
    return {model["name"] for model in state(fleetview)["models"]}


def test_a_server_is_stopped_started_and_restarted(fleetview: Fleetview) -> None:
    assert fleetview("stop", "here", "simulated").out.startswith("simulated is stopped on here after ")
    assert state(fleetview)["phase"] == "stopped"
    assert "here: simulated is stopped: " in fleetview("status", "here").out
    assert fleetview("start", "here", "simulated").out.startswith("simulated runs on here after ")
    assert fleetview("restart", "here", "simulated").out.startswith("simulated runs again on here after ")
    assert state(fleetview)["phase"] == "ready"


def test_a_dry_run_tells_who_runs_the_server_and_changes_nothing(fleetview: Fleetview) -> None:
    fleetview("load", "here", SMALL)
    done = fleetview("stop", "here", "simulated", "--dry-run")
    assert done.status == 0
    rows = dict(line.split(maxsplit=1) for line in done.out.splitlines())
    assert rows["stop"] == "simulated on here"
    assert rows["leaves"] == SMALL
    assert state(fleetview)["resident"][0]["phase"] == "ready"
    plan = fleetview("--readonly", "restart", "here", "simulated", "--dry-run", "--json")
    assert (plan.status, plan.json["request"]["verb"]) == (0, "restart")


def test_a_dry_run_of_what_would_be_refused_says_so(fleetview: Fleetview) -> None:
    fleetview("load", "here", SMALL)
    done = fleetview("delete", "here", SMALL, "--dry-run")
    assert done.status == 4
    assert "it would be refused: " in done.err


def test_the_nearest_backend_is_suggested(fleetview: Fleetview) -> None:
    done = fleetview("stop", "here", "simulatd")
    assert (done.status, done.err) == (
        2,
        "fleetview: there is no backend simulatd on here; did you mean simulated?\n",
    )


def test_a_model_is_pinned_kept_for_a_time_and_let_go(fleetview: Fleetview) -> None:
    fleetview("load", "here", SMALL)
    assert fleetview("pin", "here", "sim-small").out.startswith(f"{SMALL} is pinned on here after ")
    assert state(fleetview)["resident"][0]["pinned"] is True
    assert "pinned" in fleetview("status", "here").out
    assert fleetview("unpin", "here", "sim-small").out.startswith(f"{SMALL} is no longer pinned on here after ")
    kept = fleetview("keep", "here", "sim-small", "30m")
    assert kept.out.startswith(f"{SMALL} stays 30 min after its last answer, on here, after ")
    assert 1700 < state(fleetview)["resident"][0]["expires_in_seconds"] <= 1800
    assert "leaves in 29 min" in fleetview("status", "here").out
    fleetview("keep", "here", "sim-small", "forever")
    assert state(fleetview)["resident"][0]["expires_in_seconds"] is None


def test_a_load_says_how_long_the_model_stays(fleetview: Fleetview) -> None:
    assert fleetview("load", "here", SMALL, "--keep", "2h").status == 0
    assert 7100 < state(fleetview)["resident"][0]["expires_in_seconds"] <= 7200


def test_no_time_is_told_as_such(fleetview: Fleetview) -> None:
    fleetview("load", "here", SMALL)
    done = fleetview("keep", "here", SMALL, "soon")
    assert done.status == 2
    assert "soon is no time to keep a model; say 90s, 30m, 2h, 1d, forever or default" in done.err


def test_a_model_is_pulled_and_deleted_with_its_progress_told(fleetview: Fleetview) -> None:
    pulled = fleetview("pull", "here", "sim-fresh")
    assert pulled.out.startswith("simulated/sim-fresh has come to here after ")
    assert "sim-fresh: pulling" in pulled.err.splitlines()
    assert "sim-fresh" in names(fleetview)
    assert fleetview("delete", "here", "sim-fresh").out.startswith("simulated/sim-fresh is deleted from here after ")
    assert "sim-fresh" not in names(fleetview)


def test_a_model_that_the_registry_does_not_know_is_a_failure_in_words(fleetview: Fleetview) -> None:
    done = fleetview("pull", "here", "nothing/of:the-kind")
    assert done.status in {1, 2, 4}
    assert "no model nothing/of:the-kind" in done.err


def test_a_model_is_made_out_of_another(fleetview: Fleetview) -> None:
    done = fleetview("create", "here", "simulated/sim-copy", "--from", "sim-small", "--ctx", "1024")
    assert done.out.startswith("simulated/sim-copy is there on here after ")
    assert "sim-copy" in names(fleetview)
    assert fleetview("create", "here", "sim-other", "--from", "/no/such/file.gguf").status == 4
    assert fleetview("delete", "here", "sim-copy").status == 0


def test_a_readonly_command_line_changes_no_server_and_no_disk(fleetview: Fleetview) -> None:
    for words in (
        ("stop", "here", "simulated"),
        ("pin", "here", SMALL),
        ("keep", "here", SMALL, "1h"),
        ("pull", "here", "x"),
        ("delete", "here", SMALL),
        ("create", "here", "x", "--from", SMALL),
    ):
        done = fleetview("--readonly", *words)
        assert (done.status, done.err) == (
            4,
            f"fleetview: {words[0]} would change a node, and --readonly forbids that\n",
        )


def test_an_interrupted_pull_is_cancelled(fleetview: Fleetview, home: Path) -> None:
    with program(home, "pull", "here", "sim-slow", stdout=subprocess.PIPE) as process:
        assert process.stderr
        for line in process.stderr:
            if line == "sim-slow: pulling\n":
                process.send_signal(signal.SIGINT)
                break
        told = process.stderr.read()
        assert process.wait(10) == 130
    assert "pull of simulated/sim-slow on here was rolled back: " in told
    assert "sim-slow" not in names(fleetview)
