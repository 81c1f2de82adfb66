"""What the tests of this backend have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import psutil

from fleetview_agent.backends.llamacpp import LlamaCppBackend
from fleetview_agent.config import LlamaCppConfig
from fleetview_agent.wire import ChatChunk, ChatRequest, LoadOptions, ResidentModel, Traffic
from tests.gguf_files import Tiny, write_tiny

LONG = Tiny(name="long", context_length=100_000)
"""Answers for so long that a test can do something meanwhile."""


def is_gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Return when it is so; fail when it does not become so."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.001)


def text_of(chunks: list[ChatChunk]) -> str:
    """A whole answer."""
    return "".join(chunk.text for chunk in chunks)


class Bench:
    """A backend, and what it takes to play with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.changes = 0
        self.backend = LlamaCppBackend(LlamaCppConfig(folders=(folder,), threads=1), self._changed)

    def _changed(self) -> None:
        self.changes += 1

    async def load(self, name: str, tiny: Tiny | None = None, *, context: int | None = None) -> None:
        """Write a tiny model of that name and load it."""
        write_tiny(self.folder / f"{name}.gguf", tiny or Tiny(name=name))
        await self.backend.load(name, LoadOptions(context=context), lambda _: None)

    async def load_long(self, name: str) -> None:
        """The same for a model that answers for long."""
        await self.load(name, LONG, context=LONG.context_length)

    async def row(self, name: str) -> ResidentModel | None:
        """What the backend says of a model in memory."""
        return next((row for row in (await self.backend.status()).resident if row.name == name), None)

    @property
    def traffic(self) -> Traffic:
        """Of the first model."""
        return self.backend.traffic()[0]

    def request(self, text: str = "hello", **options: Any) -> ChatRequest:
        """A request at temperature 0."""
        messages = [{"role": "user", "content": text}]
        return ChatRequest(**{"model": "any", "messages": messages, "temperature": 0} | options)

    async def answer(self, model: str, text: str = "hello", **options: Any) -> list[ChatChunk]:
        """All chunks of an answer."""
        async with aclosing(self.backend.chat(model, self.request(text, **options))) as chunks:
            return [chunk async for chunk in chunks]
