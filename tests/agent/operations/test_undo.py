"""Undo: what is done is taken back as it was, step by step, and what cannot be is said plainly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from fleetview_agent.agent import Agent
from fleetview_agent.errors import BackendFailed, NotFound, RefusedOperation
from fleetview_agent.serving.api import build_app
from fleetview_agent.wire import (
    DeleteRequest,
    LoadOptions,
    Operation,
    PinRequest,
    PullRequest,
    StopRequest,
    SwapRequest,
    UndoRequest,
)
from tests.agents import a_load, a_row, a_running_agent, a_swap, an_unload, outcome, phase, residents
from tests.builders import AUTHOR

SMALL, LARGE, NEW = "sim-small", "sim-large", "sim-new"
UNDO = UndoRequest(author="bob@desk")
DELETE = DeleteRequest(author=AUTHOR, backend="simulated", model=NEW)


def a_pin(model: str) -> PinRequest:
    return PinRequest(author=AUTHOR, backend="simulated", model=model)


async def undo(agent: Agent, **changes: Any) -> Operation:
    return await outcome(agent, agent.operator.submit(UNDO.model_copy(update=changes)))


async def add_model(agent: Agent, model: str = NEW) -> None:
    await outcome(agent, PullRequest(author=AUTHOR, backend="simulated", model=model))


async def options(agent: Agent, model: str) -> LoadOptions | None:
    row = await a_row(agent, model)
    return row and row.options


async def test_a_swap_that_evicted_several_is_undone_as_one_operation(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await add_model(agent)
        await outcome(agent, a_load(SMALL, options={"context": 2048, "cache_type_k": "q8_0", "keep": 600}))
        await outcome(agent, a_load(NEW, options={"context": 1024}))
        await outcome(agent, a_pin(NEW))
        targets = [f"simulated/{SMALL}", f"simulated/{NEW}"]
        done = await outcome(agent, a_swap(LARGE, evict=targets))
        assert isinstance(done.inverse, SwapRequest)
        assert [one.model for one in done.inverse.beside] == [NEW]
        undone = await undo(agent)
        assert (undone.result, undone.undoes, undone.request.author) == ("done", done.id, UNDO.author)
        assert undone.evictions == (f"simulated/{LARGE}",)
        assert await residents(agent) == {SMALL: 2048, NEW: 1024}
        assert await options(agent, SMALL) == LoadOptions(context=2048, cache_type_k="q8_0")
        row = await a_row(agent, SMALL)
        assert row is not None
        assert row.expires_in_seconds == pytest.approx(600, abs=5)
        assert agent._wishes.pins == {f"simulated/{NEW}"}
        assert set(agent._wishes.running("simulated")) == {SMALL, NEW}


async def test_of_several_that_come_back_all_come_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_running_agent(tmp_path) as agent:
        await add_model(agent)
        await outcome(agent, a_load(SMALL))
        await outcome(agent, a_load(NEW))
        await outcome(agent, a_swap(LARGE, evict="all", options={"context": 4096}))
        backend: Any = agent.backends["simulated"]
        load = backend.load

        async def fail_new(model: str, *rest: object) -> None:
            if model == NEW:
                raise BackendFailed("out of memory")
            await load(model, *rest)

        monkeypatch.setattr(backend, "load", fail_new)
        ended = await undo(agent)
        assert (ended.result, ended.cause) == ("rolled_back", "out of memory")
        assert await residents(agent) == {LARGE: 4096}
        monkeypatch.setattr(backend, "load", load)
        assert (await undo(agent)).undoes == ended.undoes
        assert set(await residents(agent)) == {SMALL, NEW}


async def test_every_further_undo_steps_one_operation_back(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        first = await outcome(agent, a_load(SMALL, options={"context": 2048}))
        second = await outcome(agent, a_load(SMALL, options={"context": 4096}))
        third = await outcome(agent, an_unload(SMALL))
        seen = []
        for operation in (third, second, first):
            assert (await undo(agent)).undoes == operation.id
            seen.append(await residents(agent))
        assert seen == [{SMALL: 4096}, {SMALL: 2048}, {}]
        with pytest.raises(RefusedOperation, match="there is nothing to undo"):
            agent.operator.submit(UNDO)


async def test_settings_that_nobody_had_named_are_left_to_the_engine_again(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL, options={"context": 2048}))
        await outcome(agent, a_load(SMALL, options={"context": 2048, "batch": 64}))
        assert (await undo(agent)).evictions == (f"simulated/{SMALL}",)
        assert await options(agent, SMALL) == LoadOptions(context=2048)


async def test_two_quick_undos_take_back_two_operations(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path, load_seconds=0.1) as agent:
        await add_model(agent)
        await outcome(agent, a_load(SMALL, options={"context": 2048}))
        await outcome(agent, a_swap(LARGE))
        await outcome(agent, a_swap(NEW))
        first, second = agent.operator.submit(UNDO), agent.operator.submit(UNDO)
        assert (await outcome(agent, second)).result == "done"
        assert (await outcome(agent, first)).result == "done"
        assert await residents(agent) == {SMALL: 2048}


async def test_an_unload_is_undone_with_the_pin_and_all_settings_of_the_model(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        settings = {
            "context": 2048,
            "batch": 256,
            "flash_attention": False,
            "gpu_layers": 3,
            "mmap": False,
            "threads": 2,
        }
        await outcome(agent, a_load(SMALL, options=settings, pin=True))
        await outcome(agent, an_unload(SMALL))
        assert agent._wishes.pins == frozenset()
        await undo(agent)
        assert await options(agent, SMALL) == LoadOptions.model_validate(settings)
        assert agent._wishes.pins == {f"simulated/{SMALL}"}


async def test_a_stop_is_undone_with_the_models_that_ran(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL, options={"context": 2048}))
        await outcome(agent, a_load(LARGE, options={"context": 1024}))
        await outcome(agent, StopRequest(author=AUTHOR, backend="simulated"))
        undone = await undo(agent)
        assert [row.phase for row in undone.phases] == ["plan", "start", "load", "warm", "load", "warm", "ready"]
        assert await residents(agent) == {SMALL: 2048, LARGE: 1024}


async def test_what_an_undo_would_do_is_shown_before_it_happens(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL))
        done = await outcome(agent, a_swap(LARGE))
        plan = await agent.plan(UNDO)
        assert (plan.undoes, plan.evictions, plan.request.verb) == (done.id, (f"simulated/{LARGE}",), "swap")
        assert plan.undone == done.request
        assert list(await residents(agent)) == [LARGE]


async def test_a_delete_that_waits_is_cancelled_by_an_undo(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path, delete_wait_seconds=60) as agent:
        await add_model(agent)
        operation = agent.operator.submit(DELETE)
        await phase(agent, operation, "wait")
        plan = await agent.plan(UNDO)
        assert (plan.cancels, plan.undoes, plan.request) == (operation.id, None, DELETE)
        assert agent.operator.submit(UNDO).id == operation.id
        assert (await outcome(agent, operation)).cause == "cancelled"
        assert NEW in {file.name for file in (await agent.snapshot()).backends[0].models}


async def test_what_cannot_be_undone_is_named_with_its_reason_and_with_what_can_be(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(LARGE))
        await add_model(agent)
        pulled = agent.journal.ended(1)[0]
        await outcome(agent, DELETE)
        with pytest.raises(RefusedOperation) as refused:
            agent.operator.submit(UNDO)
        assert refused.value.message == (
            "the delete of simulated/sim-new cannot be undone: its files are gone; pull or copy the model again"
        )
        assert refused.value.hint == f"the pull of simulated/sim-new before it can be: undo operation {pulled.id}"
        load = agent.journal.ended(3)[-1]
        assert (await undo(agent, operation=load.id)).result == "done"
        assert await residents(agent) == {}


async def test_an_operation_that_is_named_must_be_one_that_can_be_taken_back(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        done = await outcome(agent, a_load(SMALL))
        failed = await outcome(agent, a_load("sim-unusable"))
        undone = await undo(agent)
        for operation, told in (
            (done.id, f"was undone already, by operation {undone.id}"),
            (failed.id, "ended as failed, so there is nothing to take back"),
            (undone.id, f"took back operation {done.id} itself"),
        ):
            with pytest.raises(RefusedOperation, match=told):
                agent.operator.submit(UndoRequest(author=AUTHOR, operation=operation))
        with pytest.raises(NotFound, match="there is no operation nonsense"):
            agent.operator.submit(UndoRequest(author=AUTHOR, operation="nonsense"))


async def test_a_change_that_is_in_hand_is_cancelled_and_not_undone(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path, load_seconds=30) as agent:
        operation = agent.operator.submit(a_load(SMALL))
        await phase(agent, operation, "load")
        with pytest.raises(RefusedOperation, match="the load of simulated/sim-small is in hand still; cancel it"):
            agent.operator.submit(UNDO)
        agent.operator.cancel(operation.id)
        assert (await outcome(agent, operation)).result == "rolled_back"


async def test_a_swap_is_undone_although_its_model_has_left_by_itself(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL))
        await outcome(agent, a_swap(LARGE))
        await agent.backends["simulated"].unload(LARGE)
        await agent.snapshot()
        assert (await undo(agent)).result == "done"
        assert list(await residents(agent)) == [SMALL]


async def test_what_the_agent_did_by_itself_is_not_what_an_operator_undoes(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        done = await outcome(agent, a_load(SMALL))
        await agent.operator.carry(a_load(LARGE), "it should run")
        assert (await undo(agent)).undoes == done.id


async def test_an_undo_comes_by_http_like_any_other_wish(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        transport = httpx.ASGITransport(build_app(agent), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
            refused = await client.post("/api/operations", json={"verb": "undo", "author": AUTHOR})
            assert (refused.status_code, refused.json()["error"]["code"]) == (422, "refused")
            done = await outcome(agent, a_load(SMALL))
            plan = (await client.post("/api/plan", json={"verb": "undo", "author": AUTHOR})).json()
            assert (plan["undoes"], plan["request"]["verb"]) == (done.id, "unload")
            accepted = await client.post("/api/operations", json={"verb": "undo", "author": AUTHOR})
            operation = next(row for row in agent.operator.operations if row.id == accepted.json()["id"])
            assert (await outcome(agent, operation)).result == "done"
        assert await residents(agent) == {}


async def test_a_delete_that_is_cancelled_when_its_files_are_going_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_running_agent(tmp_path) as agent:
        await add_model(agent)
        backend: Any = agent.backends["simulated"]
        delete = backend.delete

        async def delete_and_be_cancelled(model: str) -> None:
            with pytest.raises(RefusedOperation, match="its files are going just now"):
                agent.operator.submit(UndoRequest(author=AUTHOR, operation=operation.id))
            agent.operator.cancel(operation.id)
            await delete(model)

        monkeypatch.setattr(backend, "delete", delete_and_be_cancelled)
        operation = agent.operator.submit(DELETE)
        assert (await outcome(agent, operation)).result == "done"
        assert NEW not in {file.name for file in (await agent.snapshot()).backends[0].models}
