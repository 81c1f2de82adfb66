"""What Ollama's server tells of its models, decoded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import AliasPath, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from fleetview_agent.backends.ollama.refusals import Nonsense
from fleetview_agent.wire import Embeddings

FOREVER_AT = 7_258_118_400.0
"""The year 2200: a model that was pinned expires after the longest duration there is in Go, which is 292 years."""

_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")


def _none_if_nothing(value: object) -> object:
    """Go leaves out what is empty, or writes the zero of its kind."""
    return value or None


def _seconds(value: object) -> object:
    """A time as Go writes it, in seconds since 1970; None for Go's zero time and for one that cannot be read."""
    if not isinstance(value, str):
        return value or None
    try:
        at = datetime.fromisoformat(value).timestamp()
    except (ValueError, OverflowError):
        return None
    return at if at > 0 else None


def _parameters(value: object) -> object:
    """The lines of a Modelfile's parameters, `name value`, by name; of one that stands there twice, the last."""
    if not isinstance(value, str):
        return value or {}
    pairs = (line.split(maxsplit=1) for line in value.splitlines())
    return {pair[0]: pair[1].strip().strip('"') for pair in pairs if len(pair) > 1}


Text = Annotated[str | None, BeforeValidator(_none_if_nothing)]
Count = Annotated[int, Field(ge=0)]
Known = Annotated[Annotated[int, Field(gt=0)] | None, BeforeValidator(_none_if_nothing)]
Words = Annotated[tuple[str, ...] | None, BeforeValidator(_none_if_nothing)]


class Answer(BaseModel):
    """A part of an answer; what it does not name is of no interest."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


AnyAnswer = TypeVar("AnyAnswer", bound=Answer)


def _detail(name: str) -> Any:  # Any: pydantic's Field is of every type
    """Where a model's details are."""
    return Field(None, validation_alias=AliasPath("details", name))


class Listed(Answer):
    """A model on the disk."""

    name: Annotated[str, Field(min_length=1)]
    size_bytes: Annotated[Count, Field(validation_alias="size")] = 0
    digest: str = ""
    """Of its manifest."""
    family: Text = _detail("family")
    quantization: Text = _detail("quantization_level")
    parameter_size: Text = _detail("parameter_size")
    context_length: Known = _detail("context_length")
    """Tokens that it was trained for; older servers do not tell."""
    format: Text = _detail("format")
    capabilities: Words = None
    """None: an older server, which does not tell."""
    remote_host: Text = None

    @property
    def remote(self) -> bool:
        """Whether it runs on somebody else's machines."""
        return self.remote_host is not None


class Loaded(Answer):
    """A model in memory."""

    name: Annotated[str, Field(min_length=1)]
    digest: str = ""
    size_bytes: Annotated[Count, Field(validation_alias="size")] = 0
    """Weights, cache and buffers, as its runner told them when it started."""
    gpu_bytes: Annotated[Count, Field(validation_alias="size_vram")] = 0
    context: Annotated[Known, Field(validation_alias="context_length")] = None
    """Tokens of each sequence; older servers do not tell."""
    expires_at: Annotated[float | None, BeforeValidator(_seconds)] = None
    """None where it is not known, as while a model answers for the first time."""
    quantization: Text = _detail("quantization_level")

    @property
    def forever(self) -> bool:
        """Whether it stays until somebody asks otherwise."""
        return self.expires_at is not None and self.expires_at > FOREVER_AT


class Shown(Answer):
    """All that is known of one model."""

    parameters: Annotated[Mapping[str, str], BeforeValidator(_parameters)] = {}
    capabilities: Words = None
    model_info: Annotated[Mapping[str, Any], BeforeValidator(lambda value: value or {})] = {}  # Any: a GGUF header
    template: Text = None
    """The oldest version of Ollama that runs it."""
    family: Text = _detail("family")
    quantization: Text = _detail("quantization_level")
    format: Text = _detail("format")
    remote_host: Text = None

    @property
    def architecture(self) -> str | None:
        """The engine's name of its kind."""
        named = self.model_info.get("general.architecture")
        return named if isinstance(named, str) else None

    @property
    def context_length(self) -> int | None:
        """Tokens that it was trained for."""
        return _tokens(self.model_info.get(f"{self.architecture}.context_length"))

    @property
    def default_context(self) -> int | None:
        """Tokens that it gets when a request names no number; None: what the server thinks fit."""
        written = self.parameters.get("num_ctx", "")
        return _tokens(int(written)) if _WHOLE_NUMBER.fullmatch(written) else None


class _Embedded(Answer):
    vectors: Annotated[tuple[tuple[float, ...], ...], Field(validation_alias="embeddings")]
    prompt_tokens: Annotated[Known, Field(validation_alias="prompt_eval_count")] = None


class _Version(Answer):
    version: Annotated[str, Field(min_length=1, max_length=100)]


class _Tags(Answer):
    models: Annotated[tuple[Listed, ...], BeforeValidator(lambda value: value or ())]


class _Residents(Answer):
    models: Annotated[tuple[Loaded, ...], BeforeValidator(lambda value: value or ())]


def version(value: object) -> str:
    """The answer to /api/version."""
    return decoded(_Version, value).version


def tags(value: object) -> tuple[Listed, ...]:
    """The answer to /api/tags."""
    return decoded(_Tags, value).models


def residents(value: object) -> tuple[Loaded, ...]:
    """The answer to /api/ps."""
    return decoded(_Residents, value).models


def shown(value: object) -> Shown:
    """The answer to /api/show."""
    return decoded(Shown, value)


def embedded(value: object, texts: int) -> Embeddings:
    """The answer to /api/embed for so many texts."""
    told = decoded(_Embedded, value)
    if len(told.vectors) != texts:
        raise Nonsense(f"Ollama made {len(told.vectors)} vectors of {texts} texts", "ask again, or restart its server")
    return Embeddings(vectors=told.vectors, prompt_tokens=told.prompt_tokens)


def decoded(kind: type[AnyAnswer], value: object) -> AnyAnswer:
    """A part of an answer as what it should be. Raises Nonsense."""
    try:
        return kind.model_validate(value)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        at = ".".join(str(part) for part in first["loc"]) or "all of it"
        raise Nonsense(
            f"an answer of Ollama's server cannot be understood: {at}: {first['msg']}",
            "see that it is Ollama that listens there, and upgrade it if it is old",
        ) from None


def _tokens(value: object) -> int | None:
    """A number of tokens; None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
