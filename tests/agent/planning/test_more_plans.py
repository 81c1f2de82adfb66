"""Plans for what is not a plain load: orphans, other clients' loads, servers, disks."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetview_agent.backends import ServerSteps
from fleetview_agent.errors import BadRequest, NotFound
from fleetview_agent.planning.plan import plan_unload
from fleetview_agent.planning.server_plan import plan_models, plan_server
from fleetview_agent.planning.small_plans import plan_disk, source_of
from fleetview_agent.wire import (
    CreateRequest,
    DeleteRequest,
    LoadOptions,
    ResidentModel,
    RestartRequest,
    Snapshot,
    StartRequest,
    StopRequest,
)
from tests.builders import (
    AUTHOR,
    GIB,
    a_backend_state,
    a_load_request,
    a_model_file,
    a_plan,
    a_resident,
    a_sample,
    a_snapshot,
    a_swap_request,
    an_operation,
    an_unload_request,
)
from tests.forecasts import a_plan_for

MODELS = tuple(a_model_file(name) for name in ("new", "old"))
ORPHAN = a_resident("old#77", phase="orphaned", memory_bytes=6 * GIB, idle_seconds=None, context=None)
OLD = a_resident("old", idle_seconds=10.0, memory_bytes=10 * GIB)
OLDER = a_resident("older", idle_seconds=20.0, memory_bytes=10 * GIB)
START = StartRequest(author=AUTHOR, backend="ollama")
STOP = StopRequest(author=AUTHOR, backend="ollama")


def a_node(*resident: ResidentModel, used_gib: int = 20) -> Snapshot:
    sample = a_sample(gpu_memory_used_bytes=used_gib * GIB, gpu_memory_limit_bytes=40 * GIB, traffic=())
    state = a_backend_state("ollama", models=MODELS, resident=resident)
    return a_snapshot(backends=(state,), samples=(sample,))


def test_an_orphan_leaves_first_and_its_memory_counts() -> None:
    plan = a_plan_for(a_swap_request("new", backend="ollama"), a_node(OLD, ORPHAN, OLDER))
    assert plan.evictions == ("ollama/old#77", "ollama/older")
    assert plan.room_bytes == (40 - 26 + 6 + 10) * GIB


def test_an_orphan_is_never_the_model_that_is_there_already() -> None:
    plan = a_plan_for(a_load_request("old", backend="ollama"), a_node(ORPHAN))
    assert (plan.already_resident, plan.evictions) == (False, ())


def test_unloading_an_orphan_frees_what_it_holds() -> None:
    plan = plan_unload(an_unload_request("old#77", backend="ollama"), a_node(OLD, ORPHAN))
    assert plan.evictions == ("ollama/old#77",)
    assert plan.memory_after_bytes == (20 - 6) * GIB


def test_an_orphan_on_the_cpu_holds_the_weights_that_it_maps() -> None:
    sample = a_sample(gpu_memory_limit_bytes=None, memory_available_bytes=30 * GIB, traffic=())
    state = a_backend_state("ollama", models=MODELS, resident=(ORPHAN,))
    plan = a_plan_for(a_load_request("new", backend="ollama"), a_snapshot(backends=(state,), samples=(sample,)))
    assert plan.room_bytes == (30 - 4) * GIB


@pytest.mark.parametrize("phase", ["loading", "unloading"])
def test_a_model_that_another_client_is_about_is_left_to_it(phase: str) -> None:
    coming = a_resident("new", phase=phase, idle_seconds=None)
    plan = a_plan_for(a_load_request("new", backend="ollama"), a_node(coming))
    assert plan.refusal == f"ollama/new is {phase} just now, for another client; try again when that is over"
    other = a_resident("old", phase=phase, idle_seconds=None)
    assert a_plan_for(a_swap_request("new", backend="ollama"), a_node(other)).evictions == ()


def test_a_second_name_of_a_resident_file_is_refused_unless_the_first_leaves() -> None:
    models = tuple(a_model_file(name, path="/blobs/sha256-1") for name in ("new", "old"))
    node = a_snapshot(backends=(a_backend_state("ollama", models=models, resident=(OLD,)),), samples=(a_sample(),))
    plan = a_plan_for(a_load_request("new", backend="ollama"), node)
    assert plan.refusal == "new is the same file as ollama/old, which is resident; use that one, or let it leave"
    assert a_plan_for(a_swap_request("new", backend="ollama"), node).refusal is None


def test_a_server_plan_shows_who_runs_it_what_would_be_run_and_who_leaves() -> None:
    steps = ServerSteps("systemd service ollama", ("systemctl --user stop ollama",))
    plan = plan_server(STOP, a_node(OLD, ORPHAN), steps)
    assert (plan.supervisor, plan.commands, plan.refusal) == (steps.supervisor, steps.commands, None)
    assert plan.evictions == ("ollama/old", "ollama/old#77")
    assert plan.memory_after_bytes == (20 - 16) * GIB
    restart = plan_server(RestartRequest(author=AUTHOR, backend="ollama"), a_node(OLD), steps)
    assert restart.memory_after_bytes == restart.memory_before_bytes
    start = plan_server(START, a_node(OLD, ORPHAN), ServerSteps(None, refusal="two servers"))
    assert (start.evictions, start.refusal) == (("ollama/old#77",), "two servers")


def test_the_nearest_backend_is_suggested() -> None:
    with pytest.raises(NotFound) as unknown:
        plan_server(StopRequest(author=AUTHOR, backend="olama"), a_node(), ServerSteps(None))
    assert unknown.value.hint == "did you mean ollama?"


def test_what_ran_last_must_fit_together() -> None:
    loads = tuple(
        a_plan(request=a_load_request(name, backend="ollama"), need_bytes=12 * GIB, refusal=None)
        for name in ("new", "old")
    )
    ran = {"new": LoadOptions(), "old": LoadOptions()}
    one = plan_models(START, a_node(), ran, loads[:1])
    assert (one.verdict, one.need_bytes, one.refusal) == ("fits", 12 * GIB, None)
    both = plan_models(START, a_node(), ran, loads)
    assert both.verdict == "does_not_fit"
    assert both.refusal == "ollama/new and ollama/old do not fit together; load one of them by itself"


def test_a_file_that_another_engine_runs_is_not_deleted() -> None:
    file = a_model_file("new", path="/blobs/sha256-1")
    ollama = a_backend_state("ollama", models=(file,), resident=())
    llamacpp = a_backend_state(
        "llamacpp", models=(file.model_copy(update={"name": "same"}),), resident=(a_resident("same"),)
    )
    request = DeleteRequest(author=AUTHOR, backend="ollama", model="new")
    plan = plan_disk(request, a_snapshot(backends=(ollama, llamacpp)), earlier=(), stores=True)
    assert plan.refusal == "llamacpp/same is resident; unload it first"
    second = file.model_copy(update={"name": "second"})
    twins = ollama.model_copy(update={"models": (file, second), "resident": (a_resident("second"),)})
    kept = plan_disk(request, a_snapshot(backends=(twins, llamacpp)), earlier=(), stores=True)
    assert kept.refusal is None, "another model keeps the file"
    free = llamacpp.model_copy(update={"resident": ()})
    assert plan_disk(request, a_snapshot(backends=(ollama, free)), earlier=(), stores=True).refusal is None


def test_what_is_about_to_be_loaded_is_not_deleted() -> None:
    request = DeleteRequest(author=AUTHOR, backend="ollama", model="new")
    loading = an_operation(request=a_load_request("new", backend="ollama"))
    plan = plan_disk(request, a_node(), earlier=(loading,), stores=True)
    assert plan.refusal == "a load of ollama/new is in hand already; wait for its end, or cancel it"


def test_a_name_without_a_version_is_the_latest_one() -> None:
    taken = a_backend_state("ollama", models=(a_model_file("mine:latest"),), resident=())
    node = a_snapshot(backends=(taken,))
    request = CreateRequest(author=AUTHOR, backend="ollama", model="mine", source="/files/m.gguf")
    plan = plan_disk(request, node, earlier=(), stores=True)
    assert plan.refusal == "ollama/mine is there already; choose another name, or delete it first"
    itself = request.model_copy(update={"source": "ollama/mine:latest"})
    assert plan_disk(itself, node, earlier=(), stores=True).refusal is None
    pull = an_operation(request=request.model_copy(update={"model": "mine:latest"}))
    again = plan_disk(itself, node, earlier=(pull,), stores=True)
    assert again.refusal == "a create of ollama/mine is in hand already; wait for its end, or cancel it"


def test_a_source_is_a_path_of_another_engine_and_a_name_of_the_same_one() -> None:
    llamacpp = a_backend_state("llamacpp", models=(a_model_file("m"), a_model_file("bare", path=None)), resident=())
    node = a_snapshot(backends=(*a_node().backends, llamacpp))

    def source(text: str) -> Path | str:
        return source_of(CreateRequest(author=AUTHOR, backend="ollama", model="mine", source=text), node)

    assert source("/files/m.gguf") == Path("/files/m.gguf")
    assert source("llamacpp/m") == Path("/models/m.gguf")
    assert source("ollama/old") == "old"
    with pytest.raises(BadRequest, match="has no file"):
        source("llamacpp/bare")
    with pytest.raises(NotFound, match="no backend vllm"):
        source("vllm/m")
