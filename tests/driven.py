"""A node with the simulated engine that tests drive step by step, through stops and kills of its agent."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fleetview.fleet import NodeState, apply
from fleetview_agent.agent import Agent
from fleetview_agent.backends.simulated.models import MODELS
from fleetview_agent.config import AgentConfig, LlamaCppConfig, OllamaConfig, SimulatedConfig
from fleetview_agent.errors import BackendFailed, NotFound
from fleetview_agent.operations.attempt import Actions
from fleetview_agent.operations.work import Work
from fleetview_agent.records.journal import Journal
from fleetview_agent.samplers import detect
from fleetview_agent.views import as_operated, without_ages
from fleetview_agent.wire import BackendState, Operation, Order
from tests.agents import kill, say

CONFIG = AgentConfig(
    sampler="simulated",
    drain_seconds=0.5,
    delete_wait_seconds=0.0,
    ollama=OllamaConfig(enabled=False),
    llamacpp=LlamaCppConfig(enabled=False),
    simulated=SimulatedConfig(enabled=True, load_seconds=0.0, tokens_per_second=100_000),
)
NAME, MEDIUM = "simulated", "sim-medium"
Moment = tuple[str, int]
"""So many turns of the event loop after an operation has entered this phase."""
LIMIT_SECONDS = 5.0
"""What takes longer hangs."""


@dataclass(frozen=True)
class Picture:
    """Everything that an operation may change, and that its undoing brings back."""

    phase: str
    resident: tuple[tuple[object, ...], ...]
    """Of each model that can answer: name, settings, seconds that it stays, whether it is pinned."""
    models: frozenset[str]

    @property
    def contexts(self) -> dict[object, object]:
        """Models that can answer, with their contexts."""
        return {name: context for name, context, *_ in self.resident}


class OneAtATime:
    """Counts how many operations are carried out at once."""

    def __init__(self, inner: Actions) -> None:
        self._inner = inner
        self._inside = 0
        self.most = 0

    async def perform(self, work: Work) -> None:
        with self._counted():
            await self._inner.perform(work)

    async def roll_back(self, work: Work, cause: str) -> Operation:
        with self._counted():
            return await self._inner.roll_back(work, cause)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._inside += 1
        self.most = max(self.most, self._inside)
        try:
            yield
        finally:
            self._inside -= 1


class DrivenNode:
    """An agent in a task of its own, someone who watches its events, and every id that it ever gave out."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "journal.sqlite"
        self._life: asyncio.Task[None] | None = None
        self.submitted: list[str] = []
        self.too_early: list[str] = []
        """Operations that were told to have ended before the journal knew."""

    async def begin(self) -> None:
        """Let an agent begin as a service does, and bring back what should run."""
        begun, self._end = asyncio.Event(), asyncio.Event()
        self._life = asyncio.create_task(self._live(begun))
        async with asyncio.timeout(LIMIT_SECONDS):
            await begun.wait()
        await self.settle()

    async def end(self, *, killed: bool = False) -> None:
        """Let the agent end, tidily or as by a kill."""
        assert self._life is not None
        if killed:
            kill(self.agent)
        self._end.set()
        await self._life

    async def carry(self, order: Order, cancel_in: Moment | None = None) -> Operation:
        """Submit an order, cancel it at some moment, and return how it ended."""
        operation = self.submit(order)
        if cancel_in is not None:
            await self.reach(operation, cancel_in)
            with contextlib.suppress(NotFound):
                self.agent.operator.cancel(operation.id)
        await self.settle()
        return self.journalled(operation.id)

    async def reach(self, operation: Operation, moment: Moment) -> None:
        """Return when the operation has come so far, or has ended."""
        phase, turns = moment
        in_hand = {one.id: one.phase for one in self.agent.operator.operations}
        while in_hand.get(operation.id, phase) != phase:
            await asyncio.sleep(0)
            in_hand = {one.id: one.phase for one in self.agent.operator.operations}
        for _ in range(turns):
            await asyncio.sleep(0)

    def submit(self, order: Order) -> Operation:
        """Begin or queue what is asked for."""
        operation = self.agent.operator.submit(order)
        if operation.id not in self.submitted:
            self.submitted.append(operation.id)
        return operation

    def journalled(self, operation_id: str) -> Operation:
        """The one row that an operation has in the journal."""
        (row,) = [one for one in self.agent.journal.ended(10_000) if one.id == operation_id]
        return row

    @contextmanager
    def failing(self, step: str) -> Iterator[None]:
        """Let the engine fail once when it is asked for this step."""
        inner, calls = getattr(self.backend, step), []

        async def fail(*arguments: object) -> None:
            calls.append(arguments)
            if len(calls) == 1:
                raise BackendFailed(f"the engine failed to {step}")
            await inner(*arguments)

        setattr(self.backend, step, fail)
        try:
            yield
        finally:
            setattr(self.backend, step, inner)

    async def break_down(self, model: str, word: str) -> None:
        """Let a model end as by a crash, or the whole server."""
        with contextlib.suppress(BackendFailed):
            await say(self.agent, model, word)
        await self.settle()

    async def picture(self) -> Picture:
        """The node as the engine itself tells."""
        state = await self.state()
        held = self.backend._residents
        rows = sorted(
            (row.name, row.context, str(row.options), held.get(row.name).keep_seconds, row.pinned)
            for row in state.resident
            if row.phase == "ready"
        )
        return Picture(state.phase, tuple(rows), frozenset(file.name for file in state.models))

    async def state(self) -> BackendState:
        """What the engine tells, with the pins that the agent adds."""
        return as_operated(await self.backend.status(), self.backend, self.agent._wishes.pins)

    def wanted(self) -> dict[str, int | None]:
        """What should run, with its contexts, as the journal has it."""
        return {
            target.partition("/")[2]: wanted.options.context
            for target, wanted in self.agent.journal.wanted().items()
            if wanted.ended_at is None
        }

    async def settle(self) -> None:
        """Return when nothing is in hand and whoever watches sees what the engine tells; neither may take long."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while self.agent.operator.operations or self.agent.restorer.busy or not await self._is_seen():
            seen = self.seen.backends.get(NAME)
            assert time.monotonic() < deadline, f"in hand {self.agent.operator.operations}, seen {seen}"
            await asyncio.sleep(0.001)

    async def _is_seen(self) -> bool:
        """Whether the state that was told is the one that is."""
        seen = self.seen.backends.get(NAME)
        return seen is not None and without_ages(seen) == without_ages(await self.state())

    async def _live(self, begun: asyncio.Event) -> None:
        """The life of one agent, in one task."""
        self.seen = NodeState("node")
        self.agent = Agent(CONFIG, detect("simulated"), Journal(self._file))
        self.wanted_at_begin = self.wanted()
        self.agent.restorer._pause_seconds = 0.0
        self.backend: Any = self.agent.backends[NAME]
        self.backend._store.models[MEDIUM] = replace(MODELS[0], name=MEDIUM)
        operator: Any = self.agent.operator
        self.turns = operator._changes = OneAtATime(operator._changes)
        self._publish, operator._publish = operator._publish, self._check_and_publish
        async with self.agent.running():
            watching = asyncio.create_task(self._watch())
            begun.set()
            await self._end.wait()
            watching.cancel()
            await asyncio.wait({watching})

    def _check_and_publish(self, operation: Operation) -> None:
        """Tell of an operation; if it has ended, the journal must know already."""
        if operation.result is not None:
            known = [one for one in self.agent.journal.ended(5) if one == operation]
            self.too_early += [] if known or self._end.is_set() else [operation.id]
        self._publish(operation)

    async def _watch(self) -> None:
        """See the node as the dashboard does."""
        async with aclosing(self.agent.events(60.0)) as events:
            async for event in events:
                self.seen = apply({"node": self.seen}, "node", event, time.monotonic())["node"]
