"""Engines that others use too: looked at more often, and waited for."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import ClassVar

import pytest

from fleetview_agent.backends import simulated
from fleetview_agent.states import OBSERVED_STATE_SECONDS, STATE_SECONDS
from fleetview_agent.wire import BackendChanged, BackendState, Sampled, Served, Traffic
from tests.agents import a_load, a_running_agent, an_unload, event, outcome, phase, residents

SMALL, LARGE = "sim-small", "sim-large"


class Observed(simulated.SimulatedBackend):
    """A simulated engine that others use too."""

    asked: ClassVar[list[Traffic]] = []
    seen: tuple[Traffic, ...] = ()

    async def observe(self) -> None:
        self.seen = tuple(self.asked)

    async def has_moved(self) -> bool:
        return True

    def traffic(self) -> tuple[Traffic, ...]:
        return self.seen


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> list[Traffic]:
    """What other clients ask of the engine."""
    monkeypatch.setattr(simulated, "SimulatedBackend", Observed)
    asked: list[Traffic] = []
    monkeypatch.setattr(Observed, "asked", asked)
    return asked


async def test_traffic_of_others_is_in_the_sample_that_follows_the_look(tmp_path: Path, busy: list[Traffic]) -> None:
    async with a_running_agent(tmp_path) as agent, aclosing(agent.events(0.2)) as events:
        busy.append(Traffic(backend="simulated", model=SMALL, in_flight=3))
        async with asyncio.timeout(5):
            async for one in events:
                if isinstance(one, Sampled) and one.sample.traffic:
                    assert one.sample.traffic == tuple(busy)
                    return


async def test_a_backend_that_does_not_answer_holds_nobody_back_for_long(
    tmp_path: Path, busy: list[Traffic], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleetview_agent.states.PATIENCE_SECONDS", 0.1)
    async with a_running_agent(tmp_path) as agent:
        answers, status = asyncio.Event(), Observed.status
        asked = 0

        async def silent(backend: Observed) -> BackendState:
            nonlocal asked
            asked += 1
            await answers.wait()
            return await status(backend)

        monkeypatch.setattr(Observed, "status", silent)
        async with asyncio.timeout(5):
            for _ in range(3):
                assert (await agent.snapshot()).backends[0].phase == "ready"  # as last seen
        assert asked == 1  # those who ask do not pile up
        answers.set()


async def test_an_unload_waits_for_the_answers_of_others(tmp_path: Path, busy: list[Traffic]) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL))
        busy.append(Traffic(backend="simulated", model=SMALL, in_flight=1))
        await event(agent, lambda one: isinstance(one, Sampled) and bool(one.sample.traffic))
        operation = agent.operator.submit(an_unload(SMALL))
        await phase(agent, operation, "drain")
        assert list(await residents(agent)) == [SMALL]
        busy.clear()
        assert (await outcome(agent, operation)).result == "done"


async def test_what_changes_by_itself_is_seen_within_about_two_seconds(tmp_path: Path, busy: list[Traffic]) -> None:
    async with a_running_agent(tmp_path) as agent:
        backend = agent.backends["simulated"]
        await outcome(agent, a_load(SMALL))
        backend._changed = lambda: None  # type: ignore[attr-defined]  # nobody tells
        loop = asyncio.get_running_loop()
        async with aclosing(agent.events(1.0)) as events:
            await anext(events)
            await backend.unload(SMALL)
            began = loop.time()
            async with asyncio.timeout(STATE_SECONDS):
                async for one in events:
                    if isinstance(one, BackendChanged) and not one.state.resident:
                        break
        assert loop.time() - began < OBSERVED_STATE_SECONDS + 1.0


async def test_what_others_were_served_is_told_to_everyone(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        waiting = asyncio.create_task(event(agent, lambda one: isinstance(one, Served)))
        while not agent.readings.intervals:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        agent.hub.publish(Served(backend="simulated", model=LARGE, author="pid 7", inferred=True))
        served = await waiting
        assert isinstance(served, Served)
        assert (served.author, served.inferred) == ("pid 7", True)
