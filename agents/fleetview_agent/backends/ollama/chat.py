"""Chats and completions: the request in Ollama's form, and the lines of its answer in ours."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from fleetview_agent.backends.ollama.answers import Answer, Count, decoded
from fleetview_agent.backends.ollama.http import Json
from fleetview_agent.backends.ollama.refusals import Nonsense
from fleetview_agent.errors import BadRequest
from fleetview_agent.wire import (
    ChatChunk,
    ChatMessage,
    ChatRequest,
    CompletionRequest,
    FunctionCall,
    Generation,
    Timings,
    ToolCall,
    Usage,
)

_ROLES = {"developer": "system"}
"""OpenAI's newer name of a role that Ollama knows by the older one."""
_FEWEST_TOKENS = 2
"""Of one token there is no rate: it falls out of the reading of the prompt."""


def body(model: str, request: ChatRequest, context: int | None) -> Json:
    """What is posted to /api/chat. Raises BadRequest for what Ollama cannot be made to do."""
    _refuse_forced_calls(request)
    names = {call.id: call.function.name for message in request.messages for call in message.tool_calls}
    said = {**asked(model, request, context), "messages": [_message(message, names) for message in request.messages]}
    if request.tools and request.tool_choice != "none":
        said["tools"] = list(request.tools)
    if request.reasoning_effort is not None:
        said["think"] = False if request.reasoning_effort == "none" else request.reasoning_effort
    schema = request.response_format.schema_of_answer if request.response_format else None
    if schema is not None:
        said["format"] = schema or "json"
    return said


def completion_body(model: str, request: CompletionRequest, context: int | None) -> Json:
    """What is posted to /api/generate for a text that is gone on with."""
    return {**asked(model, request, context), "prompt": request.prompt, "raw": True}


def asked(model: str, request: Generation, context: int | None) -> Json:
    """What both kinds of requests say.

    `truncate` has a prompt that is too long refused rather than silently cut. `shift` would do the same for the
    answer, but it belongs to the loading of a model: a request that names another one than it was loaded with loads
    the model anew. So the answer is bounded by the context instead.
    """
    options = {
        "num_ctx": context,
        "num_predict": request.token_limit or context,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_k": request.top_k,
        "min_p": request.min_p,
        "presence_penalty": request.presence_penalty,
        "frequency_penalty": request.frequency_penalty,
        "seed": request.seed,
        "stop": list(request.stop) or None,
    }
    given = {name: value for name, value in options.items() if value is not None}
    return {"model": model, "stream": True, "truncate": False, "options": given}


def _refuse_forced_calls(request: ChatRequest) -> None:
    """Raise BadRequest where a tool has to be called: Ollama leaves that to the model."""
    if request.tool_choice not in {None, "none", "auto"}:
        raise BadRequest("ollama cannot be made to call a tool", "leave tool_choice at `auto`, or use response_format")


def _message(message: ChatMessage, names: Mapping[str, str]) -> Json:
    """One turn; `names` are those of the functions that were called, by the ids of the calls."""
    said: Json = {"role": _ROLES.get(message.role, message.role), "content": message.content}
    if message.tool_calls:
        said["tool_calls"] = [_call(call) for call in message.tool_calls]
    if message.tool_call_id is not None:
        said["tool_call_id"] = message.tool_call_id
        if message.tool_call_id in names:
            said["tool_name"] = names[message.tool_call_id]
    return said


def _call(call: ToolCall) -> Json:
    """A call whose arguments are an object, as Ollama wants them, rather than text."""
    try:
        arguments = json.loads(call.function.arguments or "{}")
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        raise BadRequest(
            f"the arguments of the tool call {call.id} are no JSON object", "send them as the model gave them"
        )
    return {"id": call.id, "function": {"name": call.function.name, "arguments": arguments}}


class _Function(Answer):
    name: Annotated[str, Field(min_length=1)]
    arguments: Annotated[Mapping[str, Any], BeforeValidator(lambda value: value or {})] = {}  # Any: a model wrote it


class _Call(Answer):
    id: str = ""
    function: _Function


class _Message(Answer):
    content: str = ""
    thinking: str = ""
    tool_calls: Annotated[tuple[_Call, ...], BeforeValidator(lambda value: value or ())] = ()


class _Line(Answer):
    """One line of an answer of either kind; what is zero is left out of it."""

    message: _Message = _Message()
    response: str = ""
    """Of /api/generate."""
    thinking: str = ""
    done: bool = False
    done_reason: str = ""
    prompt_eval_count: Count = 0
    """With those that were cached."""
    prompt_eval_cached_count: Count | None = None
    """None: an older server, which does not tell."""
    prompt_eval_duration: Count = 0
    """Nanoseconds, like all durations; of the tokens that were not cached."""
    eval_count: Count = 0
    eval_duration: Count = 0


class Answering:
    """The lines of one answer, as they come."""

    def __init__(self) -> None:
        self.ended = False
        self._called = False

    def chunks(self, line: object) -> Iterator[ChatChunk]:
        """What a line adds to the answer. Raises Nonsense."""
        told = decoded(_Line, line)
        calls = tuple(_tool_call(call) for call in told.message.tool_calls)
        self._called = self._called or bool(calls)
        text, thinking = told.message.content or told.response, told.message.thinking or told.thinking
        if text or thinking or calls:
            yield ChatChunk(text=text, thinking=thinking, tool_calls=calls)
        if told.done:
            self.ended = True
            yield ChatChunk(finish_reason=self._reason(told), usage=_usage(told), timings=_timings(told))

    def _reason(self, told: _Line) -> Literal["stop", "length", "tool_calls"]:
        """Why the answer ended."""
        if told.done_reason == "length":
            return "length"
        return "tool_calls" if self._called else "stop"


def _tool_call(call: _Call) -> ToolCall:
    """A call in OpenAI's form: with an id, and its arguments as text. Raises Nonsense."""
    try:
        arguments = json.dumps(call.function.arguments)
    except RecursionError:
        raise Nonsense(f"the arguments of a call of {call.function.name} are nested too deeply") from None
    return ToolCall(
        id=call.id or f"call_{secrets.token_hex(8)}",
        function=FunctionCall(name=call.function.name, arguments=arguments),
    )


def _usage(told: _Line) -> Usage:
    """The tokens of an answer that has ended."""
    return Usage(prompt_tokens=told.prompt_eval_count, completion_tokens=told.eval_count, cached_tokens=_cached(told))


def _timings(told: _Line) -> Timings:
    """The times of an answer that has ended; how fast the prompt was read is known only where the cached part is."""
    cached = _cached(told)
    read = None if cached is None else told.prompt_eval_count - cached
    return Timings(
        cache_n=cached,
        prompt_n=read,
        prompt_ms=told.prompt_eval_duration / 1e6,
        prompt_per_second=_per_second(read, told.prompt_eval_duration) if read else None,
        predicted_n=told.eval_count,
        predicted_ms=told.eval_duration / 1e6,
        predicted_per_second=_per_second(told.eval_count, told.eval_duration)
        if told.eval_count >= _FEWEST_TOKENS
        else None,
    )


def _cached(told: _Line) -> int | None:
    """Cached tokens of the prompt; None where the server does not tell."""
    if told.prompt_eval_cached_count is None:
        return None
    return min(told.prompt_eval_cached_count, told.prompt_eval_count)


def _per_second(tokens: int, nanoseconds: int) -> float | None:
    """A rate; None where no time was measured."""
    return tokens / nanoseconds * 1e9 if nanoseconds else None
