"""Starts and stops Ollama's server in the way of whoever runs it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from fleetview_agent.backends import ServerSteps, ServerVerb
from fleetview_agent.backends.ollama.processes import Processes, ProcessTable
from fleetview_agent.backends.ollama.supervise.child import Child
from fleetview_agent.backends.ollama.supervise.commands import act
from fleetview_agent.backends.ollama.supervise.decide import Verdict, decide
from fleetview_agent.backends.ollama.supervise.ending import end, processes_of, vanish
from fleetview_agent.backends.ollama.supervise.facts import Facts, LogUnit
from fleetview_agent.backends.ollama.supervise.keepers import OWN_NAME, Keeper
from fleetview_agent.backends.ollama.supervise.steps import End, Run, Spawn, Step
from fleetview_agent.backends.ollama.supervise.survey import find_program, survey
from fleetview_agent.config import OllamaConfig
from fleetview_agent.errors import BackendFailed
from fleetview_agent.paths import home
from fleetview_agent.wire import Failure

UNCHANGED_SECONDS = 60.0
"""How long a survey holds while the same servers run."""
UNSETTLED_SECONDS = 2.0
"""How long it holds while a server does not listen yet."""
END_SECONDS = 30.0
"""How long a server of somebody else's may take to end."""
APPEAR_SECONDS = 20.0
"""How long a service or the app may take to bring its server up."""
POLL_SECONDS = 0.2


class Supervisor:
    """Knows who runs the server; `lost` is told when the agent's own ended unasked and should be started again."""

    def __init__(self, config: OllamaConfig, lost: Callable[[str], None], folder: Path | None = None) -> None:
        self._config = config
        self._child = Child(folder or home() / "ollama", config.address, config.serve, lost)
        self._table = ProcessTable()
        self._before: Keeper | None = None
        self._verdict: Verdict | None = None
        self._facts: Facts | None = None
        self._seen: object = None
        self._fresh_until = 0.0
        self._acting = asyncio.Lock()
        self._looking = asyncio.Lock()

    @property
    def name(self) -> str | None:
        """Who runs the server; None where nobody does."""
        return self._verdict.name if self._verdict is not None else None

    @property
    def installed(self) -> bool:
        """Whether there is a program, a service or a server."""
        verdict, facts = self._verdict, self._facts
        if verdict is None or facts is None:
            return find_program(self._config.program) is not None
        return facts.program is not None or verdict.name is not None or bool(verdict.keeper.start)

    @property
    def conflict(self) -> str | None:
        """Why nothing is done to the server: several would fight over it."""
        return self._verdict.conflict if self._verdict is not None else None

    @property
    def log_file(self) -> Path | None:
        """The log of the server that runs, or ran last; None where it has no file."""
        if self._verdict is not None and self._verdict.is_kept:
            return self._verdict.keeper.log_file
        return self._child.log_file if self._child.failure is not None else None

    @property
    def log_unit(self) -> LogUnit | None:
        """The service whose log is in the system's journal; None where the server has a file, or none at all."""
        return self._verdict.keeper.log_unit if self._verdict is not None and self._verdict.is_kept else None

    @property
    def failure(self) -> Failure | None:
        """How the agent's own server ended unasked, until it runs again, or somebody else's does."""
        verdict = self._verdict
        is_replaced = verdict is not None and verdict.server is not None and verdict.keeper.name != OWN_NAME
        return None if is_replaced else self._child.failure

    async def look(self, processes: Processes) -> None:
        """Find out who runs the server; cheap while nothing has changed."""
        await self._look(processes, afresh=False)

    async def _look(self, processes: Processes, *, afresh: bool) -> Verdict:
        """The verdict on what is so, or was a moment ago."""
        self._child.adopt()
        child = self._child.running
        seen = (frozenset((one.pid, one.created_at) for one in processes.servers), child)
        async with self._looking:
            if self._verdict is not None and not afresh and seen == self._seen and time.monotonic() < self._fresh_until:
                return self._verdict
            facts = await survey(self._config, processes, child)
            self._facts, self._verdict = facts, decide(facts, self._before)
            if self._verdict.server is not None:
                self._before = None
            settled = all(one.ports is None or one.ports for one in facts.servers)
            self._seen = seen
            self._fresh_until = time.monotonic() + (UNCHANGED_SECONDS if settled else UNSETTLED_SECONDS)
            return self._verdict

    def steps(self, verb: ServerVerb) -> ServerSteps:
        """What the verb would do, as of the last look."""
        if self._verdict is None:
            return ServerSteps(None, refusal="nobody has looked yet who runs Ollama here; ask again")
        return self._verdict.told(verb)

    async def start(self) -> None:
        """Return when the server's process is there. Raises BackendFailed."""
        async with self._acting:
            await self._start(await self._afresh())

    async def stop(self) -> None:
        """Return when the server's process and its runners are gone. Raises BackendFailed."""
        async with self._acting:
            verdict = await self._afresh()
            steps = _allowed(verdict, "stop")
            server_and_runners = processes_of([] if verdict.server is None else [verdict.server.server.pid])
            await self._perform(steps)
            if not await vanish(server_and_runners, END_SECONDS):
                raise BackendFailed(
                    f"{verdict.keeper.name} was told to stop, but {_numbers(server_and_runners)} still run",
                    "its log tells what it waits for",
                )
            self._before = verdict.keeper.stopped() if verdict.is_kept else self._before
            if self._child.failure is not None:
                await self._child.stop()  # whoever stops it wants to hear no more of how it ended
            after = await self._afresh()
            if after.server is not None:
                raise BackendFailed(
                    f"the Ollama server of {verdict.keeper.name} was stopped, and {after.name} started one again",
                    "stop what starts it",
                )

    async def close(self) -> None:
        """Leave everything as it is."""
        await self._child.close()

    async def _start(self, verdict: Verdict) -> None:
        """Start what is not there."""
        steps = _allowed(verdict, "start")
        await self._perform(steps)
        if any(isinstance(step, Run) for step in steps):
            await self._appears()
        elif steps:
            await self._afresh()

    async def _afresh(self) -> Verdict:
        """The verdict on what is so now."""
        return await self._look(await asyncio.to_thread(self._table.look), afresh=True)

    async def _perform(self, steps: Sequence[Step]) -> None:
        """One step after the other. Raises BackendFailed."""
        for step in steps:
            match step:
                case Run():
                    await act(step)
                case Spawn():
                    await self._child.start(step)
                case End() if (own := self._child.running) is not None and own.pid == step.pid:
                    await self._child.stop()
                case End():
                    await end(step.pid, step.created_at, seconds=END_SECONDS, insist=False)

    async def _appears(self) -> None:
        """Wait for a server. Raises BackendFailed."""
        deadline = time.monotonic() + APPEAR_SECONDS
        while (verdict := await self._afresh()).server is None:
            if time.monotonic() > deadline:
                raise BackendFailed(
                    f"{verdict.keeper.name} was told to start Ollama, but no ollama serve appeared within "
                    f"{APPEAR_SECONDS:.0f} s",
                    f"its log tells more: {verdict.keeper.log_file}" if verdict.keeper.log_file else None,
                )
            await asyncio.sleep(POLL_SECONDS)


def _allowed(verdict: Verdict, verb: ServerVerb) -> tuple[Step, ...]:
    """What the verb does. Raises BackendFailed where it is refused."""
    if (refusal := verdict.refusal(verb)) is not None:
        raise BackendFailed(refusal)
    return verdict.steps(verb)


def _numbers(processes: Sequence[psutil.Process]) -> str:
    """Processes, in words."""
    return "processes " + ", ".join(str(process.pid) for process in processes)
