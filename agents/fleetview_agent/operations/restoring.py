"""Brings back what should run: after the start of the agent, and after the end of a server that nobody asked for."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable

from fleetview_agent.errors import StorageFailed
from fleetview_agent.operations.attempt import CANCELLED, NEVER_BEGAN
from fleetview_agent.records.wishes import Wishes
from fleetview_agent.wire import BackendState, LoadRequest, Operation, Request, StartRequest

logger = logging.getLogger(__name__)

AUTHOR = "fleetview-agent"
BEGUN = "it should run, and was not in memory when the agent began"
TRIES = 3
"""Failures in a row after which something is left alone."""
CANCELS = (CANCELLED, NEVER_BEGAN)
"""How an operation ends that an operator did not want."""
PAUSE_SECONDS = 2.0
"""Between two tries."""
PATIENCE_SECONDS = 180.0
"""How long a server that somebody else starts may take to come up after a boot."""
LOOK_SECONDS = 1.0
"""Between two looks whether it has."""


class Restorer:
    """Carries out operations of its own, through the same queue as everybody's, so that all see them."""

    def __init__(
        self,
        wishes: Wishes,
        carry: Callable[[Request, str], Awaitable[Operation]],
        look: Callable[[str], Awaitable[BackendState]],
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._wishes = wishes
        self._carry = carry
        self._look = look
        self._pause_seconds = pause_seconds
        self._lost: dict[str, str] = {}
        """Backend → why its server ended."""
        self._told = asyncio.Event()
        self._begun: tuple[str, ...] = ()
        """Backends of which models may be missing since the agent began."""
        self._in_hand: set[str] = set()
        """Backends that something is being brought back to."""

    @property
    def busy(self) -> bool:
        """Whether something is still to be brought back."""
        return bool(self._lost or self._begun or self._in_hand)

    def begin(self, backends: Iterable[str]) -> None:
        """The agent has begun: on these backends, what should run is to be in memory."""
        self._begun = tuple(name for name in backends if self._wishes.running(name) and name not in self._lost)

    def lost(self, backend: str, reason: str) -> None:
        """The server of a backend has ended unasked."""
        logger.warning("the server of %s is lost: %s", backend, reason)
        self._lost[backend] = reason
        self._told.set()

    def forget(self) -> None:
        """What was lost so far stays lost."""
        self._lost.clear()

    async def run(self) -> None:
        """Bring back what is lost, until cancelled."""
        async with asyncio.TaskGroup() as group:
            begun, self._begun = self._begun, ()
            self._in_hand.update(begun)
            for backend in begun:  # one that waits for its server holds up no other
                group.create_task(self._see_to(backend, self._resume(backend)))
            while True:
                await self._told.wait()
                self._told.clear()
                while self._lost:
                    backend, reason = self._lost.popitem()
                    self._in_hand.add(backend)
                    await self._see_to(backend, self._restore(backend, reason))

    async def _see_to(self, backend: str, action: Awaitable[None]) -> None:
        """Carry out one of the two, as far as the journal can be written."""
        try:
            await action
        except StorageFailed as problem:
            logger.error("%s is not brought back: %s", backend, problem)  # noqa: TRY400 - the sentence says it
        finally:
            self._in_hand.discard(backend)

    async def _resume(self, backend: str) -> None:
        """Load what should run and does not, once the server of the backend answers."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (state := await self._look(backend)).phase != "ready":
            if backend in self._lost:
                return
            if state.phase == "stopped" and state.supervisor == AUTHOR:  # nobody else will start it
                await self._restore(backend, BEGUN)
                return
            if time.monotonic() > deadline:
                logger.warning("nothing is loaded again on %s: it is %s still", backend, state.phase)
                return
            await asyncio.sleep(LOOK_SECONDS)
        await self._load_all(backend, BEGUN)

    async def _restore(self, backend: str, reason: str) -> None:
        """Start the server, then load what should run."""
        for _ in range(TRIES):
            started = await self._carry(StartRequest(author=AUTHOR, backend=backend), reason)
            if started.result == "done":
                await self._load_all(backend, reason)
                return
            if started.refused or started.cause in CANCELS:
                return
            await asyncio.sleep(self._pause_seconds)

    async def _load_all(self, backend: str, reason: str) -> None:
        """Load what should run, the model that was loaded longest ago first."""
        for model in self._wishes.running(backend):
            await self._load(backend, model, reason)

    async def _load(self, backend: str, model: str, reason: str) -> None:
        """Load a model, unless it has failed too often; stop where its server is lost once more."""
        target = f"{backend}/{model}"
        while backend not in self._lost and not await self._is_there(backend, model):
            if (options := self._wishes.options(target)) is None:  # an operator wants it no longer
                return
            number = self._wishes.failures(target) + 1
            if number > TRIES:  # the last try took the agent with it
                self._leave_alone(target, "the agent ended in the midst of the last try")
                return
            loaded = await self._try(LoadRequest(author=AUTHOR, backend=backend, model=model, options=options), reason)
            if loaded.result in {"done", "interrupted"}:
                return
            if number == TRIES or loaded.cause in CANCELS:
                self._leave_alone(target, loaded.cause)
                return
            await asyncio.sleep(self._pause_seconds)

    async def _try(self, request: LoadRequest, reason: str) -> Operation:
        """Load a model; a try that is not over counts as a failure, for it may be what ends the machine."""
        target = f"{request.backend}/{request.model}"
        before = self._wishes.failures(target)
        number = before + 1
        self._wishes.failed(target, number)
        last = ", the last" if number == TRIES else ""
        try:
            loaded = await self._carry(request, f"{reason}; try {number} of {TRIES}{last}")
        except asyncio.CancelledError:  # the agent was told to stop, which says nothing of the model
            self._wishes.failed(target, before)
            raise
        if loaded.result == "interrupted":
            self._wishes.failed(target, before)
        return loaded

    def _leave_alone(self, target: str, cause: str | None) -> None:
        """Load a model no more; who loads it by hand begins anew."""
        logger.warning("%s is not loaded again: %s", target, cause)
        self._wishes.stopped([target])
        self._wishes.failed(target, 0)

    async def _is_there(self, backend: str, model: str) -> bool:
        """Whether the model can answer."""
        return any(row.name == model and row.phase == "ready" for row in (await self._look(backend)).resident)
