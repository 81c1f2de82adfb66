"""The agent: owns sampler, backends, operator and hub, and knows what is true of this node."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

from fleetview_agent.backends import Backend, Notices, Observing, build_backends
from fleetview_agent.config import AgentConfig
from fleetview_agent.copying.incoming import Incoming
from fleetview_agent.copying.offered import Offered
from fleetview_agent.counters import Counters
from fleetview_agent.errors import NotFound
from fleetview_agent.hub import Hub
from fleetview_agent.logbook import AGENT, Logbook
from fleetview_agent.operations.changes import Changes
from fleetview_agent.operations.disk_work import DiskWork, Waits
from fleetview_agent.operations.gate import Gate
from fleetview_agent.operations.moves import Moves
from fleetview_agent.operations.operator import Operator
from fleetview_agent.operations.restoring import Restorer
from fleetview_agent.planning.planner import Planner
from fleetview_agent.processes import largest
from fleetview_agent.readings import Readings
from fleetview_agent.records.history import HistoryRing
from fleetview_agent.records.journal import Journal
from fleetview_agent.records.wishes import Wishes
from fleetview_agent.samplers import Sampler
from fleetview_agent.states import States
from fleetview_agent.wire import (
    BackendState,
    Event,
    LogLines,
    Operation,
    OperationChanged,
    Order,
    Plan,
    Processes,
    Request,
    Snapshot,
    Traffic,
    UndoRequest,
)

logger = logging.getLogger(__name__)

FRESH_SECONDS = 2.0
"""A plan is made from a sample no older than this."""


class Agent:
    """One node. `running` brings it to life; everything else may be called while that is held.

    `restores`: whether what should run is brought back when it begins, and a server that was lost before.
    `build` makes its backends; `incoming` takes in files of models, and `history` keeps figures, in place of
    what lies beside the journal.
    """

    def __init__(
        self,
        config: AgentConfig,
        sampler: Sampler,
        journal: Journal,
        *,
        restores: bool = True,
        build: Callable[[AgentConfig, Notices], tuple[Backend, ...]] = build_backends,
        incoming: Incoming | None = None,
        history: HistoryRing | None = None,
    ) -> None:
        self._restores = restores
        self.counters = Counters()
        self.hub = Hub(self.counters.count)
        self.logbook = Logbook(self.hub.publish)
        self.journal = journal
        self.history = history or HistoryRing(journal.folder / "history.ring")
        self.readings = Readings(sampler, self.history, self._traffic, self.hub.publish)
        self.gate = Gate()
        self._wishes = Wishes(journal)
        self.restorer = Restorer(self._wishes, self._carry, self._status)
        self._changed = asyncio.Event()
        notices = Notices(self._changed.set, self.hub.publish, self.restorer.lost, self.logbook.heard)
        self.backends: dict[str, Backend] = {backend.name: backend for backend in build(config, notices)}
        self._states = States(
            self.backends,
            self._wishes,
            self.hub.publish,
            self._changed,
            is_watched=lambda: bool(self.readings.intervals),
        )
        self._observing = {name: one for name, one in self.backends.items() if isinstance(one, Observing)}
        self.offered = Offered(self.backends)
        self.incoming = incoming or Incoming(journal.folder / "incoming")
        self._planner = Planner(self.backends, journal, self._wishes, self.look, self.incoming)
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
        await self.readings.read()
        try:
            async with asyncio.TaskGroup() as group:  # a bug in one of them ends the agent, not just that task
                lives = (self.readings.run(), self._states.run(), self.operator.run(), self.restorer.run())
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
            self.readings.close()
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
        *before, last = self.readings.recent
        slim = tuple(sample.model_copy(update={"reasons": {}}) for sample in before)
        return Snapshot(
            machine=self.readings.machine,
            backends=self.states,
            operations=self.operator.operations,
            samples=(*slim, last),
        )

    async def events(self, interval_seconds: float) -> AsyncGenerator[Event, None]:
        """A snapshot, then everything that changes; the node is read at least this often meanwhile."""
        await self._states.refresh_soon()
        with self.readings.watching(interval_seconds):
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
        rows = (await self.readings.read()).traffic
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

    async def look(self, fresh_seconds: float = FRESH_SECONDS) -> Snapshot:
        """The newest state, and a reading that is no older."""
        await self._states.refresh_soon()
        await self.readings.fresh(fresh_seconds)
        return self.last_snapshot()

    def logs(self, source: str | None) -> LogLines:
        """The newest lines of all logs, or of this agent's or a backend's. Raises NotFound."""
        sources = (AGENT, *self.backends)
        if source is not None and source not in sources:
            raise NotFound(f"there is no log of {source} on this node", f"there are those of {', '.join(sources)}")
        return LogLines(lines=self.logbook.lines(sources if source is None else (source,)))

    async def processes(self) -> Processes:
        """Who holds the machine's memory now."""
        engines = {row.pid: state.backend for state in self.states for row in state.resident if row.pid is not None}
        return await asyncio.to_thread(largest, engines, frozenset(self.backends))

    async def _traffic(self) -> tuple[Traffic, ...]:
        """What the models are doing for their clients, those included that do not come through this agent."""
        await asyncio.gather(*(backend.observe() for backend in self._observing.values()))
        return tuple(row for backend in self.backends.values() for row in backend.traffic())

    def _publish_operation(self, operation: Operation) -> None:
        """Tell everyone of an operation; when it has ended, pins and models are no longer what they were."""
        if operation.result is not None:
            self._changed.set()
        self.hub.publish(OperationChanged(operation=operation))
