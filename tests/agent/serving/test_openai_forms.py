"""What OpenAI's clients may ask, and how they are told that it cannot be had."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from fleetview_agent.agent import Agent
from fleetview_agent.backends import Embedding
from fleetview_agent.serving.api import build_app
from fleetview_agent.wire import ChatRequest, EmbeddingRequest, Embeddings, Served
from tests.agents import a_load, a_running_agent, outcome

MODEL = "simulated/sim-small"
MESSAGE: openai.types.chat.ChatCompletionUserMessageParam = {"role": "user", "content": "one two three"}


@asynccontextmanager
async def a_client(folder: Path) -> AsyncIterator[tuple[openai.AsyncOpenAI, Agent]]:
    async with a_running_agent(folder) as agent:
        await outcome(agent, a_load("sim-small"))
        http = httpx.AsyncClient(transport=httpx.ASGITransport(build_app(agent)))
        async with openai.AsyncOpenAI(
            api_key="none", base_url="http://agent/v1", http_client=http, max_retries=0
        ) as client:
            yield client, agent


async def test_one_model_is_shown_by_its_name(tmp_path: Path) -> None:
    async with a_client(tmp_path) as (client, _):
        assert (await client.models.retrieve(MODEL)).owned_by == "simulated"
        with pytest.raises(openai.NotFoundError, match="there is no model nobody"):
            await client.models.retrieve("nobody")


async def test_a_text_goes_on_whole_and_in_pieces(tmp_path: Path) -> None:
    async with a_client(tmp_path) as (client, _):
        whole = await client.completions.create(model=MODEL, prompt="one two three", max_tokens=2)
        assert (whole.choices[0].text, whole.choices[0].finish_reason) == ("one two", "length")
        assert whole.usage is not None
        assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (3, 2)
        assert whole.model_extra is not None
        assert whole.model_extra["timings"]["predicted_n"] == 2
        stream = await client.completions.create(
            model=MODEL, prompt=["one two"], stream=True, max_tokens=5, extra_body={"ignore_eos": True}
        )
        chunks = [chunk async for chunk in stream]
        assert "".join(chunk.choices[0].text for chunk in chunks).split() == ["one", "twoone", "twoone"]
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.completion_tokens == 5


@pytest.mark.parametrize(
    ("changes", "param", "words"),
    [
        ({"n": 2}, "n", "one answer at a time"),
        ({"temperature": -1}, "temperature", "greater than or equal to 0"),
        ({"messages": []}, "messages", "at least 1 item"),
        ({"response_format": {"type": "xml"}}, "response_format.type", "'text'"),
        ({"reasoning_effort": "huge"}, "reasoning_effort", "'none'"),
    ],
)
async def test_a_mistake_is_told_in_openais_form(
    tmp_path: Path, changes: dict[str, Any], param: str, words: str
) -> None:
    async with a_client(tmp_path) as (client, _):
        with pytest.raises(openai.BadRequestError) as told:
            await client.post(
                "/chat/completions", cast_to=object, body={"model": MODEL, "messages": [MESSAGE], **changes}
            )
        body = told.value.body
        assert isinstance(body, dict)
        assert body.keys() == {"code", "message", "hint", "type", "param"}
        assert (body["code"], body["type"], body["param"]) == ("bad_request", "invalid_request_error", param)
        assert words in body["message"]


async def test_several_prompts_are_refused(tmp_path: Path) -> None:
    async with a_client(tmp_path) as (client, _):
        for prompt in (["one", "two"], [1, 2]):
            with pytest.raises(openai.BadRequestError, match="one prompt at a time"):
                await client.completions.create(model=MODEL, prompt=prompt)


@pytest.mark.parametrize(
    ("said", "known"), [("minimal", "low"), ("xhigh", "max"), ("medium", "medium"), ("none", "none"), (None, None)]
)
def test_efforts_that_engines_do_not_know_are_the_nearest_that_they_do(said: str | None, known: str | None) -> None:
    request = ChatRequest.model_validate({"model": "m", "messages": [MESSAGE], "reasoning_effort": said})
    assert request.reasoning_effort == known


async def test_an_engine_that_makes_no_vectors_says_so(tmp_path: Path) -> None:
    async with a_client(tmp_path) as (client, agent):
        assert not isinstance(agent.backends["simulated"], Embedding)
        with pytest.raises(openai.BadRequestError, match="simulated makes no embeddings"):
            await client.embeddings.create(model=MODEL, input="one")


@pytest.mark.parametrize("form", ["float", "base64", None])
async def test_vectors_come_in_their_order_and_are_counted(tmp_path: Path, form: Any) -> None:
    async def embed(_: str, request: EmbeddingRequest) -> Embeddings:
        return Embeddings(vectors=tuple((0.5, len(text)) for text in request.input), prompt_tokens=9)

    async with a_client(tmp_path) as (client, agent):
        setattr(agent.backends["simulated"], "embed", embed)  # noqa: B010 - an engine that has it
        told: list[Any] = []
        agent.hub.publish = told.append  # type: ignore[method-assign]  # one listener is enough
        options = {} if form is None else {"encoding_format": form}
        made = await client.embeddings.create(model=MODEL, input=["a", "bcd"], user="ada@desk", **options)
        vectors = [row.embedding for row in made.data]
        assert [row.index for row in made.data] == [0, 1]
        assert made.usage.total_tokens == 9
        if form == "base64":
            assert json.dumps(vectors) == '["AAAAPwAAgD8=", "AAAAPwAAQEA="]'
        else:
            assert vectors == [[0.5, 1], [0.5, 3]]
        (served,) = (one for one in told if isinstance(one, Served))
        assert (served.author, served.prompt_tokens, served.completion_tokens) == ("ada@desk", 9, None)
