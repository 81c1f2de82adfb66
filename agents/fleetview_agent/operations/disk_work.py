"""Changes of what is on the disk: pull, create, copy and delete, beside the queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from dataclasses import dataclass

from fleetview_agent.backends import Backend, Deleting, Receiving, Storing
from fleetview_agent.copying.incoming import Incoming
from fleetview_agent.errors import AgentError, RefusedOperation
from fleetview_agent.operations.attempt import CANCELLED, to_its_end, too_late_to_cancel
from fleetview_agent.operations.moves import Moves
from fleetview_agent.operations.work import Work
from fleetview_agent.planning.naming import is_same
from fleetview_agent.planning.planner import Planner
from fleetview_agent.records.wishes import Wishes
from fleetview_agent.wire import (
    CopyRequest,
    CreateRequest,
    DeleteRequest,
    ModelPart,
    Operation,
    PullRequest,
    Transfer,
    target,
)

GONE = "nobody brings the rest of it any more; copy it again to go on where it was"


@dataclass(frozen=True)
class Waits:
    """How long operations of the disk wait, in seconds."""

    delete: float
    """Before anything is gone."""
    copy: float
    """For more of its files."""


class DiskWork:
    """What operations beside the queue do; they change nothing in memory, so any number may go on."""

    def __init__(self, moves: Moves, planner: Planner, wishes: Wishes, incoming: Incoming, waits: Waits) -> None:
        self._moves = moves
        self._planner = planner
        self._wishes = wishes
        self._incoming = incoming
        self._waits = waits

    async def perform(self, work: Work) -> None:
        """Carry out the phases of one operation."""
        work.enter("plan")
        await self._plan(work)
        backend = self._moves.backend(work.operation.request.backend)
        match request := work.operation.request:
            case CopyRequest() if isinstance(backend, Receiving):
                await self._copy(work, backend, request)
                await _note_inverse(work, backend, request)
            case PullRequest() if isinstance(backend, Storing):
                work.enter("pull")
                await _fetch(work, backend, request, backend.pull(request.model))
            case CreateRequest() if isinstance(backend, Storing):
                source = await self._planner.source(request)
                work.enter("create")
                transfers = backend.create(request.model, source, request.options)
                await _fetch(work, backend, request, transfers)
            case DeleteRequest() if isinstance(backend, Deleting):
                work.enter("wait")
                await asyncio.sleep(self._waits.delete)
                await self._plan(work)  # it may have been loaded meanwhile
                work.enter("delete")
                await too_late_to_cancel(backend.delete(request.model))
                self._wishes.left((target(request),))
            case other:
                raise RefusedOperation(f"{backend.name} cannot {other.verb} models")
        work.enter("ready")

    async def roll_back(self, work: Work, cause: str) -> Operation:
        """There is nothing to undo; what has come of a pull waits for the next one."""
        match work.operation.phase:
            case "plan" if cause != CANCELLED:
                return work.ended("failed", cause, refused=True)
            case "pull" if (came := work.operation.transfer) and came.done_bytes:
                return work.ended("rolled_back", f"{cause}; pull it again to go on where it was")
            case "copy" if cause == GONE:
                return work.ended("interrupted", cause)
            case "copy" if cause == CANCELLED:
                return work.ended("rolled_back", f"{cause}; copy it again to go on where it was")
            case "copy" | "verify" if cause != CANCELLED:
                return work.ended("failed", cause)
        return work.ended("rolled_back", cause)

    async def _copy(self, work: Work, backend: Receiving, request: CopyRequest) -> None:
        """Wait until every file has come, look whether it is what it should be, and hand them to the engine."""
        work.enter("copy")
        with self._incoming.expecting(request.parts) as arrival:
            work.transferred(arrival.transfer())
            while not arrival.is_complete:
                try:
                    async with asyncio.timeout(self._waits.copy):
                        await arrival.news()
                except TimeoutError:
                    raise AgentError(GONE) from None
                work.transferred(arrival.transfer())
            work.enter("verify")
            await self._verify(work, request.parts)
            files = tuple((self._incoming.file(part), part) for part in request.parts)
            await to_its_end(backend.take_in(request.model, files, request.manifest))
            self._incoming.forget(request.parts)

    async def _verify(self, work: Work, parts: tuple[ModelPart, ...]) -> None:
        """Read every file through. Raises AgentError for one that came damaged."""
        total = sum(part.size_bytes for part in parts) or 1
        before = 0

        def read(done: int) -> None:
            work.advance((before + done) / total)

        for part in parts:
            await self._incoming.verify(part, read)
            before += part.size_bytes

    async def _plan(self, work: Work) -> None:
        """Raise RefusedOperation where it cannot be done."""
        plan = await self._planner.plan(work.operation.request, work.operation.id)
        if plan.refusal:
            raise RefusedOperation(plan.refusal)


async def _fetch(
    work: Work,
    backend: Backend,
    request: PullRequest | CreateRequest,
    transfers: AsyncGenerator[Transfer, None],
) -> None:
    """Tell how bytes come; when cancelled, the engine is told to break off. A model that is new can be deleted."""
    before = {file.name for file in (await backend.status()).models}
    async with aclosing(transfers):
        async for transfer in transfers:
            work.transferred(transfer)
    await _note_inverse(work, backend, request, before)


async def _note_inverse(
    work: Work,
    backend: Backend,
    request: PullRequest | CreateRequest | CopyRequest,
    before: Collection[str] = (),
) -> None:
    """What deletes the model again, unless it is one of those that were there before."""
    for file in (await backend.status()).models:
        if file.name not in before and is_same(file.name, request.model):
            work.inverse = DeleteRequest(author=request.author, backend=request.backend, model=file.name)
