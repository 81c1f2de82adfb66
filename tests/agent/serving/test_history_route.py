"""`GET /api/history` of an agent that reads."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from fleetview_agent.agent import Agent
from fleetview_agent.records.history import HistoryRing
from fleetview_agent.serving.api import build_app
from fleetview_agent.wire import History
from tests.agents import a_running_agent
from tests.builders import a_sample


@asynccontextmanager
async def a_client(folder: Path) -> AsyncIterator[tuple[Agent, httpx.AsyncClient]]:
    async with a_running_agent(folder) as agent:
        transport = httpx.ASGITransport(build_app(agent), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
            yield agent, client


async def test_the_history_goes_from_an_agent_before_this_one_to_its_newest_reading(tmp_path: Path) -> None:
    hour_ago = time.time() - 3600
    before = HistoryRing(tmp_path / "history.ring")
    before.keep(a_sample(at=hour_ago, gpu_ratio=0.125))
    before.close()
    async with a_client(tmp_path) as (agent, client):
        answer = await client.get(f"/api/history?since={hour_ago}&step=30")
        history = History.model_validate_json(answer.content)
        (newest,) = agent.readings.recent
        curve = history.figures["gpu_ratio"]
        assert newest.gpu_ratio
        assert (curve.mean[0], curve.mean[-1]) == (0.125, pytest.approx(newest.gpu_ratio, rel=1e-4))
        assert set(curve.mean[1:-1]) == {None}
        assert history.began_at <= hour_ago < history.began_at + 30
        assert history.began_at + 30 * len(curve.mean) > newest.at


async def test_all_of_it_comes_by_the_minute_unless_one_asks_otherwise(tmp_path: Path) -> None:
    async with a_client(tmp_path) as (_, client):
        history = (await client.get("/api/history")).json()
        assert history["step_seconds"] == 60
        assert len(history["figures"]["cpu_ratio"]["mean"]) == 48 * 60
        assert "prompt_tokens_per_second" not in history["figures"]  # nobody asks anything


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("since=yesterday", "since is a number from 0 to 1e+11, not 'yesterday'"),
        ("since=-1", "since is a number"),
        ("since=inf", "since is a number"),
        ("step=0", "step is a number from 10 to 172800, not '0'"),
        ("step=nan", "step is a number"),
        ("step=172810", "step is a number"),
        ("step=15", "step is a multiple of 10, not 15"),
        ("step=10.5", "step is a multiple of 10, not 10.5"),
    ],
)
async def test_a_time_or_a_step_that_cannot_be_is_refused_in_words(tmp_path: Path, query: str, words: str) -> None:
    async with a_client(tmp_path) as (_, client):
        answer = await client.get(f"/api/history?{query}")
        assert answer.status_code == 400
        assert answer.json()["error"]["message"].startswith(words)


async def test_a_time_that_has_not_come_has_no_history(tmp_path: Path) -> None:
    async with a_client(tmp_path) as (_, client):
        answer = await client.get("/api/history?since=99999999999&step=172800")
        assert (answer.status_code, answer.json()["figures"]) == (200, {})
