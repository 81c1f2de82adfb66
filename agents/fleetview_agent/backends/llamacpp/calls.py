"""Calls of tools: how a model is made to call one, and how its calls are read out of what it writes."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any

from fleetview_agent.errors import BadRequest
from fleetview_agent.wire import ChatChunk, ChatRequest, FunctionCall, ToolCall, ToolChoice

OPEN, CLOSE = "<tool_call>", "</tool_call>"
"""What surrounds a call in the answers of most models that were taught to call tools."""
_REFERENCE, _OWN_PART = "$ref", "#/"

Schema = dict[str, Any]  # Any: a JSON schema


def is_free(request: ChatRequest) -> bool:
    """Whether the model decides by itself when to call a tool."""
    return bool(request.tools) and request.tool_choice in {None, "auto"}


def schema_of_call(request: ChatRequest) -> Schema | None:
    """What an answer must follow that has to be a call; None where it need not be one. Raises BadRequest."""
    choice = request.tool_choice
    if choice is None or choice in {"none", "auto"}:
        return None
    functions = [_function(at, tool) for at, tool in enumerate(request.tools)]
    if isinstance(choice, ToolChoice):
        functions = [function for function in functions if function["name"] == choice.function.name]
    if not functions:
        named = f"the tool {choice.function.name}" if isinstance(choice, ToolChoice) else "a tool"
        raise BadRequest(f"{named} is to be called and is not among the tools", "send its definition in `tools`")
    definitions = {f"call{at}": _schema(function, f"#/$defs/call{at}") for at, function in enumerate(functions)}
    return {"anyOf": [{"$ref": f"#/$defs/{name}"} for name in definitions], "$defs": definitions}


def _function(at: int, tool: Schema) -> Schema:
    """The function of a tool. Raises BadRequest."""
    function = tool.get("function")
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise BadRequest(f"tools.{at}: it has no function with a name", "define tools as OpenAI does")
    return function


def _schema(function: Schema, place: str) -> Schema:
    """A call of this function, by name and arguments, which will stand at `place` in a larger schema."""
    arguments = _moved(function.get("parameters") or {"type": "object"}, f"{place}/properties/arguments/")
    return {
        "type": "object",
        "properties": {"name": {"const": function["name"]}, "arguments": arguments},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


def _moved(part: Any, place: str) -> Any:  # Any: any part of a JSON schema
    """The same schema at another place of a larger one: what refers to its own parts follows."""
    if isinstance(part, list):
        return [_moved(item, place) for item in part]
    if not isinstance(part, dict):
        return part
    moved = {key: _moved(item, place) for key, item in part.items()}
    reference = moved.get(_REFERENCE)
    if isinstance(reference, str) and reference.startswith(_OWN_PART):
        moved[_REFERENCE] = place + reference.removeprefix(_OWN_PART)
    return moved


def with_calls(chunks: AsyncGenerator[ChatChunk, None], request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
    """The answer to a request, with its calls read out of the text where there can be any. Takes over `chunks`."""
    forced = schema_of_call(request) is not None
    return _read(chunks, CallReader(forced=forced)) if forced or is_free(request) else chunks


async def _read(chunks: AsyncGenerator[ChatChunk, None], reader: CallReader) -> AsyncGenerator[ChatChunk, None]:
    """The same answer with its calls read out of the text. Closes `chunks`."""
    async with aclosing(chunks):
        async for chunk in chunks:
            for piece in reader.feed(chunk.text):
                yield piece
            if chunk.finish_reason is None:
                continue
            for piece in reader.finish():
                yield piece
            called = reader.count > 0 and chunk.finish_reason == "stop"
            reason = "tool_calls" if called else chunk.finish_reason
            yield chunk.model_copy(update={"text": "", "finish_reason": reason})


class CallReader:
    """Takes an answer piece by piece; what could belong to a call is held back until that is certain.

    `forced`: the whole answer is one call.
    """

    def __init__(self, *, forced: bool) -> None:
        self.count = 0
        """Of calls so far."""
        self._forced = forced
        self._held = ""

    def feed(self, text: str) -> Iterator[ChatChunk]:
        """What is certain after this further text."""
        self._held += text
        while not self._forced and (start := self._held.find(OPEN)) >= 0:
            if start:
                yield ChatChunk(text=self._held[:start])
                self._held = self._held[start:]
            end = self._held.find(CLOSE)
            if end < 0:
                return
            whole, self._held = self._held[: end + len(CLOSE)], self._held[end + len(CLOSE) :]
            yield self._call_or_text(whole)
        if not self._forced and (certain := len(self._held) - _beginning(self._held)):
            yield ChatChunk(text=self._held[:certain])
            self._held = self._held[certain:]

    def finish(self) -> Iterator[ChatChunk]:
        """What was held back, now that nothing follows."""
        if self._held.strip():
            yield self._call_or_text(self._held)
        self._held = ""

    def _call_or_text(self, written: str) -> ChatChunk:
        """The call that is written there; text that is none stays text."""
        try:
            call = json.loads(written.strip().removeprefix(OPEN).removesuffix(CLOSE))
            name, arguments = call["name"], json.dumps(call.get("arguments") or {}, ensure_ascii=False)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return ChatChunk(text=written)
        if not isinstance(name, str):
            return ChatChunk(text=written)
        self.count += 1
        function = FunctionCall(name=name, arguments=arguments)
        return ChatChunk(tool_calls=(ToolCall(id=f"call_{secrets.token_hex(8)}", function=function),))


def _beginning(text: str) -> int:
    """Length of the longest end of the text that could begin a call."""
    longest = min(len(text), len(OPEN) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(OPEN[:size])), 0)
