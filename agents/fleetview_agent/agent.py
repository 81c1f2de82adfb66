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
from fleetview_agent.config import AgentConfig
from fleetview_agent.copying.incoming import Incoming
from fleetview_agent.copying.offered import Offered
from fleetview_agent.errors import NotFound
from fleetview_agent.hub import Hub
from fleetview_agent.operations.changes import Changes
from fleetview_agent.operations.disk_work import DiskWork, Waits
from fleetview_agent.operations.gate import Gate
from fleetview_agent.operations.moves import Moves
from fleetview_agent.operations.operator import Operator
from fleetview_agent.operations.restoring import Restorer
from fleetview_agent.planning.planner import Planner
from fleetview_agent.records.journal import Journal
from fleetview_agent.records.wishes import Wishes
from fleetview_agent.samplers import Sampler
from fleetview_agent.states import States
from fleetview_agent.wire import (
    BackendState,
    Event,
    Operation,
    OperationChanged,
    Order,
    Plan,
    Request,
    Sample,
    Sampled,
    Snapshot,
    UndoRequest,
)

logger = logging.getLogger(__name__)

HISTORY_SECONDS = 120.0
"""How far back the samples of a snapshot reach."""
IDLE_INTERVAL_SECONDS = 60.0
"""Between samples while nobody watches."""
SHORTEST_INTERVAL_SECONDS = 0.2
FRESH_SECONDS = 2.0
"""A plan is made from a sample no older than this."""


class Agent:
    """One node. `running` brings it to life; everything else may be called while that is held.

    `restores`: whether what should run is brought back when it begins, and a server that was lost before.
    """

    def __init__(self, config: AgentConfig, sampler: Sampler, journal: Journal, *, restores: bool = True) -> None:
        self._sampler = sampler
        self._restores = restores
        self.hub = Hub()
        self.journal = journal
        self.gate = Gate()
        self._wishes = Wishes(journal)
        self.restorer = Restorer(self._wishes, self._carry, self._status)
        self._changed = asyncio.Event()
        notices = Notices(self._changed.set, self.hub.publish, self.restorer.lost)
        self.backends: dict[str, Backend] = {backend.name: backend for backend in build_backends(config, notices)}
        self._states = States(
            self.backends, self._wishes, self.hub.publish, self._changed, is_watched=lambda: bool(self._intervals)
        )
        self._observing = {name: one for name, one in self.backends.items() if isinstance(one, Observing)}
        self.offered = Offered(self.backends)
        self.incoming = Incoming(journal.folder / "incoming")
        self._planner = Planner(self.backends, journal, self._wishes, self._look, self.incoming)
        moves = Moves(self.backends, self.gate, self._wishes, self._in_flight, config.drain_seconds)
        self.operator = Operator(
            moves,
            Changes(moves, self._planner, self._wishes),
            DiskWork(
                moves,
                self._planner,
                self._wishes,
                self.incoming,
                Waits(config.delete_wait_seconds, config.copy_wait_seconds),
            ),
            journal,
            self._publish_operation,
            self._residents,
        )
        self._samples: deque[Sample] = deque()
        self._intervals: list[float] = []
        """What those who watch have asked for."""
        self._hurry = asyncio.Event()
        """Someone has begun to watch: read now."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sampler")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Sample, watch the backends and carry out operations while held; end every child after it."""
        for operation in self.journal.interrupt():
            logger.warning("operation %s was cut short by the end of the agent before this one", operation.id)
        self.incoming.clean()
        await self._states.refresh()
        if self._restores:
            self.restorer.begin(self.backends)
        else:
            self.restorer.forget()
        await self._read()
        try:
            async with asyncio.TaskGroup() as group:  # a bug in one of them ends the agent, not just that task
                lives = (self._sampling(), self._states.run(), self.operator.run(), self.restorer.run())
                tasks = [group.create_task(life) for life in lives]
                try:
                    yield
                finally:
                    for task in tasks:
                        task.cancel()
        finally:
            await self._states.close()
            for backend in self.backends.values():
                await backend.close()
            self._thread.shutdown()
            self._sampler.close()
            self.journal.close()

    @property
    def busy(self) -> bool:
        """Whether a model is resident that ends with this agent, or there is something to do."""
        own = [state for state in self.states if state.address is None]  # else a server outlives the agent
        resident = any(row.phase not in {"failed", "orphaned"} for state in own for row in state.resident)
        return resident or bool(self.operator.operations) or self.restorer.busy

    @property
    def states(self) -> tuple[BackendState, ...]:
        """The backends, as last seen."""
        return self._states.all

    async def snapshot(self) -> Snapshot:
        """Everything that is true now."""
        await self._states.refresh_soon()
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
        await self._states.refresh_soon()
        with self._watching(interval_seconds):
            async with contextlib.aclosing(self.hub.listen(self.last_snapshot)) as events:
                async for event in events:
                    yield event

    async def plan(self, order: Order) -> Plan:
        """What a request would do, or the undoing of an operation. Raises NotFound, RefusedOperation, BadRequest."""
        if not isinstance(order, UndoRequest):
            return await self._planner.plan(order)
        undo = self.operator.resolve(order)
        if undo.request is None:
            cancelled = undo.operation
            return Plan(request=cancelled.request, verdict="unknown", confidence="unknown", cancels=cancelled.id)
        plan = await self._planner.plan(undo.request)
        return plan.model_copy(update={"undoes": undo.operation.id, "undone": undo.operation.request})

    async def _carry(self, request: Request, reason: str) -> Operation:
        """Carry out an operation that no operator asked for."""
        return await self.operator.carry(request, reason)

    async def _status(self, backend: str) -> BackendState:
        """A backend as it is now."""
        return await self.backends[backend].status()

    def _residents(self) -> frozenset[str]:
        """Every `BACKEND/MODEL` that was in memory when it was last looked at."""
        return frozenset(f"{state.backend}/{row.name}" for state in self.states for row in state.resident)

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
        await self._states.refresh_soon()
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

    def _publish_operation(self, operation: Operation) -> None:
        """Tell everyone of an operation; when it has ended, pins and models are no longer what they were."""
        if operation.result is not None:
            self._changed.set()
        self.hub.publish(OperationChanged(operation=operation))
