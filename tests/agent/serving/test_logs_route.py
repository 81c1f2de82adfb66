"""`GET /api/logs` and `GET /api/processes`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from fleetview_agent.agent import Agent
from fleetview_agent.processes import largest
from fleetview_agent.serving.api import build_app
from fleetview_agent.wire import Logged, LogLines, Processes
from tests.agents import a_running_agent, event


@asynccontextmanager
async def a_client(folder: Path) -> AsyncIterator[tuple[Agent, httpx.AsyncClient]]:
    async with a_running_agent(folder) as agent:
        transport = httpx.ASGITransport(build_app(agent), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
            yield agent, client


async def test_the_lines_of_one_engine_or_of_all_are_told(tmp_path: Path) -> None:
    async with a_client(tmp_path) as (agent, client):
        agent.logbook.heard("simulated", "small", "E nothing works")
        agent.logbook.heard("agent", None, "something was done")
        everything = LogLines.model_validate_json((await client.get("/api/logs")).content)
        assert {line.source for line in everything.lines} == {"simulated", "agent"}
        (line,) = LogLines.model_validate_json((await client.get("/api/logs?backend=simulated")).content).lines
        assert (line.text, line.level, line.model) == ("E nothing works", "error", "small")


async def test_an_engine_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    async with a_client(tmp_path) as (_, client):
        answer = await client.get("/api/logs?backend=vllm")
        assert answer.status_code == 404
        assert answer.json()["error"]["message"] == "there is no log of vllm on this node"
        assert answer.json()["error"]["hint"] == "there are those of agent, simulated"


async def test_who_watches_is_told_each_line(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        asyncio.get_running_loop().call_later(0.05, agent.logbook.heard, "simulated", None, "a line")
        told = await event(agent, lambda one: isinstance(one, Logged))
        assert isinstance(told, Logged)
        assert [line.text for line in told.lines] == ["a line"]


async def test_the_largest_processes_are_told_with_those_of_engines_marked(tmp_path: Path) -> None:
    async with a_client(tmp_path) as (_, client):
        rows = Processes.model_validate_json((await client.get("/api/processes")).content).processes
        sizes = [row.memory_bytes for row in rows]
        assert sizes == sorted(sizes, reverse=True)
        assert 0 < len(rows) <= 20


def test_processes_of_engines_are_marked() -> None:
    rows = largest({os.getpid(): "llamacpp"}, frozenset(), 10_000).processes
    assert [row.serves for row in rows if row.pid == os.getpid()] == ["llamacpp"]
    assert {row.serves for row in rows if row.pid != os.getpid()} <= {None}
