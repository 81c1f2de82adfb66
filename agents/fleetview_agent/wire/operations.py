"""Operations: what is asked for, what it would do, and how it goes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fleetview_agent.wire.base import Wire
from fleetview_agent.wire.models import LoadOptions

LONGEST_NAME = 1024
"""Characters; nothing with a longer name can be asked for."""
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Phase = Literal["queued", "plan", "drain", "evict", "load", "warm", "ready", "roll_back"]
Result = Literal["done", "failed", "rolled_back", "interrupted"]
Verdict = Literal["fits", "tight", "does_not_fit", "unknown"]
Confidence = Literal["measured", "computed", "unknown"]


class LoadRequest(Wire):
    """Load a model beside what is there."""

    verb: Literal["load"] = "load"
    author: Name
    """user@host of the operator."""
    backend: Name
    model: Name
    options: LoadOptions = LoadOptions()
    force: bool = False
    """Load it even if it is not thought to fit."""


class SwapRequest(Wire):
    """Load a model in place of others."""

    verb: Literal["swap"] = "swap"
    author: Name
    backend: Name
    model: Name
    options: LoadOptions = LoadOptions()
    evict: Literal["auto", "none", "all"] | tuple[str, ...] = "auto"
    """Who leaves: a policy, or `BACKEND/MODEL` by name."""
    force: bool = False


class UnloadRequest(Wire):
    """Take a model out of memory."""

    verb: Literal["unload"] = "unload"
    author: Name
    backend: Name
    model: Name


Request = Annotated[LoadRequest | SwapRequest | UnloadRequest, Field(discriminator="verb")]


class Plan(Wire):
    """What a request would do. Nothing has happened."""

    request: Request
    already_resident: bool = False
    """Nothing would change: the model is in memory with this context."""
    evictions: tuple[str, ...] = ()
    """`BACKEND/MODEL` that would leave."""
    waits_for: int = 0
    """Requests being answered by those that leave."""
    context: int | None = None
    need_bytes: int | None = None
    weights_bytes: int | None = None
    cache_bytes: int | None = None
    """Key-value cache for `context` tokens."""
    room_bytes: int | None = None
    """What would be free for it once the evictions are gone."""
    memory_before_bytes: int | None = None
    memory_after_bytes: int | None = None
    memory_limit_bytes: int | None = None
    """Of the GPU, or of the machine where models run on the CPU."""
    verdict: Verdict
    confidence: Confidence
    expected_seconds: float | None = None
    refusal: str | None = None
    """Why it would be refused; None for a plan that can be carried out."""


class PhaseTime(Wire):
    """A phase of an operation and how long it took; None while it lasts."""

    phase: Phase
    seconds: float | None = None


class Operation(Wire):
    """One change of the node: waiting, in hand, or ended."""

    id: str
    request: Request
    phase: Phase
    phases: tuple[PhaseTime, ...] = ()
    progress: float | None = None
    """Of the phase, where the engine tells it."""
    evictions: tuple[str, ...] = ()
    queued_at: float
    ended_at: float | None = None
    result: Result | None = None
    """None until it has ended."""
    cause: str | None = None
    """Why it did not end as `done`, in a sentence."""
    log: tuple[str, ...] = ()
    """The engine's last lines, where it failed."""
    refused: bool = False
    """True where nothing was tried: it does not fit, or the file is unusable."""
    inverse: Request | None = None
    """What undoes it."""
