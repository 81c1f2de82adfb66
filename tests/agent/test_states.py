"""What the backends are, and who is told of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetview_agent import states
from fleetview_agent.errors import StorageFailed
from tests.agents import a_load, a_running_agent, outcome


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
