"""`/v1`: the models of all backends, by OpenAI's names."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fleetview_agent.agent import Agent
from fleetview_agent.bodies import read_body
from fleetview_agent.chats import answer
from fleetview_agent.errors import AgentError
from fleetview_agent.stream import Stream, error_body
from fleetview_agent.wire import ChatChunk, ChatRequest, Timings, ToolCall, Usage

Json = dict[str, Any]  # Any: JSON as it goes out
_CHAT: TypeAdapter[ChatRequest] = TypeAdapter(ChatRequest)


def openai_routes(agent: Agent) -> list[Route]:
    """The routes below `/v1`."""

    async def models(_: Request) -> Response:
        return JSONResponse({"object": "list", "data": _models(agent)})

    async def chat(request: Request) -> Response:
        wanted = await read_body(request, _CHAT)
        if wanted.stream:
            return Stream(_streamed(agent, wanted), "text/event-stream")
        return Stream(_whole(agent, wanted), "application/json")

    return [Route("/v1/models", models), Route("/v1/chat/completions", chat, methods=["POST"])]


def _models(agent: Agent) -> list[Json]:
    """Every usable model, resident ones first."""
    ready = {(state.backend, row.name) for state in agent.states for row in state.resident if row.phase == "ready"}
    rows: list[Json] = [
        {
            "id": f"{state.backend}/{model.name}",
            "object": "model",
            "created": 0,
            "owned_by": state.backend,
            "resident": (state.backend, model.name) in ready,
        }
        for state in agent.states
        for model in state.models
        if model.refusal is None
    ]
    return sorted(rows, key=lambda row: (not row["resident"], row["id"]))


async def _streamed(agent: Agent, request: ChatRequest) -> AsyncGenerator[bytes, None]:
    """Server-sent events; what fails after the first of them comes as one more."""
    head = _head("chat.completion.chunk", request.model)
    async with aclosing(answer(agent, request)) as chunks:
        began, calls = False, 0
        try:
            async for chunk in chunks:
                if not began:
                    yield _event({**head, "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
                    began = True
                yield _event(_chunk(head, chunk, calls))
                calls += len(chunk.tool_calls)
        except AgentError as problem:
            if not began:
                raise
            yield _event(error_body(problem))
            return
    yield b"data: [DONE]\n\n"


async def _whole(agent: Agent, request: ChatRequest) -> AsyncGenerator[bytes, None]:
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
    choice = {"index": 0, "message": message, "finish_reason": _finish(last, len(calls))}
    body = {**_head("chat.completion", request.model), "choices": [choice], **_figures(last.usage, last.timings)}
    yield json.dumps(body).encode()


def _head(kind: str, model: str) -> Json:
    """What every chunk of one answer begins with."""
    return {"id": f"chatcmpl-{secrets.token_hex(12)}", "object": kind, "created": int(time.time()), "model": model}


def _chunk(head: Json, chunk: ChatChunk, calls: int) -> Json:
    """One piece of an answer in which tools were called this often before."""
    delta: Json = {}
    if chunk.text:
        delta["content"] = chunk.text
    if chunk.thinking:
        delta["reasoning_content"] = chunk.thinking
    if chunk.tool_calls:
        delta["tool_calls"] = [{"index": calls + at, **call.model_dump()} for at, call in enumerate(chunk.tool_calls)]
    finish = _finish(chunk, calls + len(chunk.tool_calls))
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {**head, "choices": [choice], **_figures(chunk.usage, chunk.timings)}


def _finish(chunk: ChatChunk, calls: int) -> str | None:
    """Why the answer ends; OpenAI's clients look for calls only where it says so, which not every engine does."""
    return "tool_calls" if chunk.finish_reason == "stop" and calls else chunk.finish_reason


def _figures(usage: Usage | None, timings: Timings | None) -> Json:
    """Token counts by OpenAI's names and timings by llama-server's, where they are known."""
    figures: Json = {}
    if usage:
        figures["usage"] = {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        }
        if usage.cached_tokens is not None:
            figures["usage"]["prompt_tokens_details"] = {"cached_tokens": usage.cached_tokens}
    if timings:
        figures["timings"] = timings.model_dump(exclude_none=True)
    return figures


def _event(value: Json) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"
