"""One operation at a time: plan, drain, evict, load, warm, and back again when anything fails."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fleetview_agent.backends import Backend
from fleetview_agent.errors import AgentError, BackendFailed, NotFound, NotResident, StorageFailed
from fleetview_agent.gate import Gate
from fleetview_agent.journal import Journal
from fleetview_agent.planner import Planner
from fleetview_agent.wire import LoadOptions, LoadRequest, Operation, Request, SwapRequest, UnloadRequest
from fleetview_agent.work import Evicted, Work

logger = logging.getLogger(__name__)


class RefusedOperation(AgentError):
    """The plan says that it cannot be done; nothing was tried."""

    status = 422
    code = "refused"


class Operator:
    """The only one that loads and unloads."""

    def __init__(
        self,
        backends: Mapping[str, Backend],
        planner: Planner,
        journal: Journal,
        gate: Gate,
        publish: Callable[[Operation], None],
        drain_seconds: float,
    ) -> None:
        self._backends = backends
        self._planner = planner
        self._journal = journal
        self._gate = gate
        self._publish = publish
        self._drain_seconds = drain_seconds
        self._works: deque[Work] = deque()
        """Waiting and in hand; the first one is in hand."""
        self._submitted = asyncio.Event()
        self._performing: asyncio.Task[None] | None = None

    @property
    def operations(self) -> tuple[Operation, ...]:
        """Waiting and in hand, in the order in which they are carried out."""
        return tuple(work.operation for work in self._works)

    def submit(self, request: Request) -> Operation:
        """Queue a request. Raises NotFound for an unknown backend, StorageFailed where the journal can't be written."""
        self._backend(request.backend)
        operation = Operation(id=secrets.token_hex(6), request=request, phase="queued", queued_at=time.time())
        self._journal.write(operation)
        self._works.append(Work(operation, self._publish))
        self._publish(operation)
        self._submitted.set()
        return operation

    def cancel(self, operation_id: str) -> None:
        """End an operation early; one in hand rolls back. Raises NotFound when it is not waiting or in hand."""
        work = next((work for work in self._works if work.operation.id == operation_id), None)
        if work is None:
            raise NotFound(f"there is no operation {operation_id} waiting or in hand", "it may have ended already")
        if work is not self._works[0] or self._performing is None:
            if work.operation.phase == "queued":
                self._works.remove(work)
                self._end(work.ended("rolled_back", "cancelled before it began"))
            return
        self._performing.cancel()

    async def run(self) -> None:
        """Carry out what is submitted, until cancelled."""
        while True:
            self._submitted.clear()
            while self._works:
                work = self._works[0]
                try:
                    operation = await self._carry_out(work)
                except asyncio.CancelledError:
                    self._end(work.ended("interrupted", "the agent was stopped"))
                    raise
                self._works.popleft()
                self._end(operation)
            await self._submitted.wait()

    async def _carry_out(self, work: Work) -> Operation:
        """Perform an operation, or bring the node back to where it was."""
        task = self._performing = asyncio.create_task(self._perform(work))
        try:
            await asyncio.wait({task})
        finally:
            self._performing = None
            if not task.done():  # the agent is stopping
                task.cancel()
                await asyncio.wait({task})
        if task.cancelled():
            return await self._roll_back(work, "cancelled")
        match task.exception():
            case None:
                return work.ended("done", None)
            case RefusedOperation() as refusal:
                return work.ended("failed", str(refusal), refused=True)
            case AgentError() as problem:
                work.log = problem.log if isinstance(problem, BackendFailed) else ()
                return await self._roll_back(work, str(problem))
            case problem:
                logger.error("operation %s failed", work.operation.id, exc_info=problem)
                return await self._roll_back(work, f"an error in the agent: {type(problem).__name__}, see its log")

    async def _perform(self, work: Work) -> None:
        """Carry out the phases of one operation."""
        match request := work.operation.request:
            case UnloadRequest():
                await self._unload(work, request)
            case LoadRequest() | SwapRequest():
                await self._load(work, request)

    async def _unload(self, work: Work, request: UnloadRequest) -> None:
        """Take one model out of memory."""
        work.enter("plan")
        backend = self._backend(request.backend)
        if all(model.name != request.model for model in (await backend.status()).resident):
            raise NotResident(f"{request.backend}/{request.model} is not resident")
        await self._evict(work, (f"{request.backend}/{request.model}",))
        work.enter("ready")

    async def _load(self, work: Work, request: LoadRequest | SwapRequest) -> None:
        """Load a model, after those that make room for it have left."""
        work.enter("plan")
        plan = await self._planner.plan(request)
        if plan.refusal:
            raise RefusedOperation(plan.refusal)
        if plan.already_resident:
            work.enter("ready")
            return
        backend = self._backend(request.backend)
        options = LoadOptions(context=plan.context)
        with self._gate.closed(plan.evictions):
            async with backend.preparing():
                await self._evict(work, plan.evictions)
                work.enter("load")
                work.loading = Evicted(backend, request.model, options)
                await backend.load(request.model, options, work.advance)
            work.enter("warm")
            await backend.warm(request.model)
        work.enter("ready")
        await self._planner.remember(request, plan.context, work.seconds_in("load"))

    async def _evict(self, work: Work, targets: tuple[str, ...]) -> None:
        """Let answers end, then take models out of memory."""
        if not targets:
            return
        with self._gate.closed(targets):
            work.enter("drain", evictions=targets)
            try:
                async with asyncio.timeout(self._drain_seconds):
                    await self._gate.idle(targets)
            except TimeoutError:
                logger.warning("answers of %s are cut: they did not end in time", ", ".join(targets))
            work.enter("evict")
            for target in targets:
                name, _, model = target.partition("/")
                backend = self._backend(name)
                row = next((row for row in (await backend.status()).resident if row.name == model), None)
                if row is not None and row.phase == "ready":
                    work.evicted.append(Evicted(backend, model, LoadOptions(context=row.context)))
                await _to_its_end(backend.unload(model))

    async def _roll_back(self, work: Work, cause: str) -> Operation:
        """Bring the node back to where it was before the operation."""
        if work.loading is None and not work.evicted:
            return work.ended("failed" if work.operation.phase == "plan" else "rolled_back", cause)
        work.enter("roll_back")
        lost = []
        for undo in (self._take_out(work.loading), *map(self._bring_back, work.evicted)):
            try:
                await undo
            except AgentError as problem:
                lost.append(str(problem))
        if not lost:
            return work.ended("rolled_back", cause)
        return work.ended("failed", f"{cause}; going back failed too: {'; '.join(lost)}. {await self._residents()}")

    async def _take_out(self, loaded: Evicted | None) -> None:
        """Unload what the operation has loaded, as far as it came."""
        if loaded is None:
            return
        if any(row.name == loaded.model for row in (await loaded.backend.status()).resident):
            await loaded.backend.unload(loaded.model)

    async def _bring_back(self, former: Evicted) -> None:
        """Load again what the operation had evicted."""
        await former.backend.load(former.model, former.options, lambda _: None)

    async def _residents(self) -> str:
        """What is in memory now, in a sentence."""
        names = [
            f"{name}/{row.name}"
            for name, backend in self._backends.items()
            for row in (await backend.status()).resident
            if row.phase == "ready"
        ]
        return f"Resident now: {', '.join(names) or 'nothing'}"

    def _end(self, operation: Operation) -> None:
        """Put an ended operation into the journal, then tell everyone."""
        try:
            self._journal.write(operation)
        except StorageFailed:
            logger.exception("operation %s is not in the journal", operation.id)
        self._publish(operation)

    def _backend(self, name: str) -> Backend:
        """The backend of that name."""
        if (backend := self._backends.get(name)) is None:
            raise NotFound(f"there is no backend {name} on this node", f"it has {', '.join(self._backends)}")
        return backend


async def _to_its_end(action: Coroutine[Any, Any, None]) -> None:  # Any: what the coroutine awaits is its own affair
    """Let `action` finish even when cancelled, and be cancelled after it."""
    task = asyncio.ensure_future(action)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled() and (problem := task.exception()):
            logger.warning("after a cancellation: %s", problem)
        raise
