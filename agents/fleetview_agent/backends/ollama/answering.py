"""Answers that we pass on from the engine, so that an unload can end them."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from fleetview_agent.errors import AgentError
from fleetview_agent.wire import ChatChunk


@dataclass(frozen=True)
class Last:
    """What is remembered of an answer."""

    ended_at: float
    """By the monotonic clock."""
    time_to_first_token_seconds: float | None
    """None where not even a first token came."""


class _Answer:
    """One answer in progress."""

    def __init__(self, chunks: AsyncGenerator[ChatChunk, None]) -> None:
        self._chunks = chunks
        self._closing = asyncio.Lock()
        self._problem: AgentError | None = None
        self._waiting: asyncio.Timeout | None = None

    async def end(self, problem: AgentError) -> None:
        """Let whoever reads have `problem` instead of the next chunk, and the engine go, however slow the reader is."""
        self._problem = problem
        if self._waiting is None:
            await self.close()
        elif not self._waiting.expired():
            self._waiting.reschedule(0.0)

    async def close(self) -> None:
        """Let the engine go."""
        async with self._closing:
            await self._chunks.aclose()

    async def next(self) -> ChatChunk:
        """The next chunk. Raises StopAsyncIteration, and what ends the answer."""
        if self._problem is not None:
            raise self._problem
        try:
            # One for each chunk: whoever iterates may do so from another task each time.
            async with asyncio.timeout(None) as self._waiting:
                return await anext(self._chunks)
        except TimeoutError:
            if self._problem is None:
                raise
            raise self._problem from None
        finally:
            self._waiting = None


class Answering:
    """All answers in progress, by model."""

    def __init__(self) -> None:
        self._answers: defaultdict[str, set[_Answer]] = defaultdict(set)
        self._last: dict[str, Last] = {}

    async def relay(self, model: str, chunks: AsyncGenerator[ChatChunk, None]) -> AsyncGenerator[ChatChunk, None]:
        """Pass chunks on until there are no more, or `end` is called. Closes `chunks`."""
        answer, began_at, first = _Answer(chunks), time.monotonic(), None
        self._answers[model].add(answer)
        try:
            while True:
                try:
                    chunk = await answer.next()
                except StopAsyncIteration:
                    return
                first = time.monotonic() - began_at if first is None else first
                yield chunk
        finally:
            self._answers[model].discard(answer)
            self._last[model] = Last(time.monotonic(), first)
            await answer.close()

    def in_progress(self, model: str) -> bool:
        """Whether the model is answering through us."""
        return bool(self._answers[model])

    def last(self, model: str) -> Last | None:
        """The last answer of a model; None where there was none since it was loaded."""
        return self._last.get(model)

    def forget(self, model: str) -> None:
        """The model is loaded anew, and has not answered yet."""
        self._last.pop(model, None)

    async def end(self, model: str, problem: AgentError) -> None:
        """End every answer of a model."""
        for answer in tuple(self._answers[model]):
            await answer.end(problem)
