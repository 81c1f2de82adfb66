from __future__ import annotations

from fleetview.fleet import NodeState
from fleetview.present.operations.plan_rows import plan_lines, plan_rows
from fleetview.present.operations.plans import costs, expected, fits, leaving, need, short_of, sure, verdict
from fleetview.present.text import text_of
from fleetview_agent.wire import DeleteRequest, LoadOptions, UnloadRequest
from tests.builders import (
    AUTHOR,
    GIB,
    a_backend_state,
    a_load_request,
    a_node,
    a_plan,
    a_resident,
    a_swap_request,
)


def a_node_holding(**changes: object) -> NodeState:
    state = a_backend_state(resident=(a_resident(**changes),))
    return a_node(backends={state.backend: state})


def test_a_verdict_never_stands_without_its_confidence() -> None:
    assert text_of(verdict(a_plan())) == "fits, 66G to spare · computed · about 12 s"
    assert text_of(verdict(a_plan(confidence="measured", expected_seconds=None))) == "fits, 66G to spare · measured"
    unknown = a_plan(verdict="unknown", confidence="unknown", need_bytes=None, expected_seconds=None)
    assert text_of(verdict(unknown)) == "nobody knows whether it fits · confidence unknown"


def test_the_column_says_how_much_is_spare_or_missing() -> None:
    assert text_of(fits(a_plan())) == "yes, 66G spare"
    assert text_of(fits(a_plan(verdict="tight", room_bytes=44 * GIB))) == "tight, 1.0G spare"
    assert text_of(fits(a_plan(verdict="does_not_fit", room_bytes=34 * GIB))) == "no, 9.0G short"
    assert text_of(fits(a_plan(verdict="does_not_fit", room_bytes=43 * GIB))) == "no, no margin"
    assert text_of(fits(a_plan(verdict="unknown", need_bytes=None))) == "not known"


def test_an_unknown_confidence_is_a_dash_in_the_column() -> None:
    assert (sure(a_plan(confidence="unknown")), sure(a_plan(confidence="measured"))) == ("–", "measured")


def test_need_is_told_with_its_parts_and_the_room() -> None:
    assert text_of(need(a_plan())) == "43G (40G weights + 2.0G cache) of 109G room"
    nothing = a_plan(need_bytes=None, weights_bytes=None, cache_bytes=None, room_bytes=None)
    assert text_of(need(nothing)) == "– of – room"


def test_who_leaves_is_named_with_its_idle_time_counted_from_receipt() -> None:
    node = a_node_holding(idle_seconds=700.0)
    assert text_of(leaving(a_plan(), node, 120.0)) == "small (idle 12 min) · nothing to wait for"


def test_answers_in_progress_are_told() -> None:
    line = text_of(leaving(a_plan(waits_for=2), a_node_holding(idle_seconds=None), 100.0))
    assert line == "small (answering) · waits for 2 answers"
    assert text_of(leaving(a_plan(evictions=()), a_node(), 100.0)) == "nothing leaves"


def test_enter_is_consent_enough_unless_an_answer_is_cut_or_a_pinned_model_leaves() -> None:
    assert costs(a_plan(), a_node_holding()) == ()
    assert costs(a_plan(), a_node_holding(pinned=True)) == ("llamacpp/small is pinned, and would leave.",)
    assert "1 answer is being written" in costs(a_plan(waits_for=1), a_node_holding())[0]
    assert len(costs(a_plan(waits_for=2), a_node_holding(pinned=True))) == 2


def test_forcing_tells_the_figures() -> None:
    told = short_of(a_plan(verdict="does_not_fit", room_bytes=34 * GIB))
    assert told[0] == "It does not fit: 43G needed, 34G of room (computed)."


def test_the_need_is_told_with_all_that_it_is_made_of() -> None:
    plan = a_plan(compute_bytes=GIB // 2, other_bytes=300 << 20)
    assert text_of(need(plan)) == "43G (40G weights + 2.0G cache + 512M compute + 300M other) of 109G room"


def test_an_expected_time_says_whether_the_file_must_be_read_from_the_disk() -> None:
    for cold, told in ((True, "about 12 s cold"), (False, "about 12 s warm"), (None, "about 12 s")):
        assert text_of(verdict(a_plan(expected_cold=cold))).endswith(f" · computed · {told}")
    assert expected(a_plan(expected_seconds=None, expected_cold=True)) == "–"


def test_a_plan_of_a_load_tells_everything_that_speaks_for_and_against_it() -> None:
    beside = (a_load_request("small"),)
    options = LoadOptions(batch=256, flash_attention=False, cache_type_k="q8_0", gpu_layers=-1, threads=4)
    request = a_swap_request(options=options, beside=beside)
    plan = a_plan(request=request, undoes="op-7", waits_for=1, room_evidence="144G GPU limit, 35G of it in use")
    assert dict(plan_rows(plan)) == {
        "undoes": "op-7",
        "and": "llamacpp/small",
        "with": "batch 256, flash attention off, keys as q8_0, all layers on the GPU, 4 threads",
        "leaves": "llamacpp/small, after 1 answer in progress",
        "verdict": "fits, 66G to spare · computed · about 12 s",
        "needs": "43G (40G weights + 2.0G cache) of 109G room",
        "room": "144G GPU limit, 35G of it in use",
        "memory": "40G now, 78G after, of 144G",
    }


def test_a_plan_for_what_is_there_already_says_only_that() -> None:
    ((label, words),) = plan_rows(a_plan(already_resident=True, evictions=()))
    assert (label, words) == ("now", "in memory in this way already; nothing would be loaded, and nothing leaves")


def test_an_undo_in_a_dialog_says_what_it_becomes() -> None:
    undone = UnloadRequest(author="ada@desk", backend="llamacpp", model="large")
    lines = [text_of(line) for line in plan_lines(a_plan(undoes="op-7", undone=undone), 80)]
    taken_back = "undoes   unload of llamacpp/large by ada@desk (operation op-7)"
    assert lines[:2] == ["swap     llamacpp/large, context 8k", taken_back]
    waiting = a_plan(request=DeleteRequest(author=AUTHOR, backend="ollama", model="old"), cancels="op-9", evictions=())
    lines = [text_of(line) for line in plan_lines(waiting, 80)]
    assert lines[:2] == ["delete   ollama/old", "cancels  op-9, which is still in hand"]
