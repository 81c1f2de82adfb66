"""Requests as commands to a worker."""

from __future__ import annotations

import json

from fleetview_agent.backends.llamacpp.calls import is_free, schema_of_call
from fleetview_agent.errors import BadRequest
from fleetview_agent.llamacpp_worker.pipe import Frame
from fleetview_agent.wire import ChatMessage, ChatRequest, CompletionRequest, Generation, ToolCall

_NO_EFFORT = "none"


def chat_command(request: ChatRequest) -> Frame:
    """A conversation to be gone on with. Raises BadRequest for a choice of tools that there cannot be."""
    offered = () if request.tool_choice == "none" else request.tools
    schema = schema_of_call(request)
    if schema is None and request.response_format is not None:
        schema = request.response_format.schema_of_answer
    return {
        "do": "chat",
        "messages": [_message(message) for message in request.messages],
        "tools": {"tools": offered, "free": is_free(request)},
        "template": _template_settings(request),
        "schema": schema,
        **_generation(request),
    }


def completion_command(request: CompletionRequest) -> Frame:
    """A text to be gone on with."""
    return {"do": "complete", "prompt": request.prompt, **_generation(request)}


def _generation(request: Generation) -> Frame:
    """How the answer is to be made; the worker knows what stands for None."""
    return {
        "max_tokens": request.token_limit,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_k": request.top_k,
        "min_p": request.min_p,
        "presence_penalty": request.presence_penalty,
        "frequency_penalty": request.frequency_penalty,
        "seed": request.seed,
        "stop": request.stop,
        "ignore_eos": request.ignore_eos,
    }


def _template_settings(request: ChatRequest) -> Frame:
    """How long to think, by the names that chat templates of various models have for it."""
    if request.reasoning_effort is None:
        return {}
    if request.reasoning_effort == _NO_EFFORT:
        return {"enable_thinking": False}
    return {"enable_thinking": True, "reasoning_effort": request.reasoning_effort}


def _message(message: ChatMessage) -> Frame:
    """One turn, as chat templates expect it."""
    said: Frame = {"role": message.role, "content": message.content}
    if message.tool_calls:
        said["tool_calls"] = [_call(call) for call in message.tool_calls]
    if message.tool_call_id is not None:
        said["tool_call_id"] = message.tool_call_id
    return said


def _call(call: ToolCall) -> Frame:
    """A call whose arguments are an object rather than text: templates write them as JSON themselves."""
    try:
        arguments = json.loads(call.function.arguments or "{}")
    except (ValueError, RecursionError):
        raise BadRequest(
            f"the arguments of the tool call {call.id} are no JSON", "send them as the model gave them"
        ) from None
    return {"id": call.id, "type": "function", "function": {"name": call.function.name, "arguments": arguments}}
