"""Takes requests: changes of memory one at a time, changes of the disk beside them."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import replace

from fleetview_agent.errors import NotFound, StorageFailed
from fleetview_agent.operations.attempt import NEVER_BEGAN, Actions, carry_out
from fleetview_agent.operations.moves import Moves
from fleetview_agent.operations.undoing import DEPTH, Undo, as_things_are, resolve
from fleetview_agent.operations.work import Work
from fleetview_agent.records.journal import Journal
from fleetview_agent.wire import DiskRequest, Operation, Order, Request, UndoRequest

logger = logging.getLogger(__name__)


class Operator:
    """Every operation of the node, from its request to its place in the journal."""

    def __init__(
        self,
        moves: Moves,
        changes: Actions,
        disk_work: Actions,
        journal: Journal,
        publish: Callable[[Operation], None],
        residents: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._moves = moves
        self._changes = changes
        self._disk_work = disk_work
        self._journal = journal
        self._publish = publish
        self._residents = residents
        self._works: deque[Work] = deque()
        """Waiting and in hand; the first one is in hand."""
        self._beside: list[Work] = []
        """In hand at the same time."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._submitted = asyncio.Event()

    @property
    def operations(self) -> tuple[Operation, ...]:
        """Waiting and in hand: those of the queue in the order in which they are carried out, then those beside it."""
        return tuple(work.operation for work in self._all())

    def submit(self, order: Order, reason: str | None = None) -> Operation:
        """Begin or queue what is asked for; `reason` says why, where no operator does.

        An undo becomes an operation that does the opposite, or cancels one that has done nothing yet. Raises NotFound
        for an unknown backend, RefusedOperation for what cannot be undone, StorageFailed where the journal can't be
        written.
        """
        if not isinstance(order, UndoRequest):
            return self._submit(order, reason).operation
        undo = self.resolve(order)
        if undo.request is None:
            self.cancel(undo.operation.id)
            return undo.operation
        return self._submit(undo.request, reason, undoes=undo.operation.id).operation

    def resolve(self, order: UndoRequest) -> Undo:
        """What an undo would take back, and how. Raises NotFound, RefusedOperation."""
        undo = resolve(order, self._journal.ended(DEPTH), self.operations)
        if undo.request is None or self._works:  # what is in hand may bring those that are to leave
            return undo
        return replace(undo, request=as_things_are(undo.request, self._residents()))

    async def carry(self, request: Request, reason: str | None = None) -> Operation:
        """Submit a request, and return how it ended. Raises what `submit` raises."""
        work = self._submit(request, reason)
        await work.over.wait()
        return work.operation

    def cancel(self, operation_id: str) -> None:
        """End an operation early; one in hand rolls back. Raises NotFound when it is not waiting or in hand."""
        work = next((work for work in self._all() if work.operation.id == operation_id), None)
        if work is None:
            raise NotFound(f"there is no operation {operation_id} waiting or in hand", "it may have ended already")
        if work in self._works and not work.begun:
            self._end(work, work.ended("rolled_back", NEVER_BEGAN))
        else:
            work.cancel()

    async def run(self) -> None:
        """Carry out what is submitted, until cancelled."""
        try:
            while True:
                self._submitted.clear()
                while self._works:
                    await self._see_through(self._works[0], self._changes)
                await self._submitted.wait()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _submit(self, request: Request, reason: str | None, undoes: str | None = None) -> Work:
        """Put the operation into the journal, then begin or queue it."""
        self._moves.backend(request.backend)
        operation = Operation(
            id=secrets.token_hex(6),
            request=request,
            phase="queued",
            queued_at=time.time(),
            reason=reason,
            undoes=undoes,
        )
        self._journal.write(operation)
        work = Work(operation, self._publish)
        self._publish(operation)
        if isinstance(request, DiskRequest):
            self._beside.append(work)
            task = asyncio.create_task(self._see_through(work, self._disk_work))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._works.append(work)
            self._submitted.set()
        return work

    async def _see_through(self, work: Work, actions: Actions) -> None:
        """Carry out an operation to its end, and tell of that."""
        try:
            operation = await carry_out(work, actions)
        except asyncio.CancelledError:
            is_over = work.performed
            self._end(work, work.ended("done", None) if is_over else work.ended("interrupted", "the agent was stopped"))
            raise
        self._end(work, operation)

    def _all(self) -> tuple[Work, ...]:
        """Waiting and in hand."""
        return (*self._works, *self._beside)

    def _end(self, work: Work, operation: Operation) -> None:
        """Put an ended operation into the journal, then tell everyone."""
        works: deque[Work] | list[Work] = self._works if work in self._works else self._beside
        works.remove(work)
        try:
            self._journal.write(operation)
        except StorageFailed:
            logger.exception("operation %s is not in the journal", operation.id)
        self._publish(operation)
        work.over.set()
