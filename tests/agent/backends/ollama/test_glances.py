"""What is seen without asking the server: whether there is something to ask it for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fleetview_agent.backends.ollama import backend
from fleetview_agent.backends.ollama.processes import Processes
from fleetview_agent.wire import Keep
from tests.agent.backends.ollama.scripted import Reply
from tests.agent.backends.ollama.stage import Stage, a_loaded, a_stage


@pytest.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """One model is resident, and was told."""
    async with a_stage(tmp_path, monkeypatch) as made:
        made.hold(a_loaded(), runners=(made.runner(),))
        await made.backend.status()
        yield made


async def test_while_the_same_processes_run_the_server_is_not_asked(stage: Stage) -> None:
    asked = len(stage.script.asked)
    for _ in range(3):
        assert not await stage.backend.has_moved()
    assert len(stage.script.asked) == asked


async def test_a_load_an_unload_and_a_reload_by_another_client_are_seen_by_their_processes(stage: Stage) -> None:
    for runners in ((stage.runner(), stage.runner(pid=8)), (), (stage.runner(pid=8),)):
        stage.processes = Processes(stage.processes.servers, runners)
        assert await stage.backend.has_moved()


async def test_the_end_of_the_server_is_seen(stage: Stage) -> None:
    stage.processes = stage.orphans()
    assert await stage.backend.has_moved()


async def test_what_is_under_way_is_looked_at_until_it_is_over(stage: Stage) -> None:
    stage.hold(runners=(stage.runner(),))
    await stage.backend.status()
    assert await stage.backend.has_moved()
    stage.hold(a_loaded(), runners=(stage.runner(),))
    await stage.backend.status()
    assert not await stage.backend.has_moved()


@pytest.mark.parametrize("keep", [None, "forever"])
async def test_a_model_that_is_gone_is_looked_for_until_that_is_certain(
    stage: Stage, keep: Keep | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.backend.keep("tiny:latest", keep)
    stage.hold()
    await stage.backend.status()
    assert await stage.backend.has_moved()
    monkeypatch.setattr("fleetview_agent.backends.ollama.memory.GRACE_SECONDS", 0)
    await stage.backend.status()
    assert not await stage.backend.has_moved()


async def test_an_answer_that_begins_is_seen_by_its_figures(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage.backend._figures, "idle_seconds", lambda _model: None)
    await stage.backend.status()
    assert not await stage.backend.has_moved()
    monkeypatch.setattr(stage.backend._figures, "idle_seconds", lambda _model: 3.0)
    assert await stage.backend.has_moved()


async def test_where_processes_cannot_be_seen_the_server_is_asked_each_time(stage: Stage) -> None:
    stage.processes = Processes()
    await stage.backend.status()
    assert await stage.backend.has_moved()


async def test_a_server_that_takes_requests_and_answers_none_has_failed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend, "STATUS_SECONDS", 0.1)
    stage.answer("GET /api/ps", Reply(hangs=True))
    state = await stage.backend.status()
    assert state.phase == "failed"
    assert state.failure is not None
    assert "does not answer them" in state.failure.reason
