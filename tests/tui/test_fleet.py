from __future__ import annotations

from dataclasses import replace

import pytest

from fleetview.fleet import Dropped, LinkDown, LinkUp, NodeState, NodeVerb, apply, condition, refusal
from fleetview_agent.wire import BackendChanged, OperationChanged, PullRequest, Sampled
from tests.builders import (
    a_backend_state,
    a_node,
    a_resident,
    a_sample,
    a_served,
    a_snapshot,
    an_operation,
)

AT = 1_700_000_000.0


def test_a_change_makes_a_new_fleet_and_leaves_the_old_one_and_the_other_nodes_alone() -> None:
    old = {"one": a_node("one"), "two": a_node("two")}
    new = apply(old, "one", LinkDown("no route to host", 5.0), 200.0)
    assert old["one"].link == "up"
    assert new["one"].link == "down"
    assert new["two"] is old["two"]


def test_a_change_from_a_node_that_is_not_in_the_fleet_changes_nothing() -> None:
    fleet = {"one": a_node("one")}
    assert apply(fleet, "two", LinkUp(), 1.0) is fleet


def test_a_snapshot_replaces_everything_that_was_known() -> None:
    node = a_node("one", operations=(an_operation(),), backends={"gone": a_backend_state("gone")})
    after = apply({"one": node}, "one", a_snapshot(), 200.0)["one"]
    assert after.operations == ()
    assert tuple(after.backends) == ("llamacpp",)
    assert after.backends_heard_at == {"llamacpp": 200.0}
    assert after.heard_at == 200.0


def test_samples_older_than_two_minutes_fall_off() -> None:
    node = a_node("one", samples=(a_sample(at=AT - 200), a_sample(at=AT - 60)))
    after = apply({"one": node}, "one", Sampled(sample=a_sample(at=AT)), 200.0)["one"]
    assert [sample.at for sample in after.samples] == [AT - 60, AT]


def test_an_operation_is_kept_in_its_place_while_it_goes_on() -> None:
    first, second = an_operation(id="a"), an_operation(id="b", phase="queued")
    node = a_node("one", operations=(first, second))
    after = apply({"one": node}, "one", OperationChanged(operation=an_operation(id="a", progress=0.9)), 200.0)["one"]
    assert [(one.id, one.progress) for one in after.operations] == [("a", 0.9), ("b", 0.5)]


def test_an_ended_operation_stays_a_moment_and_is_remembered_as_the_last() -> None:
    node = a_node("one", operations=(an_operation(),))
    end = OperationChanged(operation=an_operation(result="done"))
    after = apply({"one": node}, "one", end, 200.0)
    assert after["one"].operations == ()
    assert [one.operation.id for one in after["one"].ended] == ["op-1"]
    later = apply(after, "one", Sampled(sample=a_sample(at=AT + 60)), 260.0)["one"]
    assert later.ended == ()
    assert later.last is not None
    assert later.last.heard_at == 200.0


def test_a_backend_that_changes_is_counted_from_the_moment_it_was_heard() -> None:
    after = apply({"one": a_node("one")}, "one", BackendChanged(state=a_backend_state("ollama")), 130.0)["one"]
    assert after.backends_heard_at == {"llamacpp": 100.0, "ollama": 130.0}


def test_the_last_answer_is_kept() -> None:
    assert apply({"one": a_node("one")}, "one", a_served(), 130.0)["one"].served == a_served()


def test_a_lost_node_is_down_since_the_first_failure_and_not_the_last() -> None:
    fleet = apply({"one": a_node("one")}, "one", LinkDown("refused", 1.0), 200.0)
    fleet = apply(fleet, "one", LinkDown("refused", 2.0), 210.0)
    assert fleet["one"].link_since == 200.0
    assert fleet["one"].retry_at == 212.0


@pytest.mark.parametrize(
    ("node", "at", "expected"),
    [
        (NodeState("one"), 100.0, "connecting"),
        (a_node(link="connecting"), 100.0, "stale"),
        (a_node(link="connecting", operations=(an_operation(),)), 1000.0, "stale"),
        (a_node(link_since=101.0), 101.0, "stale"),
        (a_node(), 100.0, "up"),
        (a_node(), 103.0, "up"),
        (a_node(), 103.5, "stale"),
        (a_node(), 110.5, "down"),
        (a_node(interval_seconds=5.0), 110.5, "up"),
        (a_node(link="down"), 100.0, "down"),
        (a_node(operations=(an_operation(),)), 100.0, "busy"),
        (a_node(samples=(a_sample(pressure="critical"),)), 100.0, "degraded"),
        (a_node(backends={"x": a_backend_state("x", phase="failed")}), 100.0, "degraded"),
        (a_node(backends={"x": a_backend_state("x", resident=(a_resident(phase="failed"),))}), 100.0, "degraded"),
    ],
)
def test_the_condition_of_a_node_has_one_name(node: NodeState, at: float, expected: str) -> None:
    assert condition(node, at) == expected


