from __future__ import annotations

import json
from typing import Any

import pytest

from fleetview_agent.backends.ollama import chat
from fleetview_agent.backends.ollama.chat import Answering
from fleetview_agent.errors import AgentError, BadRequest
from fleetview_agent.wire import (
    ChatChunk,
    ChatMessage,
    ChatRequest,
    CompletionRequest,
    FunctionCall,
    ToolCall,
    Usage,
)
from tests.agent.backends.ollama.scripted import recorded

ASK = ChatMessage(role="user", content="Hi")
WEATHER: dict[str, Any] = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def body(context: int | None = 4096, **said: Any) -> Any:
    return chat.body("m:latest", ChatRequest(**{"model": "ollama/m", "messages": (ASK,), **said}), context)


def answered(*lines: dict[str, Any]) -> list[ChatChunk]:
    answering = Answering()
    return [chunk for line in lines for chunk in answering.chunks(line)]


def test_a_chat_names_the_context_that_the_model_has_and_nothing_that_would_load_it_anew() -> None:
    said = body()
    assert said["options"] == {"num_ctx": 4096, "num_predict": 4096}
    assert said["truncate"] is False
    assert not {"shift", "keep_alive", "think", "tools"} & said.keys()


def test_an_answer_without_a_limit_is_bounded_by_the_context() -> None:
    assert body()["options"]["num_predict"] == 4096
    assert body(max_tokens=7)["options"]["num_predict"] == 7
    assert body(context=None)["options"] == {}


def test_the_settings_of_a_request_are_ollamas_options() -> None:
    options = body(temperature=0.0, top_p=0.5, seed=0, stop="END", max_completion_tokens=9)["options"]
    assert options == {"num_ctx": 4096, "num_predict": 9, "temperature": 0, "top_p": 0.5, "seed": 0, "stop": ["END"]}


def test_a_text_to_go_on_with_is_raw_and_has_a_limit() -> None:
    said = chat.completion_body("m:latest", CompletionRequest(model="ollama/m", prompt="abc", top_k=5, min_p=0.1), 4096)
    assert (said["prompt"], said["raw"], said["truncate"]) == ("abc", True, False)
    assert said["options"] == {"num_ctx": 4096, "num_predict": 16, "top_k": 5, "min_p": 0.1}


@pytest.mark.parametrize(
    ("wanted", "form"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, "json"),
        ({"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "boolean"}}}, {"type": "boolean"}),
    ],
)
def test_the_form_of_an_answer_is_passed_on(wanted: object, form: object) -> None:
    assert body(response_format=wanted).get("format") == form


def test_nobody_can_make_ollama_call_a_tool_but_anybody_can_keep_it_from_that() -> None:
    assert "tools" not in body(tools=(WEATHER,), tool_choice="none")
    assert body(tools=(WEATHER,), tool_choice="auto")["tools"] == [WEATHER]
    for choice in ("required", {"type": "function", "function": {"name": "weather"}}):
        with pytest.raises(BadRequest, match="cannot be made to call a tool"):
            body(tools=(WEATHER,), tool_choice=choice)


@pytest.mark.parametrize(("effort", "think"), [("none", False), ("low", "low"), ("max", "max")])
def test_the_effort_of_thinking_is_passed_on(effort: str, think: object) -> None:
    assert body(reasoning_effort=effort)["think"] == think


def test_a_developer_speaks_as_the_system() -> None:
    messages = body(messages=(ChatMessage(role="developer", content="Be brief."), ASK))["messages"]
    assert messages == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]


def test_calls_of_tools_go_there_as_objects_with_the_name_beside_the_answer() -> None:
    call = ToolCall(id="call_1", function=FunctionCall(name="weather", arguments='{"city": "Köln"}'))
    turns = (ASK, ChatMessage(role="assistant", tool_calls=(call,)))
    told = ChatMessage(role="tool", content="rain", tool_call_id="call_1")
    said = body(messages=(*turns, told), tools=(WEATHER,))
    assert said["tools"] == [WEATHER]
    assert said["messages"][1]["tool_calls"] == [
        {"id": "call_1", "function": {"name": "weather", "arguments": {"city": "Köln"}}}
    ]
    assert said["messages"][2] == {"role": "tool", "content": "rain", "tool_call_id": "call_1", "tool_name": "weather"}


