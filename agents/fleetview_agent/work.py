"""One operation in hand: its phases, and what it has done to the node so far."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from fleetview_agent.backends import Backend
from fleetview_agent.wire import (
    LoadOptions,
    LoadRequest,
    Operation,
    Phase,
    PhaseTime,
    Request,
    Result,
    SwapRequest,
    UnloadRequest,
)

PROGRESS_STEP = 0.01
"""Smallest advance of a load that is worth an event."""


@dataclass(frozen=True)
class Evicted:
    """A model that left, and how to bring it back."""

    backend: Backend
    model: str
    options: LoadOptions


@dataclass
class Work:
    """An operation as it goes on; every change is told to `publish`."""

    operation: Operation
    publish: Callable[[Operation], None]
    evicted: list[Evicted] = field(default_factory=list)
    loading: Evicted | None = None
    """What is being loaded, from the moment when the engine was asked to."""
    log: tuple[str, ...] = ()
    """The engine's last lines, of a load that failed."""
    _phase_began: float = 0.0

    def enter(self, phase: Phase, **changes: object) -> None:
        """Begin the next phase."""
        phases = (*self._timed_phases(), PhaseTime(phase=phase))
        self._change(phase=phase, phases=phases, progress=None, **changes)
        self._phase_began = time.monotonic()

    def advance(self, share: float) -> None:
        """The phase has come this far, from 0 to 1."""
        if share >= (self.operation.progress or 0.0) + PROGRESS_STEP:
            self._change(progress=min(share, 1.0))

    def ended(self, result: Result, cause: str | None, *, refused: bool = False) -> Operation:
        """The operation as it goes to the journal; nothing is published yet."""
        self.operation = self.operation.model_copy(
            update={
                "phases": self._timed_phases(),
                "progress": None,
                "ended_at": time.time(),
                "result": result,
                "cause": cause,
                "refused": refused,
                "log": self.log,
                "inverse": self._inverse() if result == "done" else None,
            }
        )
        return self.operation

    def seconds_in(self, phase: Phase) -> float:
        """How long the operation was in a phase that is over."""
        return sum(row.seconds or 0.0 for row in self.operation.phases if row.phase == phase)

    def _change(self, **changes: object) -> None:
        self.operation = self.operation.model_copy(update=changes)
        self.publish(self.operation)

    def _timed_phases(self) -> tuple[PhaseTime, ...]:
        """The phases so far, all of them over."""
        *before, last = self.operation.phases or (None,)
        if last is None or last.seconds is not None:
            return self.operation.phases
        return (*filter(None, before), PhaseTime(phase=last.phase, seconds=time.monotonic() - self._phase_began))

    def _inverse(self) -> Request | None:
        """What undoes the operation; None where no single request does."""
        request = self.operation.request
        if isinstance(request, UnloadRequest):
            options = self.evicted[0].options if self.evicted else LoadOptions()
            return LoadRequest(author=request.author, backend=request.backend, model=request.model, options=options)
        if self.loading is None:  # it was there already
            return None
        if isinstance(request, LoadRequest) or not self.evicted:
            return UnloadRequest(author=request.author, backend=request.backend, model=request.model)
        if len(self.evicted) > 1:
            return None
        former = self.evicted[0]
        return SwapRequest(
            author=request.author,
            backend=former.backend.name,
            model=former.model,
            options=former.options,
            evict=(f"{request.backend}/{request.model}",),
        )
