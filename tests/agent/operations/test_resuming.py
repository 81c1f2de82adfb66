"""An agent that begins as a service brings back what should run."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from fleetview_agent.agent import Agent
from fleetview_agent.config import AgentConfig, LlamaCppConfig, OllamaConfig, SimulatedConfig
from fleetview_agent.operations import restoring
from fleetview_agent.records.journal import Journal
from fleetview_agent.samplers import detect
from fleetview_agent.wire import BackendState, LoadOptions, Operation, PinRequest
from tests.agent.operations.restored import an_agent_with_models, journal_of
from tests.agents import a_load, a_running_agent, a_swap, an_unload, kill, make_loads_take, outcome, phase, residents
from tests.builders import AUTHOR

SMALL, LARGE = "sim-small", "sim-large"
CONFIG = AgentConfig(
    sampler="simulated",
    ollama=OllamaConfig(enabled=False),
    llamacpp=LlamaCppConfig(enabled=False),
    simulated=SimulatedConfig(enabled=True, load_seconds=0),
)
SETTINGS = {"context": 2048, "cache_type_k": "q8_0", "cache_type_v": "q8_0", "threads": 3}


def a_pin(model: str) -> PinRequest:
    return PinRequest(author=AUTHOR, backend="simulated", model=model)


async def begun(agent: Agent) -> Operation:
    """What the agent does by itself, once it loads."""
    async with asyncio.timeout(5):
        while not (loading := [one for one in agent.operator.operations if one.phase == "load"]):
            await asyncio.sleep(0.01)
    return loading[0]


async def test_a_service_loads_at_its_start_what_should_run_as_it_was(tmp_path: Path) -> None:
    async with an_agent_with_models(tmp_path) as agent:
        await outcome(agent, a_pin(LARGE))
        await outcome(agent, an_unload(SMALL))
        await outcome(agent, a_load(SMALL, options=SETTINGS))
    async with a_running_agent(tmp_path, restores=True) as agent:
        own = await journal_of(agent, lambda own: len(own) >= 2)
        assert [(one.request.verb, one.result, one.reason) for one in own] == [
            ("load", "done", f"{restoring.BEGUN}; try 1 of 3")
        ] * 2
        rows = {row.name: row for row in (await agent.snapshot()).backends[0].resident}
        assert rows[SMALL].options == LoadOptions.model_validate(SETTINGS)
        assert (rows[LARGE].context, rows[LARGE].pinned) == (1024, True)


async def test_an_agent_that_lingers_restores_nothing_at_its_start(tmp_path: Path) -> None:
    async with an_agent_with_models(tmp_path):
        pass
    async with a_running_agent(tmp_path) as agent:
        assert not agent.restorer.busy
        assert await residents(agent) == {}
        assert agent.operator.operations == ()


async def test_what_is_in_memory_still_is_not_loaded_again(tmp_path: Path) -> None:
    async with an_agent_with_models(tmp_path):
        pass
    agent = Agent(CONFIG, detect("simulated"), Journal(tmp_path / "journal.sqlite"))
    await agent.backends["simulated"].load(SMALL, LoadOptions(context=2048), lambda _: None)
    async with agent.running():
        (own,) = await journal_of(agent, bool)
        assert own.request.model == LARGE  # type: ignore[union-attr]  # a load


async def test_a_server_that_somebody_else_starts_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with an_agent_with_models(tmp_path):
        pass
    monkeypatch.setattr(restoring, "LOOK_SECONDS", 0.01)
    agent = Agent(CONFIG, detect("simulated"), Journal(tmp_path / "journal.sqlite"))
    backend: Any = agent.backends["simulated"]
    status, looks = backend.status, []

    async def kept_by_launchd() -> BackendState:
        looks.append(1)
        state: BackendState = await status()
        return state.model_copy(update={"supervisor": "launchd"})

    monkeypatch.setattr(backend, "status", kept_by_launchd)
    await backend.stop()
    async with agent.running():
        async with asyncio.timeout(5):
            while len(looks) < 5:
                await asyncio.sleep(0.01)
        assert (agent.restorer.busy, agent.operator.operations, agent.journal.ended(1)[0].request.author) == (
            True,
            (),
            AUTHOR,
        )
        await backend.start()
        own = await journal_of(agent, lambda own: len(own) >= 2)
        assert [one.request.verb for one in own] == ["load", "load"]
        assert await residents(agent) == {SMALL: 2048, LARGE: 1024}


async def test_a_server_that_is_the_agents_own_to_run_is_started_first(tmp_path: Path) -> None:
    async with an_agent_with_models(tmp_path):
        pass
    agent = Agent(CONFIG, detect("simulated"), Journal(tmp_path / "journal.sqlite"))
    await agent.backends["simulated"].stop()  # type: ignore[attr-defined]  # it can
    async with agent.running():
        own = await journal_of(agent, lambda own: len(own) >= 3)
        assert [one.request.verb for one in own] == ["start", "load", "load"]


async def test_what_a_swap_had_evicted_when_the_agent_was_killed_is_back_and_the_half_loaded_is_not(
    tmp_path: Path,
) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL, options={"context": 2048}))
        make_loads_take(agent, 5)
        operation = agent.operator.submit(a_swap(LARGE))
        await phase(agent, operation, "load")
        kill(agent)
    async with a_running_agent(tmp_path, restores=True) as agent:
        await journal_of(agent, bool)
        cut_short = next(one for one in agent.journal.ended(5) if one.id == operation.id)
        assert (cut_short.result, cut_short.cause) == ("interrupted", "the agent ended in the midst of it")
        assert await residents(agent) == {SMALL: 2048}


async def test_a_model_that_takes_the_agent_with_it_three_times_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL))
    for number in (1, 2, 3):
        async with a_running_agent(tmp_path, restores=True, load_seconds=60) as agent:
            operation = await begun(agent)
            assert (operation.reason or "").startswith(f"{restoring.BEGUN}; try {number} of 3")
            kill(agent)
    async with a_running_agent(tmp_path, restores=True) as agent:
        async with asyncio.timeout(5):
            while agent.restorer.busy:
                await asyncio.sleep(0.01)
        own = await journal_of(agent, bool)
        assert [one.result for one in own] == ["interrupted"] * 3
        assert (await residents(agent), agent._wishes.running("simulated")) == ({}, {})
        assert "simulated/sim-small is not loaded again: the agent ended in the midst of the last try" in caplog.text
        await outcome(agent, a_load(SMALL))
    async with a_running_agent(tmp_path, restores=True) as agent:
        await journal_of(agent, lambda own: len(own) >= 4)
        assert list(await residents(agent)) == [SMALL]


async def test_an_agent_that_is_told_to_stop_counts_no_failure_of_its_models(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL))
    for _ in range(3):
        async with a_running_agent(tmp_path, restores=True, load_seconds=60) as agent:
            assert (await begun(agent)).reason == f"{restoring.BEGUN}; try 1 of 3"
