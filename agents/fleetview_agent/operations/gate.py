"""Counts the answers in progress of each model, and closes the door of one that is about to leave."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from fleetview_agent.errors import Draining


class Gate:
    """What stands between clients and models. Targets are `BACKEND/MODEL`."""

    def __init__(self) -> None:
        self._answering: Counter[str] = Counter()
        self._closed: Counter[str] = Counter()
        self._ended = asyncio.Event()

    @contextmanager
    def answering(self, target: str) -> Iterator[None]:
        """Held while a request is answered. Raises Draining where the door is closed."""
        if self._closed[target]:
            raise Draining(f"{target} is about to leave and takes no new requests", "try again in a few seconds")
        self._answering[target] += 1
        try:
            yield
        finally:
            self._answering[target] -= 1
            if not self._answering[target]:
                del self._answering[target]  # clients may name what is not there, as often as they like
            self._ended.set()

    @contextmanager
    def closed(self, targets: Collection[str]) -> Iterator[None]:
        """Held while models leave: new requests to them are turned away."""
        self._closed.update(targets)
        try:
            yield
        finally:
            self._closed.subtract(targets)

    def in_progress(self, targets: Collection[str]) -> int:
        """How many answers of these models have not ended."""
        return sum(self._answering[target] for target in targets)

    async def idle(self, targets: Collection[str]) -> None:
        """Return when none of these models is answering."""
        while self.in_progress(targets):
            self._ended.clear()
            await self._ended.wait()
