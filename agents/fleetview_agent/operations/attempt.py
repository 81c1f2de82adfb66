"""Carrying out one operation: done, or the node is where it was before."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from typing import Any, Protocol

from fleetview_agent.errors import AgentError, BackendFailed, RefusedOperation
from fleetview_agent.operations.work import Work
from fleetview_agent.wire import Operation

logger = logging.getLogger(__name__)


CANCELLED = "cancelled"
NEVER_BEGAN = "cancelled before it began"


class Actions(Protocol):
    """What one kind of operation does, and how it is undone."""

    async def perform(self, work: Work) -> None:
        """Carry out the phases. Raises RefusedOperation before anything is tried, and any AgentError."""
        ...

    async def roll_back(self, work: Work, cause: str) -> Operation:
        """Undo what was done so far; returns how the operation ends."""
        ...


async def carry_out(work: Work, actions: Actions) -> Operation:
    """Perform an operation, or bring the node back to where it was; cancelled only when the agent stops."""
    task = work.begin(actions.perform(work))
    try:
        await asyncio.wait({task})
    finally:
        if not task.done():  # the agent is stopping
            task.cancel()
            await asyncio.wait({task})
    if task.cancelled():
        return await actions.roll_back(work, CANCELLED)
    match task.exception():
        case None:
            return work.ended("done", None)
        case RefusedOperation() as refusal:
            return work.ended("failed", str(refusal), refused=True)
        case AgentError() as problem:
            work.log = problem.log if isinstance(problem, BackendFailed) else ()
            return await actions.roll_back(work, str(problem))
        case problem:
            logger.error("operation %s failed", work.operation.id, exc_info=problem)
            return await actions.roll_back(work, f"an error in the agent: {type(problem).__name__}, see its log")


async def to_its_end(action: Coroutine[Any, Any, None]) -> None:  # Any: what the coroutine awaits is its own affair
    """Let `action` finish even when cancelled, and be cancelled after it."""
    task = asyncio.ensure_future(action)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled() and (problem := task.exception()):
            logger.warning("after a cancellation: %s", problem)
        raise


async def too_late_to_cancel(action: Coroutine[Any, Any, None]) -> None:  # Any: as above
    """Let `action` finish; a cancellation meanwhile changes nothing, since what is done cannot be taken back."""
    task = asyncio.ensure_future(action)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    task.result()
