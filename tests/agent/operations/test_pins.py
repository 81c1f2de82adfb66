"""How long models stay: pins, times, and what outlives the agent."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from fleetview_agent.errors import NotResident
from fleetview_agent.wire import KeepRequest, LoadRequest, PinRequest, UnpinRequest
from tests.agents import Plain, a_load, a_row, a_running_agent, a_swap, an_unload, outcome, residents
from tests.builders import AUTHOR

SMALL, LARGE = "sim-small", "sim-large"
NAMES: dict[str, Any] = {"author": AUTHOR, "backend": "simulated", "model": SMALL}
PIN, UNPIN = PinRequest(**NAMES), UnpinRequest(**NAMES)


async def test_a_pinned_model_is_no_longer_evicted_by_policy_until_it_is_unpinned(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL))
        done = await outcome(agent, PIN)
        assert (done.result, done.inverse) == ("done", UNPIN)
        row = await a_row(agent, SMALL)
        assert row is not None
        assert row.pinned
        assert (await agent.plan(a_swap(LARGE))).evictions == ()
        assert (await agent.plan(a_swap(LARGE, evict="all"))).evictions == ()
        assert (await agent.plan(a_swap(LARGE, evict=[SMALL]))).evictions == (f"simulated/{SMALL}",)
        undone = await outcome(agent, UNPIN)
        assert undone.inverse == PIN
        assert (await agent.plan(a_swap(LARGE))).evictions == (f"simulated/{SMALL}",)


async def test_a_pin_outlives_the_agent_and_ends_when_the_model_is_unloaded(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL))
        await outcome(agent, PIN)
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL))
        row = await a_row(agent, SMALL)
        assert row is not None
        assert row.pinned
        await outcome(agent, an_unload(SMALL))
        await outcome(agent, a_load(SMALL))
        row = await a_row(agent, SMALL)
        assert row is not None
        assert not row.pinned


async def test_a_pin_stops_the_time_of_a_model_and_its_end_gives_it_back_to_the_engine(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL, options={"keep": 600}))
        row = await a_row(agent, SMALL)
        assert row is not None
        assert row.expires_in_seconds == pytest.approx(600, abs=5)
        await outcome(agent, PIN)
        row = await a_row(agent, SMALL)
        assert row is not None
        assert row.expires_in_seconds is None


async def test_a_time_to_stay_is_set_and_its_inverse_is_the_former_one(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL, options={"keep": 600}))
        done = await outcome(agent, KeepRequest(**NAMES, keep=60))
        assert done.inverse == KeepRequest(**NAMES, keep=600)
        row = await a_row(agent, SMALL)
        assert row is not None
        assert row.expires_in_seconds == pytest.approx(60, abs=5)


@pytest.mark.parametrize("request_", [KeepRequest(**NAMES, keep=60), PIN])
async def test_a_change_of_the_time_that_is_cancelled_leaves_the_former_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request_: KeepRequest | PinRequest
) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL, options={"keep": 600}))
        backend: Any = agent.backends["simulated"]
        keep, cancels = backend.keep, iter((True, False))

        async def keep_and_be_cancelled(model: str, seconds: float | None) -> None:
            await keep(model, seconds)
            if next(cancels):
                agent.operator.cancel(operation.id)

        monkeypatch.setattr(backend, "keep", keep_and_be_cancelled)
        operation = agent.operator.submit(request_)
        assert (await outcome(agent, operation)).result == "rolled_back"
        row = await a_row(agent, SMALL)
        assert row is not None
        assert (row.pinned, row.expires_in_seconds) == (False, pytest.approx(600, abs=5))


async def test_a_model_that_is_brought_back_keeps_its_time(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL, options={"keep": 600}))
        assert (await outcome(agent, a_swap("sim-broken"))).result == "rolled_back"
        row = await a_row(agent, SMALL)
        assert row is not None
        assert row.expires_in_seconds == pytest.approx(600, abs=5)
        done = await outcome(agent, an_unload(SMALL))
        assert isinstance(done.inverse, LoadRequest)
        assert done.inverse.options.keep == 600


async def test_loading_what_is_there_with_another_time_changes_the_time_alone(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL, options={"context": 2048}))
        done = await outcome(agent, a_load(SMALL, options={"context": 2048, "keep": 60}))
        assert [row.phase for row in done.phases] == ["plan", "keep", "ready"]
        row = await a_row(agent, SMALL)
        assert row is not None
        assert (row.context, row.expires_in_seconds) == (2048, pytest.approx(60, abs=5))


async def test_a_model_whose_time_is_over_leaves_and_should_no_longer_run(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL, options={"keep": 0.3}))
        assert await residents(agent) == {SMALL: 8192}
        async with asyncio.timeout(5):
            while await residents(agent):
                await asyncio.sleep(0.02)
        assert agent._wishes.running("simulated") == {}


async def test_an_engine_that_knows_no_time_can_pin_but_not_keep(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        agent.backends["simulated"] = Plain(agent.backends["simulated"])
        refused = await outcome(agent, a_load(SMALL, options={"keep": 60}))
        assert refused.refused
        assert "knows no time" in (refused.cause or "")
        assert (await outcome(agent, a_load(SMALL, options={"keep": "forever"}))).result == "done"
        assert (await outcome(agent, PIN)).result == "done"
        row = await a_row(agent, SMALL)
        assert row is not None
        assert row.pinned
        assert "keep" not in (await agent.snapshot()).backends[0].abilities
        refused = await outcome(agent, KeepRequest(**NAMES, keep=60))
        assert refused.refused
        assert "knows no time" in (refused.cause or "")


async def test_only_what_is_resident_can_be_pinned_but_every_pin_can_be_ended(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        with pytest.raises(NotResident):
            await agent.plan(PIN)
        with pytest.raises(NotResident):
            await agent.plan(UNPIN)
        await outcome(agent, a_load(SMALL))
        await outcome(agent, PIN)
    async with a_running_agent(tmp_path) as agent:
        assert (await outcome(agent, UNPIN)).result == "done"
        assert agent._wishes.pins == frozenset()
