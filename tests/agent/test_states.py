"""What the backends are, and who is told of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from fleetview_agent import states
from fleetview_agent.errors import StorageFailed
from fleetview_agent.records.journal import Journal
from fleetview_agent.records.wishes import Wishes
from fleetview_agent.states import States
from fleetview_agent.wire import BackendState
from tests.agents import a_load, a_running_agent, outcome
from tests.builders import a_backend_state


async def test_a_journal_that_cannot_be_written_ends_no_agent_when_a_model_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise StorageFailed("the disk is full")

    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load("sim-small"))
        monkeypatch.setattr(states, "lapsed", lambda *_: ("simulated/sim-small",))
        monkeypatch.setattr(agent.journal, "want", full)
        await agent.backends["simulated"].unload("sim-small")
        await agent._states.refresh()
        assert agent.states[0].resident == ()
        assert "is not kept: the disk is full" in caplog.text


class Answering:
    """A backend that answers when it is let."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.let = asyncio.Event()

    async def status(self) -> BackendState:
        await self.let.wait()
        return a_backend_state(backend=self.name)


async def test_backends_are_told_in_their_order_whichever_answers_first(tmp_path: Path) -> None:
    first, second = Answering("ollama"), Answering("llamacpp")
    backends: Any = {"ollama": first, "llamacpp": second}  # as much of backends as is asked for
    wishes = Wishes(Journal(tmp_path / "journal.sqlite"))
    looked = States(backends, wishes, lambda _: None, asyncio.Event(), is_watched=lambda: False)
    second.let.set()
    looking = asyncio.create_task(looked.refresh())
    while not looked.all:
        await asyncio.sleep(0)
    first.let.set()
    await looking
    assert [state.backend for state in looked.all] == ["ollama", "llamacpp"]
