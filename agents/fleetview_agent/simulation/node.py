"""One made-up machine with a real agent on a private socket."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fleetview_agent.agent import Agent
from fleetview_agent.backends.simulated import shares
from fleetview_agent.config import AgentConfig, LlamaCppConfig, OllamaConfig
from fleetview_agent.records.journal import Journal
from fleetview_agent.serving.api import build_app
from fleetview_agent.serving.listener import listening
from fleetview_agent.serving.serve import http_server
from fleetview_agent.simulation.copying import MadeUpIncoming, MadeUpOffered
from fleetview_agent.simulation.engines import Engines
from fleetview_agent.simulation.machines import GIB, MachineSpec
from fleetview_agent.simulation.past import MadeUpHistory, Past
from fleetview_agent.simulation.sampler import MadeUpSampler
from fleetview_agent.wire import Processes, ProcessMemory

SOCKET = "agent.sock"
BEFORE_DROP_SECONDS = (150.0, 110.0)
"""At least, and how much longer at most: how long a machine that drops is there."""
GONE_SECONDS = 40.0
FOR_EVER_SECONDS = 1e7
RUNNER_PID = 4711
OTHERS = tuple(
    ProcessMemory(pid=pid, name=name, memory_bytes=int(gib * GIB), user=user)
    for pid, name, gib, user in (
        (0, "kernel_task", 2.9, "root"),
        (412, "WindowServer", 1.1, "_windowserver"),
        (2203, "Safari", 0.9, "operator"),
        (388, "mds_stores", 0.6, "root"),
        (1760, "ollama serve", 0.2, "operator"),
    )
)
SETTINGS = AgentConfig(sampler="simulated", ollama=OllamaConfig(enabled=False), llamacpp=LlamaCppConfig(enabled=False))


@dataclass(frozen=True)
class Clock:
    """The time of the made-up day, and that of the real one."""

    now: Callable[[], float]
    wall: Callable[[], float]


async def live(spec: MachineSpec, folder: Path, seed: str, clock: Clock, *, has_past: bool) -> None:
    """Be a machine until cancelled; what its agent keeps lies in `folder`."""
    engines = Engines(spec, seed, clock.now)
    sampler = MadeUpSampler(spec, seed, engines.doing, clock.now, clock.wall)
    journal = Journal(folder / "journal.sqlite")
    past = Past(spec, seed, clock.now(), clock.wall())
    if has_past:
        past.tell(journal)
    history = MadeUpHistory(folder / "history.ring")
    agent = MadeUpAgent(
        SETTINGS,
        sampler,
        journal,
        build=lambda _, notices: engines.build(notices),
        history=history,
        incoming=MadeUpIncoming(folder / "incoming", spec.chip.network_bytes_per_second, clock.now),
    )
    agent.offered = MadeUpOffered(agent.backends)
    if has_past:
        agent.readings.recall(past.recent())
        for line in past.lines():
            agent.logbook.write(line)
    async with agent.running(), asyncio.TaskGroup() as group:
        if has_past:
            group.create_task(past.fill(history))
        else:
            history.complete.set()
        for seconds in _stays(spec, seed):
            async with _serving(agent, folder / SOCKET):
                await asyncio.sleep(seconds)
            await asyncio.sleep(GONE_SECONDS)


class MadeUpAgent(Agent):
    """An agent that tells nothing of the machine on which it really runs."""

    async def processes(self) -> Processes:
        """Who holds the made-up memory."""
        runners = [
            ProcessMemory(
                pid=RUNNER_PID + number,
                name=f"{state.backend} {row.name}",
                memory_bytes=row.memory_bytes,
                user="operator",
                serves=state.backend,
            )
            for state in self.states
            for number, row in enumerate(state.resident)
            if row.memory_bytes
        ]
        rows = sorted((*runners, *OTHERS), key=lambda row: -row.memory_bytes)
        return Processes(processes=tuple(rows))


@asynccontextmanager
async def _serving(agent: Agent, socket: Path) -> AsyncIterator[None]:
    """Serve while held; afterwards the socket is gone and every connection ended."""
    with listening(socket) as listener:
        server = http_server(build_app(agent))
        life = asyncio.create_task(server.serve([listener]))
        try:
            yield
        finally:
            server.end()
            agent.hub.close()
            await life


def _stays(spec: MachineSpec, seed: str) -> Iterator[float]:
    """How long the machine is there each time before it drops."""
    least, more = BEFORE_DROP_SECONDS
    for number in itertools.count():
        share, *_ = shares(f"{seed}/{spec.name}/stay/{number}")
        yield least + more * share if spec.drops else FOR_EVER_SECONDS
