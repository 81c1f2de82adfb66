"""`/v1/completions`: a text is gone on with, without any chat template."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fleetview_agent.agent import Agent
from fleetview_agent.serving.chats import answer
from fleetview_agent.serving.openai.forms import Json, events, figures, head
from fleetview_agent.wire import ChatChunk, CompletionRequest

PREFIX, KIND = "cmpl", "text_completion"


def streamed(agent: Agent, request: CompletionRequest) -> AsyncGenerator[bytes, None]:
    """The answer as server-sent events."""
    top = head(PREFIX, KIND, request.model)
    return events(answer(agent, request), None, lambda chunk: {**top, **_said(chunk, chunk.text)})


async def whole(agent: Agent, request: CompletionRequest) -> AsyncGenerator[bytes, None]:
    """The answer in one piece."""
    texts: list[str] = []
    last = ChatChunk()
    async with aclosing(answer(agent, request)) as chunks:
        async for last in chunks:
            texts.append(last.text)
    yield json.dumps({**head(PREFIX, KIND, request.model), **_said(last, "".join(texts))}).encode()


def _said(chunk: ChatChunk, text: str) -> Json:
    """A text, and what goes with the end of an answer."""
    choice = {"index": 0, "text": text, "finish_reason": chunk.finish_reason, "logprobs": None}
    return {"choices": [choice], **figures(chunk.usage, chunk.timings)}
