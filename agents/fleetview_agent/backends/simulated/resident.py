"""A simulated model in memory, and its answers."""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
import time
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from fleetview_agent.backends.simulated.callers import Asked, Callers
from fleetview_agent.backends.simulated.engine import Answer
from fleetview_agent.backends.simulated.models import SimulatedModel
from fleetview_agent.errors import BackendFailed
from fleetview_agent.wire import (
    ChatChunk,
    Failure,
    Generation,
    LoadOptions,
    ResidentModel,
    Timings,
    Usage,
)

WORD = re.compile(r"\s*\S+")
TURNS = 3
"""Of the event loop, that an answer of the engine takes at least."""
READING_SPEED = 20
"""How many times faster a prompt is read than an answer is written."""


def count_tokens(texts: Iterable[str]) -> int:
    """A word is a token here."""
    return sum(len(WORD.findall(text)) for text in texts)


async def be_told() -> None:
    """Whoever asks an engine for something hears of it later than it happens."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


@dataclass
class Resident:
    """A model in memory, and what it is doing."""

    model: SimulatedModel
    context: int
    options: LoadOptions
    """How it was loaded."""
    phase: Literal["loading", "ready", "unloading", "failed", "orphaned"] = "loading"
    progress: float = 0.0
    failure: Failure | None = None
    pid: int | None = None
    """Of an orphan, which is named by it."""
    keep_seconds: float | None = None
    """How long it stays after its last answer; None: until it is unloaded."""
    used_at: float = field(default_factory=time.monotonic)
    first_token_seconds: float | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: int = 0
    counted_tokens: int = 0
    """Since the traffic was last asked for."""
    callers: Callers | None = None
    """Who asks it besides those that come through the agent."""
    ready_at: float = math.inf
    """By the clock of the callers."""

    asked: int = 0
    """Requests of those callers when they were looked at last."""

    @property
    def idle_seconds(self) -> float | None:
        """Since the last answer ended; None while it is not ready, or answers."""
        is_idle = self.phase == "ready" and not self.asked and not self.turn.locked()
        return time.monotonic() - self.used_at if is_idle else None

    def callers_now(self, now: float) -> tuple[Asked, ...]:
        """What those who ask it past the agent wait for; an idle time begins when the last of them has it."""
        if self.phase != "ready" or self.callers is None:
            return ()
        asked = tuple(one for one in self.callers.at(now) if one.began >= self.ready_at)
        if asked or self.asked:
            self.used_at = time.monotonic()
        self.asked = len(asked)
        return asked

    @property
    def share(self) -> float:
        """How much of it is in memory."""
        return self.progress if self.phase == "loading" else 1.0

    @property
    def expires_in_seconds(self) -> float | None:
        """When it leaves by itself; None: it stays."""
        if self.keep_seconds is None or self.phase != "ready":
            return None
        return max(0.0, self.keep_seconds - (self.idle_seconds or 0.0))

    def state(self) -> ResidentModel:
        """What everybody may know."""
        return ResidentModel(
            name=self.model.name if self.pid is None else f"{self.model.name}#{self.pid}",
            phase=self.phase,
            progress=self.progress if self.phase == "loading" else None,
            memory_bytes=None if self.phase == "failed" else self.model.memory_bytes(self.context),
            context=self.context,
            quantization=self.model.quantization,
            expires_in_seconds=self.expires_in_seconds,
            idle_seconds=self.idle_seconds,
            time_to_first_token_seconds=self.first_token_seconds,
            options=self.options.model_copy(update={"keep": None}),
            pid=self.pid,
            failure=self.failure,
        )

    async def pause(self, seconds: float) -> None:
        """Let time pass; raises BackendFailed when the model goes meanwhile."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.gone.wait()
        if self.gone.is_set():
            raise BackendFailed(f"{self.model.name} has left while it answered", "ask again once it is back")

    async def answer(
        self, said: Answer, prompt_tokens: int, request: Generation, token_seconds: float
    ) -> AsyncGenerator[ChatChunk, None]:
        """Say it word by word; over and over, where the end is to be ignored."""
        began = time.monotonic()
        thoughts = WORD.findall(said.thinking)
        words = thoughts + WORD.findall(_until_stop(said.text, request.stop))
        limit = min(request.token_limit or self.context, self.context - prompt_tokens)
        if request.ignore_eos and words:
            words *= -(-limit // len(words))
        await self.pause(prompt_tokens * token_seconds / READING_SPEED)
        read_at = time.monotonic()
        for index, word in enumerate(words[:limit]):
            await self.pause(token_seconds)
            if index == 0:
                self.first_token_seconds = time.monotonic() - began
            self.counted_tokens += 1
            yield ChatChunk(thinking=word) if index < len(thoughts) else ChatChunk(text=word)
        written = min(limit, len(words))
        yield ChatChunk(
            finish_reason="length" if limit < len(words) else "stop",
            usage=Usage(prompt_tokens=prompt_tokens, completion_tokens=written),
            timings=_timings(prompt_tokens, read_at - began, written, time.monotonic() - read_at),
        )


def _until_stop(text: str, stops: Sequence[str]) -> str:
    """The text before the first of the words that end an answer."""
    return text[: min((at for stop in stops if stop and (at := text.find(stop)) >= 0), default=len(text))]


def _timings(prompt_tokens: int, prompt_seconds: float, written: int, written_seconds: float) -> Timings:
    """Counts and times of one answer."""
    return Timings(
        prompt_n=prompt_tokens,
        prompt_ms=prompt_seconds * 1000,
        prompt_per_second=prompt_tokens / prompt_seconds if prompt_seconds else None,
        predicted_n=written,
        predicted_ms=written_seconds * 1000,
        predicted_per_second=written / written_seconds if written and written_seconds else None,
    )
