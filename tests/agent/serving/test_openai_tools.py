"""Tools, thinking and queues through our OpenAI surface, with the official client."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from fleetview_agent.agent import Agent
from fleetview_agent.errors import AgentError
from fleetview_agent.serving.api import build_app
from fleetview_agent.wire import ChatChunk, ChatRequest, FunctionCall, Served, Timings, ToolCall, Usage
from tests.agents import a_load, a_running_agent, outcome

MODEL = "simulated/sim-small"
MESSAGE: openai.types.chat.ChatCompletionUserMessageParam = {"role": "user", "content": "the weather?"}
TOOL: Any = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
CALLS = tuple(
    ToolCall(id=f"call_{town}", function=FunctionCall(name="weather", arguments=f'{{"town": "{town}"}}'))
    for town in ("Turin", "Rome")
)
TIMINGS = Timings(cache_n=5, prompt_n=7, prompt_ms=70, prompt_per_second=100, predicted_n=4, predicted_ms=40)


class Full(AgentError):
    """An engine whose queue is full."""

    status = 503
    code = "busy"
    retry_after_seconds = 3


@asynccontextmanager
async def a_client(
    folder: Path, *chunks: ChatChunk | AgentError
) -> AsyncIterator[tuple[openai.AsyncOpenAI, Agent, list[ChatRequest]]]:
    """The official client of an agent whose engine answers with these chunks, and what the engine was asked."""
    asked: list[ChatRequest] = []

    async def chat(_: str, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        asked.append(request)
        for chunk in chunks:
            if isinstance(chunk, AgentError):
                raise chunk
            yield chunk

    async with a_running_agent(folder) as agent:
        await outcome(agent, a_load("sim-small"))
        agent.backends["simulated"].chat = chat  # type: ignore[method-assign]  # scripted
        http = httpx.AsyncClient(transport=httpx.ASGITransport(build_app(agent)))
        async with openai.AsyncOpenAI(
            api_key="none", base_url="http://agent/v1", http_client=http, max_retries=0
        ) as client:
            yield client, agent, asked


def an_answer() -> tuple[ChatChunk, ...]:
    usage = Usage(prompt_tokens=12, completion_tokens=4, cached_tokens=5)
    return (
        ChatChunk(thinking="which towns?"),
        ChatChunk(tool_calls=CALLS[:1]),
        ChatChunk(tool_calls=CALLS[1:]),
        ChatChunk(finish_reason="stop", usage=usage, timings=TIMINGS),
    )


async def test_calls_of_tools_are_passed_on_whole(tmp_path: Path) -> None:
    async with a_client(tmp_path, *an_answer()) as (client, _, asked):
        done = await client.chat.completions.create(
            model=MODEL, messages=[MESSAGE], tools=[TOOL], reasoning_effort="low"
        )
        (choice,) = done.choices
        assert choice.finish_reason == "tool_calls"
        assert choice.message.content is None
        assert choice.message.tool_calls is not None
        assert [call.model_dump() for call in choice.message.tool_calls] == [call.model_dump() for call in CALLS]
        assert (asked[0].tools, asked[0].reasoning_effort) == ((TOOL,), "low")


async def test_calls_of_tools_are_numbered_in_a_stream(tmp_path: Path) -> None:
    async with a_client(tmp_path, *an_answer()) as (client, _, _asked):
        stream = await client.chat.completions.create(model=MODEL, messages=[MESSAGE], tools=[TOOL], stream=True)
        choices = [chunk.choices[0] async for chunk in stream]
        calls = [call for choice in choices for call in choice.delta.tool_calls or ()]
        assert [(call.index, call.id) for call in calls] == [(0, "call_Turin"), (1, "call_Rome")]
        assert choices[-1].finish_reason == "tool_calls"


async def test_the_answer_of_a_tool_goes_back_to_the_model(tmp_path: Path) -> None:
    async with a_client(tmp_path, ChatChunk(text="sun", finish_reason="stop")) as (client, _, asked):
        call: Any = CALLS[0].model_dump()
        await client.chat.completions.create(
            model=MODEL,
            messages=[
                MESSAGE,
                {"role": "assistant", "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "call_Turin", "content": "21 degrees"},
            ],
        )
        _, assistant, tool = asked[0].messages
        assert assistant.tool_calls == CALLS[:1]
        assert (tool.tool_call_id, tool.content) == ("call_Turin", "21 degrees")


async def test_everyone_hears_how_much_of_the_prompt_was_read_and_how_fast(tmp_path: Path) -> None:
    async with a_client(tmp_path, *an_answer()) as (client, agent, _):
        told: list[Any] = []
        agent.hub.publish = told.append  # type: ignore[method-assign]  # one listener is enough
        await client.chat.completions.create(model=MODEL, messages=[MESSAGE], user="ada@desk")
        (served,) = (one for one in told if isinstance(one, Served))
        assert (served.prompt_tokens, served.cached_tokens, served.prompt_tokens_per_second) == (12, 5, 100)


async def test_an_engine_whose_queue_is_full_says_when_to_come_again(tmp_path: Path) -> None:
    async with a_client(tmp_path, Full("ollama answers too many already", "wait")) as (client, _, _asked):
        with pytest.raises(openai.APIStatusError, match="too many") as full:
            await client.chat.completions.create(model=MODEL, messages=[MESSAGE])
        assert (full.value.status_code, full.value.response.headers["retry-after"]) == (503, "3")


async def test_a_failure_after_the_first_piece_is_one_more_event(tmp_path: Path) -> None:
    async with a_client(tmp_path, ChatChunk(text="sun"), Full("the engine has gone")) as (client, _, _asked):
        stream = await client.chat.completions.create(model=MODEL, messages=[MESSAGE], stream=True)
        heard = [(await anext(stream)).choices[0].delta.content for _ in range(2)]
        assert heard == ["", "sun"]
        with pytest.raises(openai.APIError, match="the engine has gone"):
            await anext(stream)
