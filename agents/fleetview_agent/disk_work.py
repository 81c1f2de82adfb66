"""Changes of what is on the disk: pull, create and delete, beside the queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fleetview_agent.attempt import CANCELLED, to_its_end
from fleetview_agent.backends import Backend, Storing
from fleetview_agent.errors import RefusedOperation
from fleetview_agent.moves import Moves
from fleetview_agent.naming import is_same
from fleetview_agent.planner import Planner
from fleetview_agent.wire import CreateRequest, DeleteRequest, Operation, PullRequest, Transfer, target
from fleetview_agent.wishes import Wishes
from fleetview_agent.work import Work


class DiskWork:
    """What operations beside the queue do; they change nothing in memory, so any number may go on."""

    def __init__(self, moves: Moves, planner: Planner, wishes: Wishes, delete_wait_seconds: float) -> None:
        self._moves = moves
        self._planner = planner
        self._wishes = wishes
        self._delete_wait_seconds = delete_wait_seconds

    async def perform(self, work: Work) -> None:
        """Carry out the phases of one operation."""
        work.enter("plan")
        await self._plan(work)
        backend = self._moves.backend(work.operation.request.backend)
        if not isinstance(backend, Storing):
            raise RefusedOperation(f"{backend.name} stores no models")
        match request := work.operation.request:
            case PullRequest():
                work.enter("pull")
                await _fetch(work, backend, request, backend.pull(request.model))
            case CreateRequest():
                source = await self._planner.source(request)
                work.enter("create")
                transfers = backend.create(request.model, source, request.options)
                await _fetch(work, backend, request, transfers)
            case DeleteRequest():
                work.enter("wait")
                await asyncio.sleep(self._delete_wait_seconds)
                await self._plan(work)  # it may have been loaded meanwhile
                work.enter("delete")
                await to_its_end(backend.delete(request.model))
                self._wishes.left((target(request),))
            case other:
                raise RefusedOperation(f"a {other.verb} changes nothing on the disk")
        work.enter("ready")

    async def roll_back(self, work: Work, cause: str) -> Operation:
        """There is nothing to undo; what has come of a pull waits for the next one."""
        match work.operation.phase:
            case "plan" if cause != CANCELLED:
                return work.ended("failed", cause, refused=True)
            case "pull" if (came := work.operation.transfer) and came.done_bytes:
                return work.ended("rolled_back", f"{cause}; pull it again to go on where it was")
        return work.ended("rolled_back", cause)

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
    for file in (await backend.status()).models:
        if file.name not in before and is_same(file.name, request.model):
            work.inverse = DeleteRequest(author=request.author, backend=request.backend, model=file.name)
