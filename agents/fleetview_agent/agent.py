"""The agent: owns sampler, backends, operator and hub, and knows what is true of this node."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager

from fleetview_agent.backends import Backend, Notices, Observing, build_backends
from fleetview_agent.changes import Changes
from fleetview_agent.config import AgentConfig
from fleetview_agent.disk_work import DiskWork
from fleetview_agent.errors import NotFound
from fleetview_agent.gate import Gate
from fleetview_agent.hub import Hub
from fleetview_agent.journal import Journal
from fleetview_agent.moves import Moves
from fleetview_agent.operator import Operator
from fleetview_agent.planner import Planner
from fleetview_agent.restoring import Restorer
from fleetview_agent.samplers import Sampler
from fleetview_agent.views import as_operated, without_ages
from fleetview_agent.wire import (
    BackendChanged,
    BackendState,
    Event,
    Operation,
    OperationChanged,
    Plan,
    Request,
    Sample,
    Sampled,
    Snapshot,
)
from fleetview_agent.wishes import Wishes, lapsed

logger = logging.getLogger(__name__)

HISTORY_SECONDS = 120.0
"""How far back the samples of a snapshot reach."""
IDLE_INTERVAL_SECONDS = 60.0
"""Between samples while nobody watches."""
SHORTEST_INTERVAL_SECONDS = 0.2
STATE_SECONDS = 5.0
"""Between looks at the backends when none of them says that it has changed."""
OBSERVED_STATE_SECONDS = 1.0
"""Between glances at engines that run and that others use too, while somebody watches."""
PATIENCE_SECONDS = 2.0
"""How long those who ask wait for a backend that does not answer."""
FRESH_SECONDS = 2.0
"""A plan is made from a sample no older than this."""
CALM_SECONDS = 0.1
"""Changes of a backend that come closer than this are told as one."""


class Agent:
    """One node. `running` brings it to life; everything else may be called while that is held.

    `restores`: whether a server that was lost before this agent began is brought back.
    """

    def __init__(self, config: AgentConfig, sampler: Sampler, journal: Journal, *, restores: bool = True) -> None:
        self._sampler = sampler
        self._restores = restores
        self._changed = asyncio.Event()
        self.hub = Hub()
        self.journal = journal
        self.gate = Gate()
        self._wishes = Wishes(journal)
        self.restorer = Restorer(self._wishes, self._carry)
        notices = Notices(self._changed.set, self.hub.publish, self.restorer.lost)
        self.backends: dict[str, Backend] = {backend.name: backend for backend in build_backends(config, notices)}
        self._observing = {name: one for name, one in self.backends.items() if isinstance(one, Observing)}
        self._planner = Planner(self.backends, journal, self._wishes, self._look)
        moves = Moves(self.backends, self.gate, self._wishes, self._in_flight, config.drain_seconds)
        self.operator = Operator(
            moves,
            Changes(moves, self._planner, self._wishes),
            DiskWork(moves, self._planner, self._wishes, config.delete_wait_seconds),
            journal,
            self._publish_operation,
        )
        self._states: dict[str, BackendState] = {}
        self._looked_at: dict[str, float] = {}
        self._samples: deque[Sample] = deque()
        self._intervals: list[float] = []
        """What those who watch have asked for."""
        self._hurry = asyncio.Event()
        """Someone has begun to watch: read now."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sampler")
        self._looking = asyncio.Lock()
        self._looks: set[asyncio.Task[None]] = set()
        """Under way for somebody who asked, who may have given up waiting."""
        self._slow_look: asyncio.Task[None] | None = None
        """One that somebody has given up waiting for."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Sample, watch the backends and carry out operations while held; end every child after it."""
        for operation in self.journal.interrupt():
            logger.warning("operation %s was cut short by the end of the agent before this one", operation.id)
        await self._refresh()
        if not self._restores:
            self.restorer.forget()
        await self._read()
        try:
            async with asyncio.TaskGroup() as group:  # a bug in one of them ends the agent, not just that task
                lives = (self._sampling(), self._refreshing(), self.operator.run(), self.restorer.run())
                tasks = [group.create_task(life) for life in lives]
                try:
                    yield
                finally:
                    for task in tasks:
                        task.cancel()
        finally:
            for look in self._looks:
                look.cancel()
            await asyncio.gather(*self._looks, return_exceptions=True)
            for backend in self.backends.values():
                await backend.close()
            self._thread.shutdown()
            self._sampler.close()
            self.journal.close()

    @property
    def busy(self) -> bool:
        """Whether a model is resident that ends with this agent, or an operation is in hand."""
        own = [state for state in self._states.values() if state.address is None]  # else a server outlives the agent
        resident = any(row.phase not in {"failed", "orphaned"} for state in own for row in state.resident)
        return resident or bool(self.operator.operations)

    @property
    def states(self) -> tuple[BackendState, ...]:
        """The backends, as last seen."""
        return tuple(self._states.values())

    async def snapshot(self) -> Snapshot:
        """Everything that is true now."""
        await self._refresh_soon()
        return self.last_snapshot()

    def last_snapshot(self) -> Snapshot:
        """Everything that is true, by what was last seen."""
        *before, last = self._samples
        slim = tuple(sample.model_copy(update={"reasons": {}}) for sample in before)
        return Snapshot(
            machine=self._sampler.machine,
            backends=self.states,
            operations=self.operator.operations,
            samples=(*slim, last),
        )

    async def events(self, interval_seconds: float) -> AsyncGenerator[Event, None]:
        """A snapshot, then everything that changes; the node is read at least this often meanwhile."""
        await self._refresh_soon()
        with self._watching(interval_seconds):
            async with contextlib.aclosing(self.hub.listen(self.last_snapshot)) as events:
                async for event in events:
                    yield event

    async def plan(self, request: Request) -> Plan:
        """What a request would do."""
        return await self._planner.plan(request)

    async def _carry(self, request: Request, reason: str) -> Operation:
        """Carry out an operation that no operator asked for."""
        return await self.operator.carry(request, reason)

    async def _in_flight(self, targets: Collection[str]) -> int:
        """How many requests these models are answering, also those that do not go through this agent."""
        await self._read()
        rows = self._samples[-1].traffic
        return sum(row.in_flight + row.queued for row in rows if f"{row.backend}/{row.model}" in targets)

    def find(self, model: str) -> tuple[Backend, str]:
        """Backend and model that a chat means: `BACKEND/MODEL`, or a model that one backend alone has.

        Raises NotFound.
        """
        name, slash, rest = model.partition("/")
        if slash and name in self.backends:
            return self.backends[name], rest
        resident = [state.backend for state in self.states if any(row.name == model for row in state.resident)]
        known = [state.backend for state in self.states if any(row.name == model for row in state.models)]
        match resident or known:
            case [one]:
                return self.backends[one], model
            case []:
                names = ", ".join(f"{state.backend}/{row.name}" for state in self.states for row in state.resident)
                raise NotFound(f"there is no model {model} on this node", f"resident: {names or 'none'}")
            case several:
                raise NotFound(f"{model} is known to {' and '.join(several)}", f"say {several[0]}/{model}")

    async def _look(self) -> Snapshot:
        """What a plan is made from: the newest state and a fresh reading."""
        await self._refresh_soon()
        if abs(time.time() - self._samples[-1].at) > FRESH_SECONDS:
            await self._read()
        return self.last_snapshot()

    @contextmanager
    def _watching(self, interval_seconds: float) -> Iterator[None]:
        """Held by someone who wants samples at this interval."""
        interval = max(interval_seconds, SHORTEST_INTERVAL_SECONDS)
        self._intervals.append(interval)
        self._hurry.set()
        try:
            yield
        finally:
            self._intervals.remove(interval)

    async def _sampling(self) -> None:
        """Read the machine at the smallest interval that somebody asks for."""
        due = time.monotonic()
        while True:
            interval = min(self._intervals, default=IDLE_INTERVAL_SECONDS)
            due = max(due + interval, time.monotonic())
            self._hurry.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(due - time.monotonic()):
                    await self._hurry.wait()
                    due = time.monotonic()
            await self._read()

    async def _read(self) -> None:
        """Read the machine once, keep it and tell it."""
        if self._samples and 0 <= time.time() - self._samples[-1].at < SHORTEST_INTERVAL_SECONDS / 2:
            return
        await asyncio.gather(*(backend.observe() for backend in self._observing.values()))
        sample = await asyncio.get_running_loop().run_in_executor(self._thread, self._sampler.read)
        traffic = tuple(row for backend in self.backends.values() for row in backend.traffic())
        sample = sample.model_copy(update={"traffic": traffic})
        self._samples.append(sample)
        while self._samples[0].at < sample.at - HISTORY_SECONDS:
            self._samples.popleft()
        self.hub.publish(Sampled(sample=sample))

    async def _refreshing(self) -> None:
        """Look at the backends when they have changed, and now and then; sooner at those that change by themselves."""
        looked_at = time.monotonic()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(OBSERVED_STATE_SECONDS):
                    await self._changed.wait()
            if self._changed.is_set() or time.monotonic() - looked_at >= STATE_SECONDS:
                self._changed.clear()
                looked_at = time.monotonic()
                await self._refresh()
            elif self._intervals:
                running = {name: one for name, one in self._observing.items() if self._states[name].phase == "ready"}
                if moved := [name for name, one in running.items() if await one.has_moved()]:
                    await self._refresh(moved)
            await asyncio.sleep(CALM_SECONDS)

    async def _refresh_soon(self) -> None:
        """Look at every backend, but wait only so long for one that is slow to answer: that comes as a change."""
        look = self._slow_look
        if look is None or look.done():
            look = asyncio.create_task(self._refresh())
            self._looks.add(look)
            look.add_done_callback(self._looks.discard)
        done, _ = await asyncio.wait({look}, timeout=PATIENCE_SECONDS)
        self._slow_look = None if done else look
        for ended in done:
            ended.result()

    async def _refresh(self, names: Collection[str] | None = None) -> None:
        """Look at every backend, or at those named, and tell what is no longer what it was."""
        async with self._looking:  # one look at a time, so that an older one never comes last
            await asyncio.gather(*(self._refresh_one(name) for name in (self.backends if names is None else names)))

    async def _refresh_one(self, name: str) -> None:
        """Look at one backend."""
        backend = self.backends[name]
        state = as_operated(await backend.status(), backend, self._wishes.pins)
        former, looked_at = self._states.get(name), self._looked_at.get(name, 0.0)
        self._states[name], self._looked_at[name] = state, time.monotonic()
        if former is None:
            return
        self._wishes.stopped(lapsed(former, state, self._looked_at[name] - looked_at))
        if without_ages(former) != without_ages(state):
            self.hub.publish(BackendChanged(state=state))

    def _publish_operation(self, operation: Operation) -> None:
        """Tell everyone of an operation; when it has ended, pins and models are no longer what they were."""
        if operation.result is not None:
            self._changed.set()
        self.hub.publish(OperationChanged(operation=operation))