def test_nothing_can_be_done_to_a_node_that_is_not_connected_and_the_reason_says_so() -> None:
    lost = a_node("studio", link="down", reason="no route to host")
    for verb in ("swap", "unload", "chat"):
        assert refusal(lost, verb) == "studio is not connected: no route to host"


def test_nothing_can_be_done_to_a_node_of_which_only_old_figures_are_known() -> None:
    old = a_node("studio", link="connecting", link_since=None)
    for verb in ("swap", "unload", "chat"):
        assert refusal(old, verb) == "studio is not connected: the first try is under way"


def test_a_first_failed_try_is_down_with_its_reason_and_the_old_figures_stay() -> None:
    old = a_node("studio", link="connecting", heard_at=-3600.0)
    after = apply({"studio": old}, "studio", LinkDown("no route to host", 1.0), 5.0)["studio"]
    assert (condition(after, 5.0), after.reason) == ("down", "no route to host")
    assert (after.machine, after.heard_at) == (old.machine, -3600.0)


def test_a_connection_that_is_back_is_not_up_before_its_snapshot() -> None:
    fleet = apply({"one": a_node("one", link="down")}, "one", LinkUp(), 500.0)
    assert condition(fleet["one"], 500.0) == "stale"
    assert refusal(fleet["one"], "chat") == "one is not connected: its first figures are awaited"
    assert condition(apply(fleet, "one", a_snapshot(), 500.0)["one"], 500.0) == "up"


def test_lines_without_sense_add_up_and_are_no_sign_of_life() -> None:
    fleet = apply({"one": a_node("one", dropped=2)}, "one", Dropped(3), 500.0)
    assert fleet["one"].dropped == 5
    assert fleet["one"].heard_at == 100.0


def test_what_an_agent_speaks_is_known_from_its_snapshot() -> None:
    assert apply({"one": a_node("one")}, "one", a_snapshot(protocol=7), 200.0)["one"].protocol == 7


def test_a_verb_that_lacks_its_object_is_refused_in_words() -> None:
    empty = a_node("studio", backends={"ollama": a_backend_state("ollama", models=(), resident=(), hint="start it")})
    assert refusal(empty, "swap") == "studio has no model to load: start it"
    assert refusal(empty, "unload") == "no model is resident on studio"
    assert "no model is ready on studio" in (refusal(empty, "chat") or "")


def test_a_node_with_a_ready_model_can_do_everything() -> None:
    node = replace(a_node())
    assert [refusal(node, verb) for verb in ("swap", "unload", "chat")] == [None, None, None]


def test_what_an_engine_cannot_do_is_refused_in_words() -> None:
    able = a_backend_state("ollama", abilities=("start", "stop", "keep", "pull", "delete"))
    node = a_node("studio", backends={"ollama": able})
    verbs: tuple[NodeVerb, ...] = ("keep", "serve", "pull", "delete")
    assert [refusal(node, verb) for verb in verbs] == [None] * 4
    plain = a_node("studio", backends={"ollama": a_backend_state("ollama", hint="install it")})
    assert [refusal(plain, verb) for verb in verbs] == [
        "no engine of studio can be told how long a model stays",
        "studio has no server to start or stop: install it",
        "nothing on studio can pull a model: install it",
        "studio has no model that can be deleted from here",
    ]
    empty = a_node("studio", backends={"ollama": a_backend_state("ollama", abilities=("keep",), resident=())})
    assert refusal(empty, "keep") == "no model is ready on studio; load one with s"


def test_a_pull_makes_a_node_busy_and_hides_no_trouble() -> None:
    pull = an_operation(request=PullRequest(author="ada@desk", backend="ollama", model="large"), phase="pull")
    assert condition(a_node(operations=(pull,)), 100.0) == "busy"
    orphan = a_backend_state("ollama", resident=(a_resident("small#4711", phase="orphaned"),))
    assert condition(a_node(backends={"ollama": orphan}), 100.0) == "degraded"
    assert condition(a_node(backends={"ollama": orphan}, operations=(pull,)), 100.0) == "degraded"
    assert condition(a_node(backends={"ollama": orphan}, operations=(an_operation(), pull)), 100.0) == "busy"


def test_an_engine_that_is_missing_is_no_trouble() -> None:
    missing = a_backend_state("ollama", phase="missing", models=(), resident=())
    assert condition(a_node(backends={"ollama": missing, "llamacpp": a_backend_state()}), 100.0) == "up"
