"""Prompts and answers, with the names of OpenAI's chat completions and llama-server's timings."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from fleetview_agent.wire.base import Wire
from fleetview_agent.wire.requests import Name


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


class JsonSchema(Wire):
    """A schema that an answer must follow, by OpenAI's form."""

    name: str = "answer"
    schema_: dict[str, Any] = Field(default={}, alias="schema")  # Any: a JSON schema, which the engine reads


class ResponseFormat(Wire):
    """What form an answer must have."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    json_schema: JsonSchema | None = None

    @property
    def schema_of_answer(self) -> dict[str, Any] | None:  # Any: a JSON schema
        """What the answer must follow; empty for any JSON object, None for free text."""
        match self.type:
            case "text":
                return None
            case "json_object":
                return {}
            case "json_schema":
                return self.json_schema.schema_ if self.json_schema else {}


class Generation(Wire):
    """How an answer is to be made, whatever the prompt is."""

    model: Name
    """`BACKEND/MODEL`, or the model alone where one backend has it."""
    stream: bool = False
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Field(ge=0, le=10)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=0, le=1 << 20)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    ignore_eos: bool = False
    """Go on after the model's own end, as a benchmark wants it (llama-server's name)."""
    user: Annotated[str, Field(max_length=256)] | None = None
    """Who asks, for everyone who watches."""
    n: int | None = None
    """Answers to one prompt: one, or unsaid."""

    @field_validator("n")
    @classmethod
    def _single(cls, n: int | None) -> int | None:
        """No engine of ours gives several answers at a time."""
        if n not in {None, 1}:
            raise ValueError("one answer at a time is given; ask again for another")
        return n

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
        return self.max_tokens


class NamedFunction(Wire):
    """A function by its name."""

    name: str


class ToolChoice(Wire):
    """A tool that must be called."""

    type: Literal["function"] = "function"
    function: NamedFunction


Effort = Literal["none", "low", "medium", "high", "max"]
_FURTHER_EFFORTS = {"minimal": "low", "xhigh": "max"}
"""OpenAI's scale goes beyond both ends of that of the engines: the nearest is taken."""


def _known_effort(effort: object) -> object:
    """An effort that engines know."""
    return _FURTHER_EFFORTS.get(effort, effort) if isinstance(effort, str) else effort


class ChatRequest(Generation):
    """A prompt for one model."""

    messages: Annotated[tuple[ChatMessage, ...], Field(min_length=1)]
    tools: tuple[dict[str, Any], ...] = ()  # Any: JSON schemas, which the engine reads
    """What the model may call, by OpenAI's form; engines that know no tools do not see them."""
    tool_choice: Literal["none", "auto", "required"] | ToolChoice | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: Annotated[Effort, BeforeValidator(_known_effort)] | None = None
    """How long a model that can think thinks; None: as it likes."""
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None

    @property
    def token_limit(self) -> int | None:
        """Tokens to generate at most; None: until the context is full."""
        return self.max_completion_tokens or self.max_tokens


COMPLETION_TOKENS = 16
"""Of a completion that names no limit, as OpenAI has it."""


class CompletionRequest(Generation):
    """A text to go on with, without any chat template."""

    prompt: Annotated[str, Field(min_length=1)]

    @field_validator("prompt", mode="before")
    @classmethod
    def _only_one(cls, prompt: object) -> object:
        """Some clients send a list; we answer one prompt at a time."""
        if not isinstance(prompt, list):
            return prompt
        if len(prompt) != 1 or not isinstance(prompt[0], str):
            raise ValueError("one prompt at a time is answered, and it is a text")
        return prompt[0]

    @property
    def token_limit(self) -> int | None:
        """Tokens to generate at most."""
        return self.max_tokens or COMPLETION_TOKENS


class EmbeddingRequest(Wire):
    """Texts of which the vectors are wanted."""

    model: Name
    input: Annotated[tuple[str, ...], Field(min_length=1, max_length=2048)]
    dimensions: Annotated[int, Field(ge=1, le=1 << 20)] | None = None
    encoding_format: Literal["float", "base64"] = "float"
    user: Annotated[str, Field(max_length=256)] | None = None

    @field_validator("input", mode="before")
    @classmethod
    def _one_or_many(cls, texts: object) -> object:
        """A single text may stand alone."""
        return (texts,) if isinstance(texts, str) else texts


class Embeddings(Wire):
    """One vector for each text, in their order."""

    vectors: tuple[tuple[float, ...], ...]
    prompt_tokens: int | None = None
    """None where the engine does not tell."""


class Usage(Wire):
    """Tokens of one request."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int | None = 0
    """Prompt tokens that did not have to be read again; None where the engine does not tell."""


class Timings(Wire):
    """How long one request took, by llama-server's names: `n` tokens, `ms` milliseconds.

    The first token falls out of the reading of the prompt, so its time is in `prompt_ms`; `predicted_ms` is that of the
    others, each of which takes one step of the engine. A rate of llama.cpp is therefore reckoned from one token less
    than `predicted_n`, and is what llama-bench measures.
    """

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
