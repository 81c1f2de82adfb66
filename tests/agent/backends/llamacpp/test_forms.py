"""Answers that follow a schema, calls of tools, and texts that go on, with the real engine."""

from __future__ import annotations

import json
from contextlib import aclosing
from typing import Any

import pytest

from fleetview_agent.errors import BadRequest
from fleetview_agent.wire import ChatChunk, CompletionRequest
from tests.agent.backends.llamacpp.bench import Bench, text_of
from tests.gguf_files import CHATML, Tiny

COLOUR = {"enum": ["red", "green"]}
PAINT: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "paint",
        "parameters": {
            "type": "object",
            "$defs": {"colour.1": COLOUR},
            "properties": {"colour": {"$ref": "#/$defs/colour.1"}, "twice": {"type": "boolean"}},
            "required": ["colour", "twice"],
            "additionalProperties": False,
        },
    },
}
WAIT: dict[str, Any] = {"type": "function", "function": {"name": "wait", "parameters": {"const": {}}}}
KNOWS_CALLS = (
    CHATML + "{# <tool_call> </tool_call> #}{% for tool in tools or [] %}{{ tool.function.name }};{% endfor %}"
)
BOMB = {f"a.{at}": {"anyOf": [{"$ref": f"#/$defs/a.{at + 1}"}] * 2} for at in range(40)}
"""Each part is there twice in the one before it."""


def a_form(schema: object) -> dict[str, object]:
    return {"type": "json_schema", "json_schema": {"name": "form", "schema": schema}}


async def completed(bench: Bench, prompt: str, **options: object) -> list[ChatChunk]:
    request = CompletionRequest.model_validate({"model": "any", "prompt": prompt, "temperature": 0, **options})
    async with aclosing(bench.backend.complete("A", request)) as chunks:
        return [chunk async for chunk in chunks]


async def test_an_answer_follows_a_schema(bench: Bench) -> None:
    await bench.load("A")
    schema = {
        "type": "object",
        "properties": {"colour": COLOUR, "size": {"type": "array", "items": {"type": "boolean"}, "maxItems": 3}},
        "required": ["colour", "size"],
        "additionalProperties": False,
    }
    chunks = await bench.answer("A", response_format=a_form(schema), ignore_eos=True)
    told = json.loads(text_of(chunks))
    assert told["colour"] in COLOUR["enum"]
    assert all(isinstance(one, bool) for one in told["size"])
    assert chunks[-1].finish_reason == "stop"
    chunks = await bench.answer("A", response_format={"type": "json_object"}, max_tokens=20)
    assert text_of(chunks).startswith("{")


@pytest.mark.parametrize(
    ("schema", "cause"),
    [
        pytest.param({"type": "nothing"}, "Unrecognized schema", id="a type that there is not"),
        pytest.param({"$ref": "https://example.org/schema"}, "remote schemas", id="elsewhere"),
        pytest.param({"$ref": "#/$defs/none"}, "none", id="nowhere"),
        pytest.param({"properties": 3}, "items", id="nonsense"),
        pytest.param({"type": "string", "maxLength": 10**9}, "repetitions", id="a long text"),
        pytest.param({"type": "string", "pattern": "^((a{900}){900}){900}$"}, "repetitions", id="a wide pattern"),
        pytest.param({"$ref": "#/$defs/a.0", "$defs": {**BOMB, "a.40": COLOUR}}, "parts", id="a bomb"),
        pytest.param({"enum": ["x" * 70_000]}, "characters", id="a large one"),
    ],
)
async def test_a_schema_that_cannot_be_followed_is_the_clients_mistake(
    bench: Bench, schema: object, cause: str
) -> None:
    await bench.load("A")
    with pytest.raises(BadRequest, match=f"A cannot follow this JSON schema: .*{cause}"):
        await bench.answer("A", response_format=a_form(schema))
    assert (await bench.answer("A", max_tokens=2))[-1].usage.completion_tokens == 2


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "paint"}}])
async def test_a_tool_that_must_be_called_is_called(bench: Bench, choice: object) -> None:
    await bench.load("A")
    tools = [PAINT, WAIT] if isinstance(choice, dict) else [PAINT]
    *pieces, last = await bench.answer("A", tools=tools, tool_choice=choice)
    (call,) = [call for piece in pieces for call in piece.tool_calls]
    assert (call.type, call.function.name) == ("function", "paint")
    arguments = json.loads(call.function.arguments)
    assert arguments["colour"] in COLOUR["enum"]
    assert isinstance(arguments["twice"], bool)
    assert (text_of(pieces), last.finish_reason) == ("", "tool_calls")
    assert last.usage is not None


