"""What a request would do."""

from __future__ import annotations

from typing import Any

import pytest

from fleetview_agent.errors import BadRequest, NotResident
from fleetview_agent.gguf import Header
from fleetview_agent.needs import LoadSettings
from fleetview_agent.planning.fit import need
from fleetview_agent.planning.plan import plan_unload
from fleetview_agent.wire import LoadOptions, ResidentModel, Snapshot
from tests.builders import (
    GIB,
    a_backend_state,
    a_load_request,
    a_machine,
    a_model_file,
    a_resident,
    a_sample,
    a_snapshot,
    a_swap_request,
    a_traffic,
    an_unload_request,
)
from tests.forecasts import a_header, a_plan_for

MODELS = tuple(a_model_file(name) for name in ("new", "old", "older", "oldest", "pinned", "broken"))
OLD = a_resident("old", idle_seconds=10.0, memory_bytes=10 * GIB)
OLDER = a_resident("older", idle_seconds=20.0, memory_bytes=20 * GIB)
OLDEST = a_resident("oldest", idle_seconds=30.0, memory_bytes=30 * GIB)
PINNED = a_resident("pinned", idle_seconds=99.0, memory_bytes=5 * GIB, pinned=True)
BROKEN = a_resident("broken", phase="failed", memory_bytes=None, idle_seconds=None)


def a_full_node(*resident: ResidentModel, used_gib: int = 100, limit_gib: int = 110, **changes: Any) -> Snapshot:
    sample = a_sample(gpu_memory_used_bytes=used_gib * GIB, gpu_memory_limit_bytes=limit_gib * GIB, traffic=())
    state = a_backend_state(models=MODELS, resident=resident)
    return a_snapshot(**{"backends": (state,), "samples": (sample,), **changes})


def evictions(node: Snapshot, weights_gib: float, **request: Any) -> tuple[str, ...]:
    plan = a_plan_for(a_swap_request("new", **request), node, a_header(weights_gib))
    return tuple(target.removeprefix("llamacpp/") for target in plan.evictions)


@pytest.mark.parametrize(
    ("resident", "weights_gib", "expected"),
    [
        ((), 4, ()),
        ((OLD,), 1, ("old",)),
        ((OLD, OLDER, OLDEST), 1, ("oldest",)),
        ((OLD, OLDER, OLDEST), 40, ("oldest", "older")),
        ((OLD, OLDER, OLDEST), 60, ("oldest", "older", "old")),
        ((OLD, OLDER, OLDEST), 900, ("oldest", "older", "old")),
        ((PINNED, OLD), 1, ("old",)),
        ((PINNED,), 1, ()),
        ((PINNED,), 900, ()),
        ((OLD, BROKEN), 1, ("broken", "old")),
        ((BROKEN,), 1, ("broken",)),
    ],
)
def test_auto_evicts_the_least_recently_used_until_it_fits(
    resident: tuple[ResidentModel, ...], weights_gib: float, expected: tuple[str, ...]
) -> None:
    assert evictions(a_full_node(*resident), weights_gib) == expected


def test_a_model_that_is_answering_is_the_last_to_leave() -> None:
    busy = a_resident("older", idle_seconds=None)
    assert evictions(a_full_node(busy, OLD), 1) == ("old",)
    traffic = (a_traffic(model="oldest", in_flight=1),)
    sample = a_sample(gpu_memory_used_bytes=100 * GIB, gpu_memory_limit_bytes=110 * GIB, traffic=traffic)
    assert evictions(a_full_node(OLDEST, OLD, samples=(sample,)), 1) == ("old",)


@pytest.mark.parametrize(
    ("evict", "expected"),
    [
        ("none", ()),
        ("all", ("broken", "oldest", "old")),
        (("llamacpp/pinned",), ("pinned",)),
        (("old", "llamacpp/pinned"), ("old", "pinned")),
        (("old", "llamacpp/old"), ("old",)),
    ],
)
def test_who_leaves_can_be_said(evict: Any, expected: tuple[str, ...]) -> None:
    assert evictions(a_full_node(OLD, OLDEST, PINNED, BROKEN), 900, evict=evict) == expected


def test_a_load_evicts_nothing() -> None:
    plan = a_plan_for(a_load_request("new"), a_full_node(OLD, BROKEN), a_header(1))
    assert plan.evictions == ()


