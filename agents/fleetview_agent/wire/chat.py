"""Prompts and answers, with the names of OpenAI's chat completions and llama-server's timings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from fleetview_agent.wire.base import Wire
from fleetview_agent.wire.operations import Name


class ChatMessage(Wire):
    """One turn of a conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str = ""

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
    cached_tokens: int = 0
    """Prompt tokens that did not have to be read again."""


class Timings(Wire):
    """How long one request took, by llama-server's names: `n` tokens, `ms` milliseconds."""

    cache_n: int = 0
    prompt_n: int
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
    finish_reason: Literal["stop", "length"] | None = None
    usage: Usage | None = None
    timings: Timings | None = None
