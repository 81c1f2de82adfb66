"""A conversation as it is kept: who was asked what, how, and what each answered. Frozen, and pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["writing", "done", "stopped", "failed", "interrupted"]
"""Of an answer; `interrupted` is one whose dashboard ended before it did."""


@dataclass(frozen=True)
class Target:
    """A model of a node that is asked."""

    node: str
    backend: str
    model: str
    """By its name in `backend`."""

    @property
    def name(self) -> str:
        """`BACKEND/MODEL`, which names it everywhere."""
        return f"{self.backend}/{self.model}"


@dataclass(frozen=True)
class Settings:
    """How models are asked; None is the model's own way."""

    system: str | None = None
    """What the model keeps in mind."""
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    """Texts after which an answer ends."""
    reasoning_effort: str | None = None
    """How long a model that can think thinks; one of the wire's efforts."""

    @property
    def asked(self) -> Mapping[str, Any]:  # Any: each field of a request has its own kind
        """What is not left to the model, by the names of a `ChatRequest`; the system prompt is a message instead."""
        return {name: value for name, value in asdict(self).items() if name != "system" and value not in (None, ())}


@dataclass(frozen=True)
class Figures:
    """What was measured of an answer; None where nobody told."""

    first_token_seconds: float | None = None
    tokens_per_second: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    joules_per_token: float | None = None
    joules_cover: str | None = None
    """What the power was measured of: the system, or the package."""


@dataclass(frozen=True)
class Ending:
    """How an answer ended."""

    state: State
    failure: str | None = None
    figures: Figures = Figures()


@dataclass(frozen=True)
class Reply:
    """What one target answers to a prompt."""

    id: int
    target: Target
    text: str = ""
    thinking: str = ""
    state: State = "writing"
    failure: str | None = None
    """Why there is no whole answer, in one sentence."""
    figures: Figures = Figures()


@dataclass(frozen=True)
class Turn:
    """A prompt, with what each target answers."""

    id: int
    prompt: str
    at: float
    """Seconds since 1970."""
    replies: tuple[Reply, ...] = ()
    replaced: bool = False
    """Whether it was asked anew since, so that it is no longer part of what is said."""


@dataclass(frozen=True)
class Chat:
    """A conversation."""

    id: int
    title: str
    """The first line of the first prompt, unless the operator named it; empty before the first prompt."""
    begun_at: float
    changed_at: float
    targets: tuple[Target, ...]
    settings: Settings
    turns: tuple[Turn, ...] = ()


@dataclass(frozen=True)
class FormerChat:
    """A conversation as a list of them shows it."""

    id: int
    title: str
    begun_at: float
    changed_at: float
    targets: tuple[Target, ...]
    turns: int
    """How many prompts it has."""
    state: State
    """Of the answers to the last prompt, the one that most wants to be known."""


@dataclass(frozen=True)
class FormerPrompt:
    """What was once asked."""

    text: str
    at: float
    chat_id: int
