"""Verbs that change a node or ask one of its models."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from tests.tui.cli.conftest import Fleetview, program

SMALL, LARGE = "simulated/sim-small", "simulated/sim-large"


def test_status_for_programs_has_the_parts_of_the_snapshot(fleetview: Fleetview) -> None:
    here, gone, _ = fleetview("status", "--json").json
    assert (here["name"], here["condition"], here["reason"]) == ("here", "up", None)
    assert here["machine"]["simulated"] is True
    assert here["sample"]["memory_available_bytes"] > 0
    assert here["backends"][0]["backend"] == "simulated"
    assert here["operations"] == []
    assert (gone["condition"], gone["machine"], gone["sample"]) == ("down", None, None)


def test_a_swap_waits_for_its_end_and_tells_who_left(fleetview: Fleetview) -> None:
    first = fleetview("swap", "here", "sim-small")
    assert first.status == 0
    assert first.out.startswith(f"{SMALL} is ready on here after ")
    assert first.err.splitlines()[0] == "sim-small: queued"
    assert "sim-small: load" in first.err.splitlines()
    second = fleetview("swap", "here", LARGE, "--evict", "sim-small", "--json").json
    assert (second["result"], second["evictions"], second["phase"]) == ("done", [SMALL], "ready")
    assert second["inverse"]["model"] == "sim-small"


def test_unload_empties_and_is_refused_for_what_is_not_there(fleetview: Fleetview) -> None:
    fleetview("load", "here", SMALL)
    assert fleetview("unload", "here", "sim-small").out.startswith(f"{SMALL} has left here after ")
    again = fleetview("unload", "here", "sim-small")
    assert again.status == 1
    assert "is not resident" in again.err


def test_without_waiting_the_id_is_printed_at_once(fleetview: Fleetview) -> None:
    assert len(fleetview("load", "here", SMALL, "--no-wait").out.strip()) > 4
    assert set(fleetview("unload", "here", SMALL, "--no-wait", "--json").json) == {"id"}


def test_a_load_that_fails_is_rolled_back_with_the_last_words_of_the_engine(fleetview: Fleetview) -> None:
    done = fleetview("swap", "here", "sim-broken", "--json")
    assert done.status == 1
    assert done.json["result"] == "rolled_back"
    assert "missing tensor" in done.err
    assert "swap of simulated/sim-broken on here was rolled back: " in done.err


def test_what_cannot_be_is_refused_before_anything_is_tried(fleetview: Fleetview) -> None:
    unusable = fleetview("swap", "here", "sim-unusable")
    assert unusable.status == 4
    assert "was refused: sim-unusable is truncated" in unusable.err
    assert fleetview("load", "here", LARGE, "--ctx", "99999999").status == 4
    readonly = fleetview("--readonly", "swap", "here", SMALL)
    assert (readonly.status, readonly.err) == (
        4,
        "fleetview: swap would change a node, and --readonly forbids that\n",
    )


def test_a_readonly_command_line_looks_at_remote_nodes_and_never_connects_to_change_them(fleetview: Fleetview) -> None:
    for verb in ("swap", "load", "unload"):
        done = fleetview("--readonly", verb, "far", SMALL)
        assert (done.status, done.out) == (4, "")
        assert done.err == f"fleetview: {verb} would change a node, and --readonly forbids that\n"
    looked = fleetview("--readonly", "status", "far")
    assert looked.status == 3
    assert "refused: nothing listens for ssh at" in looked.out


def test_chat_streams_the_answer_and_tells_the_figures_apart(fleetview: Fleetview) -> None:
    fleetview("load", "here", SMALL)
    done = fleetview("chat", "here", "-p", "one two three")
    assert (done.status, done.out.split()) == (0, ["one", "two", "three"])
    assert done.err.startswith("first token ")
    assert " tok/s · 3 tokens\n" in done.err


def test_chat_for_programs_is_one_object_and_reads_standard_input(fleetview: Fleetview) -> None:
    fleetview("load", "here", SMALL)
    told = fleetview("chat", "here", SMALL, "-s", "be brief", "--json", stdin="one two\n").json
    assert told["content"].split() == ["one", "two"]
    assert (told["node"], told["model"], told["finish_reason"]) == ("here", SMALL, "stop")
    assert told["usage"]["completion_tokens"] == 2
    assert told["timings"]["predicted_n"] == 2
    assert told["time_to_first_token_seconds"] > 0
    assert told["tokens_per_second"] == told["timings"]["predicted_per_second"]


def test_chat_without_a_resident_model_is_refused_with_what_to_do(fleetview: Fleetview) -> None:
    nobody = fleetview("chat", "here", "-p", "hello")
    assert (nobody.status, nobody.err) == (
        4,
        "fleetview: no model is ready on here; `fleetview load here MODEL` loads one\n",
    )
    absent = fleetview("chat", "here", SMALL, "-p", "hello")
    assert absent.status == 4
    assert "is not resident" in absent.err


def test_an_interrupt_cancels_the_operation_and_waits_for_the_roll_back(fleetview: Fleetview, home: Path) -> None:
    fleetview("load", "here", SMALL)
    with program(home, "swap", "here", LARGE, stdout=subprocess.PIPE) as process:
        assert process.stderr
        for line in process.stderr:
            if line == "sim-large: load\n":
                process.send_signal(signal.SIGINT)
                break
        told = process.stderr.read()
        assert process.wait(10) == 130
    assert "cancelling" in told
    assert f"swap of {LARGE} on here was rolled back: cancelled" in told
    (state,) = fleetview("status", "here", "--json").json[0]["backends"]
    assert [(row["name"], row["phase"]) for row in state["resident"]] == [("sim-small", "ready")]
