"""What agents answer, decoded: operations, failures, and the chunks of a streamed answer."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import AliasPath, Field, TypeAdapter, ValidationError

from fleetview.remote.errors import Refused
from fleetview_agent.wire import ChatChunk, ErrorAnswer, ErrorBody, Operation, Timings, Usage
from fleetview_agent.wire.base import Wire
from fleetview_agent.wire.numbers import parse

OPERATIONS: TypeAdapter[tuple[Operation, ...]] = TypeAdapter(tuple[Operation, ...])
DONE = b"[DONE]"


class Accepted(Wire):
    """The answer to a request for an operation."""

    id: str


class _Delta(Wire):
    """What a chunk adds to the answer."""

    content: str | None = None
    reasoning_content: str | None = None


class _Choice(Wire):
    """The one answer of a chunk."""

    delta: _Delta = _Delta()
    text: str | None = None
    """Of a completion, in place of the delta."""
    finish_reason: str | None = None


class _Usage(Usage):
    """Tokens as OpenAI tells them."""

    cached_tokens: int | None = Field(None, validation_alias=AliasPath("prompt_tokens_details", "cached_tokens"))


class _StreamChunk(Wire):
    """One event of a streamed answer."""

    choices: tuple[_Choice, ...] = ()
    usage: _Usage | None = None
    timings: Timings | None = None


def field_of_data(line: bytes | None) -> bytes | None:
    """What a line of server-sent events carries; nothing, and so no JSON, for a line that was too long to be kept.

    None for a comment, and for every field but `data`.
    """
    if line is None:
        return b""
    return line.removeprefix(b"data:").strip() if line.startswith(b"data:") else None


def decode_chunk(data: bytes) -> ChatChunk:
    """One event of a streamed answer. Raises Refused for an error in its place, ValueError for nonsense."""
    value = parse(data)
    if isinstance(value, dict) and value.get("error") is not None:
        raise refusal(value, status=200)
    chunk = _StreamChunk.model_validate(value)
    choice = chunk.choices[0] if chunk.choices else _Choice()
    return ChatChunk(
        text=choice.delta.content or choice.text or "",
        thinking=choice.delta.reasoning_content or "",
        finish_reason=None
        if choice.finish_reason is None
        else "length"
        if choice.finish_reason == "length"
        else "stop",
        usage=chunk.usage and Usage.model_construct(**dict(chunk.usage)),
        timings=chunk.timings,
    )


def refusal(value: object, status: int) -> Refused:
    """The error that an agent answered with. Raises ValueError when it is none of ours."""
    try:
        error = ErrorAnswer.model_validate(value).error
    except ValidationError:
        told = value.get("error") if isinstance(value, Mapping) else None
        message = told.get("message") if isinstance(told, Mapping) else None
        if not isinstance(message, str):
            raise
        error = ErrorBody(code="failed", message=message)
    return Refused(error.message, error.hint, code=error.code, status=status)
