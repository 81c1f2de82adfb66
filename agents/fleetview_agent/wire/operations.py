"""Operations: what is asked for, what it would do, and how it goes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fleetview_agent.wire.base import Wire
from fleetview_agent.wire.models import Keep, LoadOptions

LONGEST_NAME = 1024
"""Characters; nothing with a longer name can be asked for."""
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Phase = Literal[
    "queued",
    "plan",
    "drain",
    "evict",
    "load",
    "warm",
    "stop",
    "start",
    "keep",
    "pull",
    "create",
    "wait",
    "delete",
    "ready",
    "roll_back",
]
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


class StartRequest(Wire):
    """Start a backend's own server."""

    verb: Literal["start"] = "start"
    author: Name
    backend: Name


class StopRequest(Wire):
    """End a backend's own server, and with it all of its models."""

    verb: Literal["stop"] = "stop"
    author: Name
    backend: Name


class RestartRequest(Wire):
    """End a backend's own server and start it again."""

    verb: Literal["restart"] = "restart"
    author: Name
    backend: Name


class PinRequest(Wire):
    """Let a resident model never be evicted by policy, only by name."""

    verb: Literal["pin"] = "pin"
    author: Name
    backend: Name
    model: Name


class UnpinRequest(Wire):
    """Let a model be evicted by policy again."""

    verb: Literal["unpin"] = "unpin"
    author: Name
    backend: Name
    model: Name


class KeepRequest(Wire):
    """Say how long a resident model stays after its last answer."""

    verb: Literal["keep"] = "keep"
    author: Name
    backend: Name
    model: Name
    keep: Keep | None = None
    """None: as long as its engine likes."""


class PullRequest(Wire):
    """Fetch a model by name from the engine's registry; one that was broken off goes on where it was."""

    verb: Literal["pull"] = "pull"
    author: Name
    backend: Name
    model: Name


class DeleteRequest(Wire):
    """Delete a model from the node's disk, after a time in which it can be cancelled."""

    verb: Literal["delete"] = "delete"
    author: Name
    backend: Name
    model: Name


class CreateRequest(Wire):
    """Make a model of the engine out of a GGUF file on the node, or out of another model with other settings."""

    verb: Literal["create"] = "create"
    author: Name
    backend: Name
    model: Name
    source: Annotated[str, Field(min_length=1, max_length=4096)]
    """`BACKEND/MODEL`, or the absolute path of a GGUF file on the node."""
    options: LoadOptions = LoadOptions()
    """A context given here stays with the model, whoever loads it."""


ServerRequest = StartRequest | StopRequest | RestartRequest
"""About a backend's server rather than one of its models."""
DiskRequest = PullRequest | DeleteRequest | CreateRequest
"""Changes what is on the node's disk and nothing in memory, so it runs beside the queue."""
Request = Annotated[
    LoadRequest
    | SwapRequest
    | UnloadRequest
    | StartRequest
    | StopRequest
    | RestartRequest
    | PinRequest
    | UnpinRequest
    | KeepRequest
    | PullRequest
    | DeleteRequest
    | CreateRequest,
    Field(discriminator="verb"),
]


def target(request: Request) -> str:
    """What a request is about, for people: `BACKEND/MODEL`, or the backend alone."""
    return request.backend if isinstance(request, ServerRequest) else f"{request.backend}/{request.model}"


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
    supervisor: str | None = None
    """Who runs the server that would be started or stopped."""
    commands: tuple[str, ...] = ()
    """Every command that would be run on the node, as one would type it."""
    refusal: str | None = None
    """Why it would be refused; None for a plan that can be carried out."""


class Transfer(Wire):
    """How far bytes have come on their way to the node's disk."""

    done_bytes: int
    total_bytes: int | None = None
    """None while it is not known how much it will be."""
    bytes_per_second: float | None = None
    seconds_left: float | None = None
    step: str | None = None
    """What the engine is doing, in its own words."""


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
    transfer: Transfer | None = None
    """Of a pull or a create, as it goes on."""
    evictions: tuple[str, ...] = ()
    queued_at: float
    ended_at: float | None = None
    result: Result | None = None
    """None until it has ended."""
    cause: str | None = None
    """Why it did not end as `done`, in a sentence."""
    log: tuple[str, ...] = ()
    """The engine's last lines, where it failed."""
    reason: str | None = None
    """Why it was begun, where no operator asked for it."""
    refused: bool = False
    """True where nothing was tried: it does not fit, or the file is unusable."""
    inverse: Request | None = None
    """What undoes it."""
