"""One operation in hand: its phases, and what it has done to the node so far."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from fleetview_agent.backends import Backend
from fleetview_agent.wire import LoadOptions, Operation, Phase, PhaseTime, Request, Result, Transfer

PROGRESS_STEP = 0.01
"""Smallest advance of a load that is worth an event."""
TRANSFER_SECONDS = 0.25
"""Between two events about the same transfer."""


@dataclass(frozen=True)
class Placement:
    """A model that left or came, and how to bring it back."""

    backend: Backend
    model: str
    options: LoadOptions
    pinned: bool | None = None
    """Whether it is pinned, or will be; None: as it was."""

    @property
    def target(self) -> str:
        """BACKEND/MODEL."""
        return f"{self.backend.name}/{self.model}"


@dataclass(eq=False)
class Work:
    """An operation as it goes on; every change is told to `publish`."""

    operation: Operation
    publish: Callable[[Operation], None]
    evicted: list[Placement] = field(default_factory=list)
    loaded: list[Placement] = field(default_factory=list)
    """What was loaded, each from the moment when the engine was asked to."""
    undo_server: Callable[[], Awaitable[None]] | None = None
    """Brings the engine's server back to where it was; None while it is there."""
    undo_keep: Callable[[], Awaitable[None]] | None = None
    """Lets a model stay as long as it did before; None while that is so."""
    inverse: Request | None = None
    """What undoes the operation once it is done; None where nothing does."""
    log: tuple[str, ...] = ()
    """The engine's last lines, of a load that failed."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """The operation has ended, and the journal knows."""
    _performing: asyncio.Task[None] | None = None
    _cancelled: bool = False
    _phase_began: float = 0.0
    _transfer_told_at: float = 0.0

    @property
    def begun(self) -> bool:
        """Whether its turn has come."""
        return self._performing is not None

    @property
    def performed(self) -> bool:
        """Whether its phases have ended well."""
        task = self._performing
        return task is not None and task.done() and not task.cancelled() and task.exception() is None

    def begin(self, phases: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Let the phases run, so that they can be cancelled."""
        self._performing = asyncio.create_task(phases)
        if self._cancelled:
            self._performing.cancel()
        return self._performing

    def cancel(self) -> None:
        """End the phases early; what has ended, or is going back already, does not notice."""
        self._cancelled = True
        if self._performing is not None:
            self._performing.cancel()

    def enter(self, phase: Phase, **changes: object) -> None:
        """Begin the next phase."""
        phases = (*self._timed_phases(), PhaseTime(phase=phase, began_at=time.time()))
        self._change(phase=phase, phases=phases, progress=None, **changes)
        self._phase_began = time.monotonic()

    def expect(self, seconds: float | None) -> None:
        """How long the plan says that loading takes; told with the next phase."""
        self.operation = self.operation.model_copy(update={"expected_seconds": seconds})

    def advance(self, share: float) -> None:
        """The phase has come this far, from 0 to 1."""
        if share >= (self.operation.progress or 0.0) + PROGRESS_STEP:
            self._change(progress=min(share, 1.0))

    def transferred(self, transfer: Transfer) -> None:
        """Bytes have come this far; told a few times a second at most."""
        share = min(1.0, transfer.done_bytes / transfer.total_bytes) if transfer.total_bytes else None
        self.operation = self.operation.model_copy(update={"transfer": transfer, "progress": share})
        if time.monotonic() - self._transfer_told_at >= TRANSFER_SECONDS:
            self._transfer_told_at = time.monotonic()
            self.publish(self.operation)

    def ended(self, result: Result, cause: str | None, *, refused: bool = False) -> Operation:
        """The operation as it goes to the journal; nothing is published yet."""
        transfer = self.operation.transfer
        self.operation = self.operation.model_copy(
            update={
                "phases": self._timed_phases(),
                "progress": None,
                "transfer": transfer and Transfer(done_bytes=transfer.done_bytes, total_bytes=transfer.total_bytes),
                "ended_at": time.time(),
                "result": result,
                "cause": cause,
                "refused": refused,
                "log": self.log,
                "inverse": self.inverse if result == "done" else None,
            }
        )
        return self.operation

    def seconds_in(self, *phases: Phase) -> float:
        """How long the operation has been in these phases so far."""
        return sum(row.seconds or 0.0 for row in self._timed_phases() if row.phase in phases)

    def _change(self, **changes: object) -> None:
        self.operation = self.operation.model_copy(update=changes)
        self.publish(self.operation)

    def _timed_phases(self) -> tuple[PhaseTime, ...]:
        """The phases so far, all of them over."""
        *before, last = self.operation.phases or (None,)
        if last is None or last.seconds is not None:
            return self.operation.phases
        seconds = time.monotonic() - self._phase_began
        return (*filter(None, before), last.model_copy(update={"seconds": seconds}))
