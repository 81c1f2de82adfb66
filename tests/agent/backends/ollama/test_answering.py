"""Answers that an unload can end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from fleetview_agent.backends.ollama.answering import Answering
from fleetview_agent.errors import BackendFailed
from fleetview_agent.wire import ChatChunk

GONE = BackendFailed("m was unloaded during the answer")


class Engine:
    """Answers with a few chunks, then is silent for ever."""

    def __init__(self, *texts: str, silent: bool = False) -> None:
        self._texts = texts
        self._silent = silent
        self.closed = False

    async def chunks(self) -> AsyncGenerator[ChatChunk, None]:
        try:
            for text in self._texts:
                yield ChatChunk(text=text)
            if self._silent:
                await asyncio.Event().wait()
        finally:
            self.closed = True


async def test_chunks_are_passed_on_and_the_engine_is_let_go() -> None:
    engine = Engine("a", "b")
    assert [chunk.text async for chunk in Answering().relay("m", engine.chunks())] == ["a", "b"]
    assert engine.closed


async def test_an_answer_that_waits_ends_when_its_model_leaves() -> None:
    answering, engine = Answering(), Engine("a", silent=True)
    async with aclosing(answering.relay("m", engine.chunks())) as chunks:
        await anext(chunks)
        waiting = asyncio.ensure_future(anext(chunks))
        await asyncio.sleep(0)  # it waits now
        await answering.end("m", GONE)
        with pytest.raises(BackendFailed, match="was unloaded"):
            await waiting
    assert engine.closed


async def test_an_answer_whose_reader_is_elsewhere_ends_at_its_next_chunk() -> None:
    answering, engine = Answering(), Engine("a", "b")
    async with aclosing(answering.relay("m", engine.chunks())) as chunks:
        await anext(chunks)
        await answering.end("m", GONE)
        assert engine.closed, "a slow reader does not hold the model"
        with pytest.raises(BackendFailed):
            await anext(chunks)


async def test_only_the_answers_of_that_model_end() -> None:
    answering, engine = Answering(), Engine("a", "b")
    async with aclosing(answering.relay("other", engine.chunks())) as chunks:
        await answering.end("m", GONE)
        assert [chunk.text async for chunk in chunks] == ["a", "b"]


async def test_a_reader_that_is_cancelled_is_cancelled_and_not_told_a_reason() -> None:
    engine = Engine(silent=True)
    chunks = Answering().relay("m", engine.chunks())
    waiting = asyncio.ensure_future(anext(chunks))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await chunks.aclose()
    assert engine.closed
