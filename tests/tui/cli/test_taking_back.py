"""Undo, the journal, and where in the fleet a model fits."""

from __future__ import annotations

from fleetview.cli.anywhere import _row
from fleetview.cli.operate import _tell
from fleetview.models.fitting import Place, goodness
from fleetview_agent.wire import DeleteRequest
from tests.builders import AUTHOR, GIB, a_plan, an_operation
from tests.tui.cli.conftest import Fleetview

SMALL, LARGE = "simulated/sim-small", "simulated/sim-large"


def residents(fleetview: Fleetview) -> list[tuple[str, int]]:
    """What is in memory, with its context."""
    (node,) = fleetview("status", "here", "--json").json
    return [(row["name"], row["context"]) for row in node["backends"][0]["resident"]]


def test_a_swap_is_taken_back_after_its_inverse_was_shown(fleetview: Fleetview) -> None:
    fleetview("load", "here", SMALL, "--ctx", "4096")
    fleetview("swap", "here", LARGE)
    (swap,) = fleetview("journal", "here", "-n", "1", "--json").json
    shown = fleetview("undo", "here", "--dry-run")
    assert f"load     {SMALL} on here, context 4k\n" in shown.out
    assert f" (operation {swap['operation']['id']})\n" in shown.out
    assert residents(fleetview) == [("sim-large", 8192)]
    done = fleetview("undo", "here")
    assert done.status == 0
    assert done.out.endswith(f"in place of {LARGE}; that undoes {swap['operation']['id']}\n")
    assert residents(fleetview) == [("sim-small", 4096)]


def test_the_journal_tells_what_was_done_newest_first_and_what_an_undo_took_back(fleetview: Fleetview) -> None:
    fleetview("load", "here", SMALL)
    fleetview("undo", "here")
    heading, undo, load = fleetview("journal", "here", "-n", "2").out.splitlines()
    assert heading.split() == ["WHEN", "NODE", "ID", "TOOK", "BY", "WHAT", "RESULT"]
    assert f"load {SMALL}" in load
    assert load.endswith("loaded")
    identity = load.split()[3]
    assert f"unload {SMALL}" in undo
    assert undo.endswith(f"unloaded; undoes {identity}")
    again = fleetview("undo", "here", "--operation", identity)
    assert again.status == 4
    assert f"the load of {SMALL} was undone already" in again.err
    everywhere = fleetview("journal")
    assert everywhere.status == 0
    assert "no agent answers on gone" in everywhere.err
    assert fleetview("journal", "gone").status == 3


def test_an_operation_that_an_undo_has_cancelled_is_no_failure() -> None:
    request = DeleteRequest(author=AUTHOR, backend="ollama", model="old")
    cancelled = an_operation(request=request, phase="ready", result="rolled_back", cause="it was cancelled")
    assert _tell(cancelled, "studio", as_json=False, interrupted=False, cancelled=True) == 0


def test_where_a_model_fits_is_told_for_every_node_with_what_it_would_cost(fleetview: Fleetview) -> None:
    fleetview("load", "here", SMALL)
    done = fleetview("plan", "--fleet", "sim-large", "--ctx", "4096")
    assert done.status == 0
    heading, here = done.out.splitlines()
    assert heading.split()[:5] == ["NODE", "MODEL", "NEEDS", "ROOM", "NOW"]
    assert here.split()[:2] == ["here", LARGE]
    assert "yes, " in here
    assert "computed" in here
    assert "no agent answers on gone" in done.err
    assert "far" in done.err
    places = fleetview("plan", "--fleet", LARGE, "--json").json
    assert [place["node"] for place in places] == ["here", "gone", "far"]
    assert places[0]["emptied"]["evictions"] == [SMALL]
    assert places[0]["now"]["evictions"] == []
    assert places[1]["problem"]


def test_a_model_that_fits_nowhere_is_refused_and_one_that_is_nowhere_is_unknown(fleetview: Fleetview) -> None:
    large = fleetview("plan", "--fleet", LARGE, "--ctx", "99999999")
    assert large.status == 4
    assert "no, " in large.out
    assert f"{LARGE} fits on none of the nodes that answer" in large.err
    unknown = fleetview("plan", "--fleet", "sim-smal")
    assert unknown.status == 2
    assert "there is no model sim-smal on here; did you mean simulated/sim-small?" in unknown.err


def test_the_best_place_comes_first() -> None:
    roomy, tight = a_plan(evictions=()), a_plan(evictions=(), verdict="tight", room_bytes=44 * GIB)
    no = a_plan(evictions=(), verdict="does_not_fit", room_bytes=10 * GIB)
    emptied = a_plan(evictions=("ollama/a", "ollama/b"))
    places = {
        "down": Place("down", problem="down does not answer"),
        "without": Place("without", lack="there is no model x on without", unknown=True, room_now=5.0 * GIB),
        "never": Place("never", "m", now=no, emptied=no),
        "emptied": Place("emptied", "m", now=no, emptied=emptied),
        "tight": Place("tight", "m", now=tight, emptied=emptied),
        "roomy": Place("roomy", "m", now=roomy, emptied=emptied),
        "resident": Place("resident", "m", resident=True, now=roomy, emptied=roomy),
    }
    assert [place.node for place in sorted(places.values(), key=goodness)] == list(reversed(places))
    assert _row(places["emptied"])[2:7] == ("43G", "10G", "109G", "yes, 66G spare, 2 models would leave", "computed")
    assert _row(places["without"])[3:6] == ("5.0G", "–", "no such file here")
    assert [place.fits for place in places.values()] == [False, False, False, True, True, True, True]
