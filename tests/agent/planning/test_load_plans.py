"""Plans of loads with options of their own, of several models at once, and of needs that are not certain."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fleetview_agent.needs import LoadSettings, Need
from fleetview_agent.planning.forecast import Estimate, Forecast, measured
from fleetview_agent.planning.plan import is_doubtful, make_plan
from fleetview_agent.wire import LoadOptions, ResidentModel, Snapshot
from tests.builders import (
    GIB,
    a_backend_state,
    a_load_request,
    a_model_file,
    a_resident,
    a_sample,
    a_snapshot,
    a_swap_request,
)
from tests.forecasts import a_forecast, a_header, a_plan_for

MODELS = tuple(a_model_file(name) for name in ("new", "second", "old", "older"))
OLD = a_resident("old", idle_seconds=10.0, memory_bytes=10 * GIB)
OLDER = a_resident("older", idle_seconds=20.0, memory_bytes=20 * GIB)
KNOWN = ("flash_attention", "cache_type_k", "cache_type_v", "gpu_layers")


def a_full_node(*resident: ResidentModel, used_gib: int = 100, **state: Any) -> Snapshot:
    sample = a_sample(gpu_memory_used_bytes=used_gib * GIB, gpu_memory_limit_bytes=110 * GIB, traffic=())
    known = a_backend_state(**{"models": MODELS, "resident": resident, "load_options": KNOWN, **state})
    return a_snapshot(backends=(known,), samples=(sample,))


def an_estimate(gib: float, **changes: Any) -> Estimate:
    return replace(Estimate(int(gib * GIB) // 2, int(gib * GIB), confidence="computed"), **changes)


def a_load(model: str, node: Snapshot, gib: float, **changes: Any) -> Forecast:
    return a_forecast(a_load_request(model), node, estimate=an_estimate(gib), **changes)


def test_an_option_that_the_backend_lacks_is_refused_by_its_name() -> None:
    request = a_load_request("new", options=LoadOptions(threads=4, gpu_layers=0))
    refusal = a_plan_for(request, a_full_node(load_options=("gpu_layers",))).refusal
    assert refusal == ("llamacpp takes no threads for a single model; leave it out; of these it knows gpu_layers")
    assert a_plan_for(request, a_full_node(load_options=("gpu_layers", "threads"))).refusal is None


@pytest.mark.parametrize(
    ("asked", "effective", "is_refused"),
    [
        (LoadOptions(cache_type_v="q8_0"), LoadSettings(8192, flash_attention=False, cache_type_v="q8_0"), True),
        (LoadOptions(flash_attention=False), LoadSettings(8192, flash_attention=False, cache_type_v="q4_0"), True),
        (LoadOptions(flash_attention=False, cache_type_v="q8_0"), None, True),
        (LoadOptions(cache_type_v="q8_0"), LoadSettings(8192, cache_type_v="q8_0"), False),
        (LoadOptions(flash_attention=False), LoadSettings(8192, flash_attention=False), False),
        (LoadOptions(flash_attention=False, cache_type_k="q8_0"), LoadSettings(8192, flash_attention=False), False),
        (LoadOptions(), LoadSettings(8192, flash_attention=False, cache_type_v="q8_0"), False),
    ],
)
def test_packed_values_want_flash_attention(
    asked: LoadOptions, effective: LoadSettings | None, is_refused: bool
) -> None:
    refusal = a_plan_for(a_load_request("new", options=asked), a_full_node(), settings=effective).refusal
    assert (refusal is not None) == is_refused
    assert refusal is None or "turn flash attention on, or choose f16 for cache_type_v" in refusal


def test_a_model_that_is_there_with_other_options_is_loaded_again() -> None:
    loaded = a_resident("new", context=8192, options=LoadOptions(cache_type_k="q8_0", flash_attention=True))
    node = a_full_node(loaded)
    same = a_load_request("new", options=LoadOptions(cache_type_k="q8_0"))
    assert a_plan_for(same, node).already_resident
    other = a_plan_for(a_load_request("new", options=LoadOptions(cache_type_k="f16")), node)
    assert (other.already_resident, other.evictions) == (False, ("llamacpp/new",))
    unknown = a_full_node(a_resident("new", context=8192, options=None))
    assert not a_plan_for(same, unknown).already_resident


def test_models_that_come_together_must_fit_together() -> None:
    node = a_full_node(OLD, OLDER)
    request = a_swap_request("new", beside=(a_load_request("second"),))
    both = (a_load("new", node, 15, seconds=2.0, is_cold=False), a_load("second", node, 16, seconds=3.0, is_cold=True))
    plan = make_plan(request, node, both)
    assert plan.need_bytes == 31 * GIB
    assert plan.evictions == ("llamacpp/older", "llamacpp/old"), "10 G are free, and 20 G more would not do"
    assert (plan.expected_seconds, plan.expected_cold) == (5.0, True)
    large = make_plan(request, node, (both[0], a_load("second", node, 60)))
    assert large.refusal is not None
    assert large.refusal.startswith("new and second together need 75G, and 40G would be free")


def test_several_models_are_no_surer_than_the_least_sure_of_them() -> None:
    node = a_full_node()
    request = a_swap_request("new", beside=(a_load_request("second"),))
    sure = a_forecast(request, node, estimate=an_estimate(1, confidence="measured"))
    assert make_plan(request, node, (sure, a_load("second", node, 1))).confidence == "computed"
    unknown = a_forecast(a_load_request("second"), node)
    plan = make_plan(request, node, (sure, unknown))
    assert (plan.need_bytes, plan.verdict, plan.confidence) == (None, "unknown", "unknown")


def test_what_is_there_already_stays_when_the_others_come() -> None:
    node = a_full_node(a_resident("new", context=8192, idle_seconds=99.0), OLD)
    request = a_swap_request("new", beside=(a_load_request("second"),))
    plan = make_plan(request, node, (a_load("new", node, 5), a_load("second", node, 1)))
    assert (plan.already_resident, plan.evictions) == (False, ("llamacpp/old",))
    assert plan.need_bytes == GIB


def test_one_that_cannot_come_stops_all_of_them() -> None:
    broken = a_model_file("second", refusal="second.gguf is truncated")
    node = a_full_node(models=(MODELS[0], broken))
    request = a_swap_request("new", beside=(a_load_request("second"),), force=True)
    plan = make_plan(request, node, (a_load("new", node, 1), a_load("second", node, 1)))
    assert plan.refusal == "second.gguf is truncated"


def test_what_an_engine_says_against_a_file_is_not_overridden_by_force() -> None:
    words = "new.gguf cannot be loaded: unknown model architecture: 'teapot'"
    plan = a_plan_for(a_load_request("new", force=True), a_full_node(), a_header(4), unusable=words)
    assert plan.refusal == words


@pytest.mark.parametrize(
    ("need_gib", "changes", "doubtful"),
    [
        (5.0, {}, False),
        (8.5, {}, True),  # 9 G are usable, and a tenth more would not fit
        (9.5, {}, True),  # a tenth less would
        (20.0, {}, False),
        (8.5, {"is_laid_out": True}, False),
        (8.5, {"estimate": an_estimate(8.5, confidence="measured")}, False),
        (0.0, {"estimate": Estimate(GIB)}, True),
        (0.0, {"estimate": Estimate(90 * GIB)}, False),  # the weights alone decide
    ],
)
def test_a_formula_is_doubted_where_it_decides(need_gib: float, changes: dict[str, Any], doubtful: bool) -> None:
    node = a_full_node()
    forecast = a_forecast(a_load_request("new"), node, **{"estimate": an_estimate(need_gib), **changes})
    assert is_doubtful(a_load_request("new"), node, (forecast,)) == doubtful


def test_a_formula_is_doubted_where_it_decides_who_leaves() -> None:
    node = a_full_node(OLD, OLDER)
    request = a_swap_request("new")
    assert is_doubtful(request, node, (a_load("new", node, 28.5),)), "29 G are free once the older one has left"
    assert not is_doubtful(request, node, (a_load("new", node, 15),))


def test_without_a_reading_of_the_memory_no_engine_needs_to_be_asked() -> None:
    node = a_full_node().model_copy(update={"samples": ()})
    assert not is_doubtful(a_load_request("new"), node, (a_load("new", node, 5),))


def test_a_measured_need_counts_what_the_engine_leaves_out() -> None:
    need = Need(4 * GIB, GIB, GIB // 8, state_bytes=7, prompt_cache_bytes=GIB // 2)
    settings = LoadSettings(8192, prompt_cache_bytes=GIB // 2)
    told = need.weights_bytes + need.cache_bytes + need.compute_bytes + need.state_bytes
    estimate = measured(told, 4 * GIB, settings, need)
    assert estimate.total_bytes == need.total_bytes, "the same figure by another way"
    assert (estimate.cache_bytes, estimate.compute_bytes) == (need.cache_bytes, need.compute_bytes)
    assert estimate.confidence == "measured"
    more = measured(told + 1000, 4 * GIB, settings, need)
    assert more.compute_bytes == need.compute_bytes + 1000
    less = measured(3 * GIB, 4 * GIB, settings, need)
    assert (less.total_bytes, less.confidence) == (need.total_bytes, "computed"), "less than weights and cache take"