def test_the_model_itself_leaves_when_its_context_changes() -> None:
    node = a_full_node(a_resident("new", context=8192), OLD)
    for request in (
        a_load_request("new", options=LoadOptions(context=4096)),
        a_swap_request("new", options=LoadOptions(context=4096)),
    ):
        plan = a_plan_for(request, node, a_header(4))
        assert plan.evictions == ("llamacpp/new",)
        assert plan.context == 4096


def test_the_model_itself_is_cleared_when_it_has_failed() -> None:
    node = a_full_node(a_resident("new", phase="failed", memory_bytes=None))
    assert a_plan_for(a_load_request("new"), node, a_header(4)).evictions == ("llamacpp/new",)


def test_a_model_that_is_there_already_changes_nothing() -> None:
    node = a_full_node(a_resident("new", context=8192), OLD)
    plan = a_plan_for(a_swap_request("new"), node, a_header(4))
    assert plan.already_resident
    assert plan.evictions == ()
    assert plan.memory_after_bytes == plan.memory_before_bytes
    assert plan.refusal is None


def test_who_is_told_to_leave_for_a_model_that_is_there_already_is_not_forgotten() -> None:
    node = a_full_node(a_resident("new", context=8192), OLD)
    refusal = a_plan_for(a_swap_request("new", evict=("old",)), node).refusal
    assert refusal == "llamacpp/new is resident with this context already; unload llamacpp/old by itself"


def test_the_bars_add_up() -> None:
    header = a_header(40)
    plan = a_plan_for(a_swap_request("new"), a_full_node(OLD, OLDEST), header, seconds=9.0, is_cold=True)
    required = need(header, LoadSettings(8192))
    assert required is not None
    assert plan.need_bytes == required.total_bytes
    assert (plan.weights_bytes, plan.cache_bytes) == (required.weights_bytes, required.cache_bytes)
    assert plan.memory_before_bytes == 100 * GIB
    assert plan.memory_limit_bytes == 110 * GIB
    assert plan.evictions == ("llamacpp/oldest", "llamacpp/old")
    assert plan.room_bytes == (110 - 100 + 30 + 10) * GIB
    assert plan.memory_after_bytes == (100 - 30 - 10) * GIB + required.total_bytes
    parts = (plan.weights_bytes, plan.cache_bytes, plan.compute_bytes, plan.other_bytes)
    assert sum(filter(None, parts)) == plan.need_bytes
    assert (plan.expected_seconds, plan.expected_cold) == (9.0, True)
    assert plan.confidence == "computed"


def test_memory_that_a_driver_lets_go_of_an_idle_model_does_not_count_as_room() -> None:
    plan = a_plan_for(a_load_request("new"), a_full_node(OLDEST, used_gib=1), a_header(4))
    assert plan.room_bytes == (110 - 30) * GIB


def test_without_a_gpu_the_memory_of_the_machine_is_the_room() -> None:
    sample = a_sample(
        gpu_memory_limit_bytes=None, gpu_memory_used_bytes=None, memory_available_bytes=6 * GIB, traffic=()
    )
    node = a_full_node(OLD, samples=(sample,), machine=a_machine(memory_bytes=32 * GIB))
    plan = a_plan_for(a_swap_request("new"), node, a_header(4))
    mapped = 4 * GIB  # the weights of the resident model, which the system counts as available
    assert (plan.memory_limit_bytes, plan.memory_before_bytes) == (32 * GIB, 26 * GIB + mapped)
    assert plan.room_bytes == 12 * GIB
    assert plan.verdict == "fits"


def test_room_never_exceeds_the_limit() -> None:
    sample = a_sample(gpu_memory_limit_bytes=None, memory_available_bytes=31 * GIB, traffic=())
    node = a_full_node(OLDEST, samples=(sample,), machine=a_machine(memory_bytes=32 * GIB))
    assert a_plan_for(a_swap_request("new"), node, a_header(4)).room_bytes == 32 * GIB


def test_without_a_reading_nothing_is_claimed() -> None:
    plan = a_plan_for(a_swap_request("new"), a_full_node(OLD, samples=()), a_header(4))
    assert (plan.room_bytes, plan.memory_before_bytes, plan.memory_after_bytes) == (None, None, None)
    assert plan.verdict == "unknown"
    assert plan.refusal is None


def test_a_model_whose_memory_is_not_told_frees_at_least_its_weights() -> None:
    plan = a_plan_for(a_swap_request("new"), a_full_node(a_resident("old", memory_bytes=None)), a_header(1))
    assert plan.room_bytes == (10 + 4) * GIB