@pytest.mark.parametrize("arguments", ["[1]", "{", "nothing", "[" * 100_000])
def test_arguments_that_are_no_object_are_refused(arguments: str) -> None:
    call = ToolCall(id="call_1", function=FunctionCall(name="f", arguments=arguments))
    with pytest.raises(BadRequest, match="call_1 are no JSON object"):
        body(messages=(ASK, ChatMessage(role="assistant", tool_calls=(call,))))


def test_a_recorded_answer_is_read() -> None:
    *pieces, last = answered(*map(json.loads, recorded("chat.ndjson").splitlines()))
    assert "".join(piece.text for piece in pieces).startswith("Hello")
    assert len(pieces) == 6
    assert last.finish_reason == "length"
    assert last.usage == Usage(prompt_tokens=12, completion_tokens=6, cached_tokens=None)


def test_without_the_cached_tokens_the_rate_of_the_prompt_is_unknown_and_that_of_the_answer_is_not() -> None:
    line = json.loads(recorded("chat.ndjson").splitlines()[-1])
    (last,) = answered(line)
    assert last.timings is not None
    assert (last.timings.prompt_n, last.timings.cache_n, last.timings.prompt_per_second) == (None, None, None)
    assert last.timings.predicted_per_second == pytest.approx(6 / line["eval_duration"] * 1e9)


def test_a_prompt_rate_never_counts_cached_tokens() -> None:
    figures = {"prompt_eval_count": 1000, "prompt_eval_cached_count": 900, "prompt_eval_duration": 2_000_000_000}
    (last,) = answered({"done": True, "done_reason": "stop", **figures})
    assert last.timings is not None
    assert (last.timings.prompt_n, last.timings.cache_n, last.timings.prompt_per_second) == (100, 900, 50)
    assert last.usage == Usage(prompt_tokens=1000, completion_tokens=0, cached_tokens=900)


def test_a_cold_prompt_has_a_rate_where_the_server_says_that_nothing_was_cached() -> None:
    figures = {"prompt_eval_count": 30, "prompt_eval_cached_count": 0, "prompt_eval_duration": 1_000_000_000}
    (last,) = answered({"done": True, **figures})
    assert last.timings is not None
    assert last.timings.prompt_per_second == pytest.approx(30)


def test_a_prompt_that_was_cached_whole_has_no_rate() -> None:
    figures = {"prompt_eval_count": 30, "prompt_eval_cached_count": 30, "prompt_eval_duration": 1_000}
    (last,) = answered({"done": True, **figures})
    assert last.timings is not None
    assert last.timings.prompt_per_second is None


def test_one_token_has_no_rate() -> None:
    (last,) = answered({"done": True, "eval_count": 1, "eval_duration": 1000})
    assert last.timings is not None
    assert last.timings.predicted_per_second is None


def test_thinking_is_kept_apart() -> None:
    chunks = answered(
        {"message": {"role": "assistant", "content": "", "thinking": "Hm."}}, {"message": {"content": "A"}}
    )
    assert [(chunk.thinking, chunk.text) for chunk in chunks] == [("Hm.", ""), ("", "A")]


def test_calls_come_back_in_openais_form_and_are_the_reason_to_finish() -> None:
    call = {"function": {"index": 0, "name": "weather", "arguments": {"city": "Köln"}}}
    piece, last = answered({"message": {"tool_calls": [call]}}, {"done": True, "done_reason": "stop"})
    assert piece.tool_calls[0].id.startswith("call_")
    assert json.loads(piece.tool_calls[0].function.arguments) == {"city": "Köln"}
    assert last.finish_reason == "tool_calls"


def test_the_id_of_a_call_is_kept_and_its_arguments_may_be_missing() -> None:
    (piece,) = answered({"message": {"tool_calls": [{"id": "call_9", "function": {"name": "f", "arguments": None}}]}})
    assert (piece.tool_calls[0].id, piece.tool_calls[0].function.arguments) == ("call_9", "{}")


def test_a_last_line_may_carry_text_and_calls() -> None:
    call = {"function": {"name": "f", "arguments": {}}}
    piece, last = answered({"message": {"content": "so", "tool_calls": [call]}, "done": True, "done_reason": "stop"})
    assert piece.text == "so"
    assert last.finish_reason == "tool_calls"


def test_arguments_that_are_nested_without_end_are_nonsense_and_no_crash() -> None:
    deep: Any = {}
    for _ in range(100_000):
        deep = {"a": deep}
    with pytest.raises(AgentError):
        answered({"message": {"tool_calls": [{"function": {"name": "f", "arguments": deep}}]}})