async def test_one_of_several_tools_must_be_called(bench: Bench) -> None:
    await bench.load("A")
    *pieces, last = await bench.answer("A", tools=[PAINT, WAIT], tool_choice="required", temperature=1, seed=1)
    assert {call.function.name for piece in pieces for call in piece.tool_calls} <= {"paint", "wait"}
    assert last.finish_reason == "tool_calls"


async def test_a_call_that_is_cut_off_is_no_call(bench: Bench) -> None:
    await bench.load("A")
    chunks = await bench.answer("A", tools=[PAINT], tool_choice="required", max_tokens=5)
    assert text_of(chunks).startswith("{")
    assert not any(chunk.tool_calls for chunk in chunks)
    assert chunks[-1].finish_reason == "length"


async def test_a_model_decides_by_itself_only_where_its_template_says_how(bench: Bench) -> None:
    await bench.load("A")
    with pytest.raises(BadRequest, match="A cannot decide by itself to call a tool") as refused:
        await bench.answer("A", tools=[PAINT])
    assert "tool_choice" in (refused.value.hint or "")
    await bench.load("B", Tiny(chat_template=KNOWS_CALLS, seed=5))
    plain = (await bench.answer("B", max_tokens=3))[-1].usage.prompt_tokens
    offered = (await bench.answer("B", tools=[PAINT, WAIT], max_tokens=3))[-1].usage.prompt_tokens
    assert offered == plain + len("paint;wait;")
    silent = (await bench.answer("B", tools=[PAINT], tool_choice="none", max_tokens=3))[-1].usage.prompt_tokens
    assert silent == plain


@pytest.mark.parametrize(("effort", "written"), [(None, ""), ("none", "off"), ("minimal", "low")])
async def test_a_template_is_told_how_long_to_think(bench: Bench, effort: str | None, written: str) -> None:
    told = "{% if enable_thinking is defined and not enable_thinking %}off{% endif %}{{ reasoning_effort }}"
    await bench.load("A", Tiny(chat_template=f"{{{{ messages[0].content }}}}{told}"))
    last = (await bench.answer("A", "hello", reasoning_effort=effort, max_tokens=1))[-1]
    assert last.usage.prompt_tokens == len(f"hello{written}")


async def test_a_tool_that_was_not_sent_cannot_be_chosen(bench: Bench) -> None:
    await bench.load("A")
    with pytest.raises(BadRequest, match="the tool dig is to be called and is not among the tools"):
        await bench.answer("A", tools=[PAINT], tool_choice={"type": "function", "function": {"name": "dig"}})
    with pytest.raises(BadRequest, match=r"tools\.0: it has no function with a name"):
        await bench.answer("A", tools=[{"type": "function"}], tool_choice="required")


async def test_a_text_goes_on_as_it_is_past_the_models_own_end(bench: Bench) -> None:
    await bench.load("A")
    last = (await completed(bench, "<|im_start|>ab", max_tokens=40))[-1]
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (3, 40)  # a mark is one token, a letter another
    await bench.load("B", Tiny(name="B", ends=True))
    request = CompletionRequest(model="any", prompt="ab", temperature=0, max_tokens=40)
    short = [chunk async for chunk in bench.backend.complete("B", request)][-1]
    long = [chunk async for chunk in bench.backend.complete("B", request.model_copy(update={"ignore_eos": True}))][-1]
    assert (short.finish_reason, long.finish_reason) == ("stop", "length")
    assert (short.usage.completion_tokens, long.usage.completion_tokens) == (1, 40)


async def test_a_text_without_a_limit_is_short(bench: Bench) -> None:
    await bench.load("A")
    assert (await completed(bench, "ab"))[-1].usage.completion_tokens == 16


async def test_the_first_token_belongs_to_the_prompt_and_the_others_to_the_rate(bench: Bench) -> None:
    await bench.load("A")
    timings = (await completed(bench, "ab" * 20, max_tokens=30, ignore_eos=True))[-1].timings
    assert timings is not None
    assert (timings.prompt_n, timings.cache_n, timings.predicted_n) == (40, 0, 30)
    assert timings.prompt_per_second == pytest.approx(40 / timings.prompt_ms * 1e3)
    assert timings.predicted_per_second == pytest.approx(29 / timings.predicted_ms * 1e3)