def test_what_does_not_fit_is_refused_with_what_to_do() -> None:
    plan = a_plan_for(a_load_request("new"), a_full_node(OLD, PINNED), a_header(40))
    assert plan.verdict == "does_not_fit"
    assert plan.refusal == (
        "new needs 41.4G with a context of 8192, and 10G would be free, of which 1G must stay free;"
        " choose a smaller context, let llamacpp/old or llamacpp/pinned leave too, or use --force"
    )


def test_force_overrides_a_verdict_but_not_a_broken_file() -> None:
    node = a_full_node()
    assert a_plan_for(a_load_request("new", force=True), node, a_header(400)).refusal is None
    broken = a_model_file("new", refusal="new.gguf is truncated")
    node = a_full_node(backends=(a_backend_state(models=(broken,), resident=()),))
    assert a_plan_for(a_load_request("new", force=True), node).refusal == "new.gguf is truncated"


def test_an_unusable_header_refuses_too() -> None:
    header = a_header(4)
    cut = Header(**{**vars(header), "file_bytes": 100})
    refusal = a_plan_for(a_load_request("new"), a_full_node(), cut).refusal
    assert refusal is not None
    assert "truncated" in refusal


def test_without_a_header_nothing_is_computed_but_the_weights_may_speak_against_it() -> None:
    plan = a_plan_for(a_load_request("new"), a_full_node())
    assert (plan.verdict, plan.confidence, plan.need_bytes) == ("unknown", "unknown", None)
    assert plan.weights_bytes == 4 * GIB
    plan = a_plan_for(a_load_request("new"), a_full_node(used_gib=109))
    assert (plan.verdict, plan.need_bytes) == ("does_not_fit", None)
    assert plan.refusal is not None
    assert plan.refusal.startswith("the weights of new alone take 4G, and 1G would be free")


def test_a_plan_waits_for_answers_of_those_that_leave_alone() -> None:
    traffic = (a_traffic(model="old", in_flight=2), a_traffic(model="pinned", in_flight=3))
    sample = a_sample(gpu_memory_used_bytes=100 * GIB, gpu_memory_limit_bytes=110 * GIB, traffic=traffic)
    plan = a_plan_for(a_swap_request("new"), a_full_node(OLD, PINNED, samples=(sample,)), a_header(1))
    assert plan.waits_for == 2


def test_a_backend_that_is_not_ready_refuses_with_its_hint() -> None:
    state = a_backend_state(models=MODELS, resident=(), phase="missing", hint="install llama-cpp-python")
    plan = a_plan_for(a_swap_request("new"), a_full_node(backends=(state,)))
    assert plan.refusal == "llamacpp is missing: install llama-cpp-python"


def test_a_name_that_cannot_leave_comes_with_the_nearest_one() -> None:
    node = a_full_node(OLD)
    with pytest.raises(BadRequest, match="lama/old cannot leave, for it is not resident") as evict:
        a_plan_for(a_swap_request("new", evict=("lama/old",)), node)
    assert evict.value.hint == "did you mean llamacpp/old?"


def test_a_name_in_two_backends_needs_its_backend() -> None:
    states = tuple(a_backend_state(name, models=MODELS, resident=(OLD,)) for name in ("llamacpp", "simulated"))
    node = a_full_node(backends=states)
    with pytest.raises(BadRequest, match="several backends"):
        a_plan_for(a_swap_request("new", evict=("old",)), node)
    assert a_plan_for(a_swap_request("new", evict=("simulated/old",)), node).evictions == ("simulated/old",)


def test_models_of_all_backends_make_room() -> None:
    states = (
        a_backend_state(models=MODELS, resident=(OLD,)),
        a_backend_state("simulated", models=MODELS, resident=(OLDEST,)),
    )
    plan = a_plan_for(a_swap_request("new"), a_full_node(backends=states), a_header(1))
    assert plan.evictions == ("simulated/oldest",)


def test_an_unload_frees_what_the_model_holds() -> None:
    plan = plan_unload(an_unload_request("old"), a_full_node(OLD, OLDEST))
    assert plan.evictions == ("llamacpp/old",)
    assert plan.memory_after_bytes == 90 * GIB
    assert plan.refusal is None
    with pytest.raises(NotResident):
        plan_unload(an_unload_request("new"), a_full_node(OLD))
