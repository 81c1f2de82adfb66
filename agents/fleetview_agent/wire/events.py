"""The stream of a node: a snapshot first, then what changes."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, TypeAdapter, field_validator

from fleetview_agent.wire.base import Wire
from fleetview_agent.wire.logs import LogLine
from fleetview_agent.wire.machine import Machine, Sample
from fleetview_agent.wire.models import BackendState
from fleetview_agent.wire.numbers import parse
from fleetview_agent.wire.operations import Operation, understood

PROTOCOL = 1
"""Raised when a reader of the older number could misunderstand a newer writer."""


class Snapshot(Wire):
    """Everything that is true of a node: the first event of every stream."""

    type: Literal["snapshot"] = "snapshot"
    protocol: int = PROTOCOL
    machine: Machine
    backends: tuple[BackendState, ...]
    operations: tuple[Operation, ...] = ()
    """Waiting and in hand."""
    samples: tuple[Sample, ...] = ()
    """Of the last two minutes, oldest first."""

    @field_validator("operations", mode="before")
    @classmethod
    def _understood(cls, rows: object) -> object:
        """What only a newer agent does is no reason to see nothing of it."""
        return understood(rows)


class Sampled(Wire):
    """The machine was read."""

    type: Literal["sampled"] = "sampled"
    sample: Sample


class BackendChanged(Wire):
    """A backend is no longer what it was."""

    type: Literal["backend_changed"] = "backend_changed"
    state: BackendState


class OperationChanged(Wire):
    """An operation was queued, went on, or ended."""

    type: Literal["operation_changed"] = "operation_changed"
    operation: Operation


class Served(Wire):
    """A model has answered one request."""

    type: Literal["served"] = "served"
    backend: str
    model: str
    author: str | None = None
    """Who asked, where it is known."""
    inferred: bool | None = None
    """True where `author` was concluded from who was connected, and could be wrong."""
    prompt_tokens: int | None = None
    """Including those that were cached."""
    cached_tokens: int | None = None
    """Prompt tokens that did not have to be read again; None where the engine does not tell."""
    completion_tokens: int | None = None
    time_to_first_token_seconds: float | None = None
    prompt_tokens_per_second: float | None = None
    """Of the uncached tokens of the prompt."""
    tokens_per_second: float | None = None
    source: str | None = None
    """Where the figures are read, where it is not the agent that counts."""


class Logged(Wire):
    """Agent or engines wrote something."""

    type: Literal["logged"] = "logged"
    lines: tuple[LogLine, ...]


Event = Annotated[Snapshot | Sampled | BackendChanged | OperationChanged | Served | Logged, Field(discriminator="type")]

_EVENT: TypeAdapter[Event] = TypeAdapter(Event)
_TYPES = frozenset(model.model_fields["type"].default for model in get_args(get_args(Event)[0]))


def decode_event(line: str | bytes) -> Event | None:
    """One line of a stream; None for a type that a newer agent may know.

    Raises ValueError for nonsense.
    """
    value = parse(line)
    if isinstance(value, dict) and isinstance(kind := value.get("type"), str) and kind not in _TYPES:
        return None
    return _EVENT.validate_python(value)
