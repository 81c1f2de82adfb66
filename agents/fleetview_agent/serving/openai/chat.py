"""`/v1/chat/completions`."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fleetview_agent.agent import Agent
from fleetview_agent.serving.chats import answer
from fleetview_agent.serving.openai.forms import Json, events, figures, head
from fleetview_agent.wire import ChatChunk, ChatRequest, ToolCall

PREFIX = "chatcmpl"


def streamed(agent: Agent, request: ChatRequest) -> AsyncGenerator[bytes, None]:
    """The answer as server-sent events."""
    top = head(PREFIX, "chat.completion.chunk", request.model)
    calls = 0

    def written(chunk: ChatChunk) -> Json:
        nonlocal calls
        before, calls = calls, calls + len(chunk.tool_calls)
        choice = {"index": 0, "delta": _delta(chunk, before), "finish_reason": _finish(chunk, calls)}
        return {**top, "choices": [choice], **figures(chunk.usage, chunk.timings)}

    speaker = {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}
    return events(answer(agent, request), {**top, "choices": [speaker]}, written)


async def whole(agent: Agent, request: ChatRequest) -> AsyncGenerator[bytes, None]:
    """The answer in one piece."""
    texts: list[str] = []
    thoughts: list[str] = []
    calls: list[ToolCall] = []
    last = ChatChunk()
    async with aclosing(answer(agent, request)) as chunks:
        async for last in chunks:
            texts.append(last.text)
            thoughts.append(last.thinking)
            calls += last.tool_calls
    message: Json = {"role": "assistant", "content": "".join(texts)}
    if any(thoughts):
        message["reasoning_content"] = "".join(thoughts)
    if calls:
        message["tool_calls"] = [call.model_dump() for call in calls]
        message["content"] = message["content"] or None
    choice = {"index": 0, "message": message, "finish_reason": _finish(last, len(calls)), "logprobs": None}
    top = head(PREFIX, "chat.completion", request.model)
    yield json.dumps({**top, "choices": [choice], **figures(last.usage, last.timings)}).encode()


def _delta(chunk: ChatChunk, calls: int) -> Json:
    """What a chunk adds to an answer in which tools were called this often before."""
    delta: Json = {}
    if chunk.text:
        delta["content"] = chunk.text
    if chunk.thinking:
        delta["reasoning_content"] = chunk.thinking
    if chunk.tool_calls:
        delta["tool_calls"] = [{"index": calls + at, **call.model_dump()} for at, call in enumerate(chunk.tool_calls)]
    return delta


def _finish(chunk: ChatChunk, calls: int) -> str | None:
    """Why the answer ends; OpenAI's clients look for calls only where it says so, which not every engine does."""
    return "tool_calls" if chunk.finish_reason == "stop" and calls else chunk.finish_reason
