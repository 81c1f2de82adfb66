"""An agent with models that should run, and what it did by itself to bring them back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fleetview_agent.agent import Agent
from fleetview_agent.operations import restoring
from fleetview_agent.wire import Operation
from tests.agents import a_load, a_running_agent, outcome

SMALL, LARGE = "sim-small", "sim-large"


@asynccontextmanager
async def an_agent_with_models(folder: Path) -> AsyncIterator[Agent]:
    """Two models that should run, and one that could not be loaded."""
    async with a_running_agent(folder) as agent:
        agent.restorer._pause_seconds = 0.0
        await outcome(agent, a_load("sim-broken"))
        await outcome(agent, a_load(SMALL, options={"context": 2048, "keep": 600}))
        await outcome(agent, a_load(LARGE, options={"context": 1024}))
        yield agent


async def journal_of(agent: Agent, holds: Callable[[list[Operation]], bool]) -> list[Operation]:
    """What the agent did by itself, oldest first, once that is so and nothing more is in hand."""
    async with asyncio.timeout(10):
        while True:
            own = [one for one in agent.journal.ended(50) if one.request.author == restoring.AUTHOR][::-1]
            if not agent.operator.operations and holds(own):
                return own
            await asyncio.sleep(0.01)
