"""A server that ended unasked comes back, with the models that should run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleetview_agent.agent import Agent
from fleetview_agent.backends import ServerSteps
from fleetview_agent.config import AgentConfig, LlamaCppConfig, OllamaConfig, SimulatedConfig
from fleetview_agent.errors import BackendFailed
from fleetview_agent.operations import restoring
from fleetview_agent.records.journal import Journal
from fleetview_agent.samplers import detect
from fleetview_agent.wire import BackendState, StartRequest
from tests.agent.operations.restored import an_agent_with_models, journal_of
from tests.agents import a_load, an_unload, outcome, residents, say

SMALL, LARGE = "sim-small", "sim-large"
OFF = OllamaConfig(enabled=False)
SIMULATED = SimulatedConfig(enabled=True, load_seconds=0)
CONFIG = AgentConfig(sampler="simulated", ollama=OFF, llamacpp=LlamaCppConfig(enabled=False), simulated=SIMULATED)
KILLED = "the server of simulated was killed by signal 9"


async def crash(agent: Agent) -> None:
    with pytest.raises(BackendFailed, match="signal 9"):
        await say(agent, SMALL, "/crash")


async def test_a_lost_server_is_started_its_orphans_end_and_what_should_run_is_back(tmp_path: Path) -> None:
    async with an_agent_with_models(tmp_path) as agent:
        await crash(agent)
        start, *loads = await journal_of(agent, lambda own: len(own) >= 3)
        assert isinstance(start.request, StartRequest)
        assert (start.result, start.reason) == ("done", KILLED)
        assert start.evictions == (f"simulated/{SMALL}#4711", f"simulated/{LARGE}#4712")
        assert [(one.request.verb, one.result) for one in loads] == [("load", "done"), ("load", "done")]
        assert await residents(agent) == {SMALL: 2048, LARGE: 1024}
        rows = {row.name: row for row in (await agent.snapshot()).backends[0].resident}
        assert rows[SMALL].expires_in_seconds == pytest.approx(600, abs=5)


async def test_orphans_that_are_seen_only_after_the_start_end_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with an_agent_with_models(tmp_path) as agent:
        backend: Any = agent.backends["simulated"]
        status, start, started = backend.status, backend.start, []

        async def late_status() -> BackendState:
            state: BackendState = await status()
            seen = tuple(row for row in state.resident if started or row.phase != "orphaned")
            return state.model_copy(update={"resident": seen})

        async def note_start() -> None:
            started.append(1)
            await start()

        monkeypatch.setattr(backend, "status", late_status)
        monkeypatch.setattr(backend, "start", note_start)
        await crash(agent)
        first, *_ = await journal_of(agent, lambda own: len(own) >= 3)
        assert first.evictions == (f"simulated/{SMALL}#4711", f"simulated/{LARGE}#4712")
        assert [row.phase for row in first.phases] == ["plan", "start", "drain", "evict", "ready"]
        assert await residents(agent) == {SMALL: 2048, LARGE: 1024}


async def test_what_an_operator_unloaded_stays_out(tmp_path: Path) -> None:
    async with an_agent_with_models(tmp_path) as agent:
        await outcome(agent, an_unload(LARGE))
        await crash(agent)
        await journal_of(agent, lambda own: len(own) >= 2)
        assert list(await residents(agent)) == [SMALL]


async def test_after_three_failures_in_a_row_a_model_is_left_alone_and_the_journal_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with an_agent_with_models(tmp_path) as agent:
        backend: Any = agent.backends["simulated"]
        load = backend.load

        async def fail_large(model: str, *rest: object) -> None:
            if model == LARGE:
                raise BackendFailed("out of memory")
            await load(model, *rest)

        monkeypatch.setattr(backend, "load", fail_large)
        await crash(agent)
        own = await journal_of(agent, lambda own: len(own) >= 5)
        failed = [one for one in own if one.result != "done"]
        assert [one.reason for one in failed] == [
            f"{KILLED}; try 1 of 3",
            f"{KILLED}; try 2 of 3",
            f"{KILLED}; try 3 of 3, the last",
        ]
        assert {one.cause for one in failed} == {"out of memory"}
        assert list(await residents(agent)) == [SMALL]
        monkeypatch.setattr(backend, "load", load)
        await crash(agent)
        await journal_of(agent, lambda own: len(own) >= 7)
        assert list(await residents(agent)) == [SMALL]


async def test_a_server_that_may_not_be_started_again_is_left_alone_and_the_journal_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with an_agent_with_models(tmp_path) as agent:

        async def gave_up(_: str) -> ServerSteps:
            return ServerSteps(supervisor=None, refusal="it ended 3 times within ten minutes; look at its log")

        monkeypatch.setattr(agent.backends["simulated"], "server_steps", gave_up)
        await crash(agent)
        (refused,) = await journal_of(agent, lambda own: len(own) >= 1)
        assert (refused.refused, refused.cause) == (True, "it ended 3 times within ten minutes; look at its log")


async def test_a_server_that_fails_to_start_is_tried_three_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with an_agent_with_models(tmp_path) as agent:

        async def fail() -> None:
            raise BackendFailed("the port is taken")

        monkeypatch.setattr(agent.backends["simulated"], "start", fail)
        await crash(agent)
        own = await journal_of(agent, lambda own: len(own) >= 3)
        assert [one.request.verb for one in own] == ["start", "start", "start"]


async def test_what_was_lost_before_a_lingering_agent_began_is_left_alone(tmp_path: Path) -> None:
    for restores in (False, True):
        agent = Agent(CONFIG, detect("simulated"), Journal(tmp_path / f"{restores}.sqlite"), restores=restores)
        agent.restorer.lost("simulated", KILLED)
        async with agent.running():
            await outcome(agent, a_load(SMALL))
            if restores:
                await journal_of(agent, bool)
            own = [one.request.verb for one in agent.journal.ended(50) if one.request.author == restoring.AUTHOR]
        assert own[-1:] == (["start"] if restores else [])
