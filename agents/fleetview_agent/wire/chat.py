"""Prompts and answers, with the names of OpenAI's chat completions and llama-server's timings."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from fleetview_agent.wire.base import Wire
from fleetview_agent.wire.operations import Name


class FunctionCall(Wire):
    """A function that the model wants called."""

    name: str
    arguments: str = "{}"
    """JSON, as text: that is how OpenAI's clients send and expect it."""


class ToolCall(Wire):
    """One call of a tool, by OpenAI's names."""

    id: str
    type: Literal["function"] = "function"
    function: FunctionCall


class ChatMessage(Wire):
    """One turn of a conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    """What an assistant wanted called."""
    tool_call_id: str | None = None
    """Which call a tool's message answers."""

    @field_validator("content", mode="before")
    @classmethod
    def _join_parts(cls, content: object) -> object:
        """Text parts, as some clients send them, become one text."""
        if content is None:
            return ""
        if not isinstance(content, list):
            return content
        texts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        if len(texts) < len(content) or not all(isinstance(text, str) for text in texts):
            raise ValueError("only text parts are understood")
        return "".join(map(str, texts))


class StreamOptions(Wire):
    """What a stream carries besides text."""

    include_usage: bool = False


class ChatRequest(Wire):
    """A prompt for one model."""

    model: Name
    """`BACKEND/MODEL`, or the model alone where one backend has it."""
    messages: Annotated[tuple[ChatMessage, ...], Field(min_length=1)]
    stream: bool = False
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Field(ge=0, le=10)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    tools: tuple[dict[str, Any], ...] = ()  # Any: JSON schemas, which the engine reads
    """What the model may call, by OpenAI's form; engines that know no tools do not see them."""
    reasoning_effort: Literal["none", "low", "medium", "high", "max"] | None = None
    """How long a model that can think thinks; None: as it likes."""
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    user: Annotated[str, Field(max_length=256)] | None = None
    """Who asks, for everyone who watches."""

    @field_validator("stop", mode="before")
    @classmethod
    def _one_or_many(cls, stop: object) -> object:
        """A single stop text may stand alone."""
        if stop is None:
            return ()
        return (stop,) if isinstance(stop, str) else stop

    @property
    def token_limit(self) -> int | None:
        """Tokens to generate at most; None: until the context is full."""
        return self.max_completion_tokens or self.max_tokens


class Usage(Wire):
    """Tokens of one request."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int | None = 0
    """Prompt tokens that did not have to be read again; None where the engine does not tell."""


class Timings(Wire):
    """How long one request took, by llama-server's names: `n` tokens, `ms` milliseconds."""

    cache_n: int | None = None
    """Cached tokens of the prompt; None where the engine does not tell, and then `prompt_n` is not known either."""
    prompt_n: int | None = None
    """Prompt tokens that were read; cached ones are in `cache_n`."""
    prompt_ms: float
    prompt_per_second: float | None = None
    predicted_n: int
    predicted_ms: float
    predicted_per_second: float | None = None


class ChatChunk(Wire):
    """A piece of an answer; the last one has a reason to finish, usage and timings."""

    text: str = ""
    thinking: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: Literal["stop", "length", "tool_calls"] | None = None
    usage: Usage | None = None
    timings: Timings | None = None
