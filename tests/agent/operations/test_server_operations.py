"""Starting, stopping and restarting a backend."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from fleetview_agent.agent import Agent
from fleetview_agent.backends import ServerSteps
from fleetview_agent.errors import BackendFailed, BadRequest
from fleetview_agent.wire import Operation, RestartRequest, StartRequest, StopRequest
from tests.agents import Plain, a_load, a_running_agent, an_unload, keep_losses_quiet, outcome, phase, residents, say
from tests.builders import AUTHOR

SMALL, LARGE = "sim-small", "sim-large"
START = StartRequest(author=AUTHOR, backend="simulated")
STOP = StopRequest(author=AUTHOR, backend="simulated")
RESTART = RestartRequest(author=AUTHOR, backend="simulated")


@asynccontextmanager
async def a_plain_agent(folder: Path) -> AsyncIterator[Agent]:
    """An agent whose engine has no server of its own."""
    async with a_running_agent(folder) as agent:
        agent.backends["simulated"] = Plain(agent.backends["simulated"])
        yield agent


def phases(operation: Operation) -> list[str]:
    return [row.phase for row in operation.phases]


async def server_phase(agent: Agent) -> str:
    (state,) = (await agent.snapshot()).backends
    return state.phase


async def test_a_stop_ends_the_server_with_its_models_and_its_inverse_starts_it(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL))
        done = await outcome(agent, STOP)
        assert (done.result, phases(done)) == ("done", ["plan", "drain", "stop", "ready"])
        assert done.evictions == (f"simulated/{SMALL}",)
        assert (await residents(agent), await server_phase(agent)) == ({}, "stopped")
        assert isinstance(done.inverse, StartRequest)
        assert [load.model for load in done.inverse.beside] == [SMALL]
        started = await outcome(agent, START)
        assert (started.result, phases(started), started.inverse) == ("done", ["plan", "start", "ready"], STOP)
        assert await server_phase(agent) == "ready"


async def test_starting_what_runs_changes_nothing_and_has_no_inverse(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        done = await outcome(agent, START)
        assert (done.result, done.inverse) == ("done", None)


async def test_a_restart_brings_back_what_was_in_memory_as_it_was(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL, options={"context": 2048}))
        await outcome(agent, a_load(LARGE, options={"context": 1024}))
        done = await outcome(agent, RESTART)
        assert done.result == "done"
        assert phases(done) == ["plan", "drain", "stop", "start", "load", "warm", "load", "warm", "ready"]
        assert await residents(agent) == {SMALL: 2048, LARGE: 1024}


async def test_a_restart_of_what_did_not_run_starts_it_and_its_inverse_stops_it(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, STOP)
        assert (await outcome(agent, RESTART)).inverse == STOP
        assert await server_phase(agent) == "ready"


async def test_a_restart_that_fails_says_so_and_goes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL, options={"context": 2048}))
        backend: Any = agent.backends["simulated"]
        start, calls = backend.start, []

        async def fail_once() -> None:
            calls.append(1)
            if len(calls) == 1:
                raise BackendFailed("the port is taken")
            await start()

        monkeypatch.setattr(backend, "start", fail_once)
        ended = await outcome(agent, RESTART)
        assert (ended.result, ended.cause) == ("rolled_back", "the port is taken")
        assert await residents(agent) == {SMALL: 2048}
        assert await say(agent, SMALL, "one two") == "one two"


async def test_what_the_supervisor_forbids_is_refused_with_its_reason_before_anything_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL))

        async def steps(_: str) -> ServerSteps:
            return ServerSteps(supervisor="systemd service x", commands=("systemctl stop x",), refusal="needs root")

        monkeypatch.setattr(agent.backends["simulated"], "server_steps", steps)
        plan = await agent.plan(STOP)
        assert (plan.supervisor, plan.commands, plan.refusal) == (
            "systemd service x",
            ("systemctl stop x",),
            "needs root",
        )
        assert plan.evictions == (f"simulated/{SMALL}",)
        ended = await outcome(agent, STOP)
        assert (ended.refused, ended.cause, phases(ended)) == (True, "needs root", ["plan"])
        assert list(await residents(agent)) == [SMALL]


async def test_a_cancelled_start_leaves_the_server_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, STOP)
        backend: Any = agent.backends["simulated"]
        start = backend.start

        async def start_and_never_answer() -> None:
            await start()
            await agent.gate.idle({"never"})
            raise BackendFailed("it does not answer")

        monkeypatch.setattr(backend, "start", start_and_never_answer)
        ended = await outcome(agent, START)
        assert (ended.result, ended.cause) == ("rolled_back", "it does not answer")
        assert await server_phase(agent) == "stopped"


async def test_a_start_that_is_cancelled_among_its_models_stops_the_server_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL))
        await outcome(agent, a_load(LARGE))
        stopped = await outcome(agent, STOP)
        backend: Any = agent.backends["simulated"]
        load = backend.load

        async def load_large_for_ever(model: str, *rest: object) -> None:
            if model == LARGE:
                await asyncio.Event().wait()
            await load(model, *rest)

        monkeypatch.setattr(backend, "load", load_large_for_ever)
        assert stopped.inverse is not None
        operation = agent.operator.submit(stopped.inverse)
        async with asyncio.timeout(5):
            while SMALL not in await residents(agent):
                await asyncio.sleep(0.01)
        agent.operator.cancel(operation.id)
        assert (await outcome(agent, operation)).result == "rolled_back"
        assert (await server_phase(agent), await residents(agent)) == ("stopped", {})


async def test_stopping_an_engine_without_a_server_unloads_all_its_models_and_start_loads_them_again(
    tmp_path: Path,
) -> None:
    async with a_plain_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL, options={"context": 2048}))
        await outcome(agent, a_load(LARGE, options={"context": 1024}))
        done = await outcome(agent, STOP)
        assert (done.result, phases(done)) == ("done", ["plan", "drain", "evict", "ready"])
        assert isinstance(done.inverse, StartRequest)
        assert [load.options.context for load in done.inverse.beside] == [2048, 1024]
        assert await residents(agent) == {}
        again = await outcome(agent, START)
        assert (again.result, again.inverse) == ("done", STOP)
        assert await residents(agent) == {SMALL: 2048, LARGE: 1024}


async def test_start_loads_what_ran_last_and_not_what_was_unloaded_before_it(tmp_path: Path) -> None:
    async with a_plain_agent(tmp_path) as agent:
        for model in (SMALL, LARGE):
            await outcome(agent, a_load(model))
            await outcome(agent, an_unload(model))
        await outcome(agent, START)
        assert list(await residents(agent)) == [LARGE]


async def test_a_start_beside_other_models_is_undone_by_the_unload_of_what_came(tmp_path: Path) -> None:
    async with a_plain_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL))
        await outcome(agent, a_load(LARGE))
        with pytest.raises(BackendFailed):
            await say(agent, LARGE, "/die")
        done = await outcome(agent, START)
        assert done.inverse == an_unload(LARGE)


async def test_start_without_anything_that_ran_names_the_choices(tmp_path: Path) -> None:
    async with a_plain_agent(tmp_path) as agent:
        words = "nothing has run on simulated that could be loaded again; load one of sim-small, sim-large, sim-broken"
        with pytest.raises(BadRequest, match=words):
            await agent.plan(START)
        ended = await outcome(agent, START)
        assert (ended.result, ended.cause) == ("failed", words)


async def test_a_start_that_fails_midway_takes_out_what_it_had_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_plain_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL))
        await outcome(agent, a_load(LARGE))
        await outcome(agent, STOP)
        backend: Any = agent.backends["simulated"]
        load = backend.load

        async def fail_large(model: str, *rest: object) -> None:
            if model == LARGE:
                raise BackendFailed("out of memory")
            await load(model, *rest)

        monkeypatch.setattr(backend, "load", fail_large)
        ended = await outcome(agent, START)
        assert (ended.result, ended.cause) == ("rolled_back", "out of memory")
        assert await residents(agent) == {}


async def test_a_start_ends_what_an_earlier_server_left_behind(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path, load_seconds=0.2) as agent:
        await outcome(agent, a_load(SMALL))
        keep_losses_quiet(agent)
        with pytest.raises(BackendFailed):
            await say(agent, SMALL, "/crash")
        (state,) = (await agent.snapshot()).backends
        (orphan,) = state.resident
        assert (orphan.phase, orphan.pid, orphan.memory_bytes is not None) == ("orphaned", 4711, True)
        operation = agent.operator.submit(START)
        await phase(agent, operation, "evict")
        done = await outcome(agent, operation)
        assert (done.result, done.evictions) == ("done", (f"simulated/{SMALL}#4711",))
        assert (await agent.snapshot()).backends[0].resident == ()


async def test_an_orphan_is_unloaded_by_its_name_and_nothing_undoes_that(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL))
        keep_losses_quiet(agent)
        with pytest.raises(BackendFailed):
            await say(agent, SMALL, "/crash")
        done = await outcome(agent, an_unload(f"{SMALL}#4711"))
        assert (done.result, done.inverse) == ("done", None)
        assert (await agent.snapshot()).backends[0].resident == ()
