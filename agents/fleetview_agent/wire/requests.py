"""Requests: what an operator can ask of a node."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fleetview_agent.wire.base import Wire
from fleetview_agent.wire.copies import LONGEST_MANIFEST, MOST_FILES, ModelPart
from fleetview_agent.wire.models import Keep, LoadOptions

LONGEST_NAME = 1024
"""Characters; nothing with a longer name can be asked for."""
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]


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
    pin: bool | None = None
    """Whether it is pinned from then on; None: as it was."""


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
    pin: bool | None = None
    """As for a load."""
    beside: tuple[LoadRequest, ...] = ()
    """Loaded too, after it and in this order: all of them come, or none does."""


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
    beside: tuple[LoadRequest, ...] = ()
    """Loaded once it runs, in this order: all of them come, or it is stopped again. Where the backend is nothing but
    its models, in place of those that ran last."""


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
    keep: Keep | None = None
    """How long it stays from now on; None: for ever."""


class UnpinRequest(Wire):
    """Let a model be evicted by policy again."""

    verb: Literal["unpin"] = "unpin"
    author: Name
    backend: Name
    model: Name
    keep: Keep | None = None
    """How long it stays from now on; None: as long as its engine likes."""


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


class CopyRequest(Wire):
    """Take in a model from another node; the operator's program brings the files, and may go on after a break."""

    verb: Literal["copy"] = "copy"
    author: Name
    backend: Name
    model: Name
    source: Name
    """The node that it comes from, as the operator calls it."""
    parts: Annotated[tuple[ModelPart, ...], Field(min_length=1, max_length=MOST_FILES)]
    manifest: Annotated[str, Field(max_length=LONGEST_MANIFEST)] | None = None
    """What the engine itself keeps about the files, as it is on the source."""


ServerRequest = StartRequest | StopRequest | RestartRequest
"""About a backend's server rather than one of its models."""
DiskRequest = PullRequest | DeleteRequest | CreateRequest | CopyRequest
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
    | CreateRequest
    | CopyRequest,
    Field(discriminator="verb"),
]
"""A change of the node."""


class UndoRequest(Wire):
    """Take back the last operation, or one by its id. It is carried out as what undoes it."""

    verb: Literal["undo"] = "undo"
    author: Name
    operation: Name | None = None
    """An id; None: the last one that an operator asked for and that was not taken back yet."""


Order = Annotated[Request | UndoRequest, Field(discriminator="verb")]
"""What can be posted: a change, or the taking back of one."""


def target(request: Request) -> str:
    """What a request is about, for people: `BACKEND/MODEL`, or the backend alone."""
    return request.backend if isinstance(request, ServerRequest) else f"{request.backend}/{request.model}"
