"""Brings back a server that ended unasked, and the models that should run on it."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable

from fleetview_agent.attempt import CANCELLED, NEVER_BEGAN
from fleetview_agent.errors import StorageFailed
from fleetview_agent.wire import LoadRequest, Operation, Request, StartRequest
from fleetview_agent.wishes import Wishes

logger = logging.getLogger(__name__)

AUTHOR = "fleetview-agent"
TRIES = 3
"""Failures in a row after which something is left alone."""
CANCELS = (CANCELLED, NEVER_BEGAN)
"""How an operation ends that an operator did not want."""
PAUSE_SECONDS = 2.0
"""Between two tries."""


class Restorer:
    """Carries out operations of its own, through the same queue as everybody's, so that all see them."""

    def __init__(
        self,
        wishes: Wishes,
        carry: Callable[[Request, str], Awaitable[Operation]],
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._wishes = wishes
        self._carry = carry
        self._pause_seconds = pause_seconds
        self._lost: dict[str, str] = {}
        """Backend → why its server ended."""
        self._told = asyncio.Event()
        self._failures: Counter[str] = Counter()
        """Of each model in a row, over all restarts: one that kills its server must come to an end too."""

    def lost(self, backend: str, reason: str) -> None:
        """The server of a backend has ended unasked."""
        logger.warning("the server of %s is lost: %s", backend, reason)
        self._lost[backend] = reason
        self._told.set()

    def forget(self) -> None:
        """Leave alone what was lost so far."""
        self._lost.clear()

    async def run(self) -> None:
        """Bring back what is lost, until cancelled."""
        while True:
            await self._told.wait()
            self._told.clear()
            while self._lost:
                backend, reason = self._lost.popitem()
                try:
                    await self._restore(backend, reason)
                except StorageFailed as problem:
                    logger.error("%s is not brought back: %s", backend, problem)  # noqa: TRY400 - the sentence says it

    async def _restore(self, backend: str, reason: str) -> None:
        """Start the server, then load what should run."""
        for _ in range(TRIES):
            started = await self._carry(StartRequest(author=AUTHOR, backend=backend), reason)
            if started.result == "done":
                break
            if started.refused or started.cause in CANCELS:
                return
            await asyncio.sleep(self._pause_seconds)
        else:
            return
        for model in self._wishes.running(backend):
            await self._load(backend, model, reason)

    async def _load(self, backend: str, model: str, reason: str) -> None:
        """Load a model, unless it has failed too often; stop where its server is lost once more."""
        target = f"{backend}/{model}"
        while backend not in self._lost:
            if (options := self._wishes.options(target)) is None:  # an operator wants it no longer
                return
            number = self._failures[target] + 1
            last = ", the last" if number == TRIES else ""
            request = LoadRequest(author=AUTHOR, backend=backend, model=model, options=options)
            loaded = await self._carry(request, f"{reason}; try {number} of {TRIES}{last}")
            if loaded.result == "done":
                del self._failures[target]
                return
            self._failures[target] += 1
            if number == TRIES or loaded.cause in CANCELS:
                logger.warning("%s is not loaded again: %s", target, loaded.cause)
                self._wishes.stopped([target])
                del self._failures[target]  # who loads it by hand begins anew
                return
            await asyncio.sleep(self._pause_seconds)
