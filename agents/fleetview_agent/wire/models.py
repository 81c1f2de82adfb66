"""Models: on disk, in memory, and the backends that run them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fleetview_agent.wire.base import Wire


class ModelFile(Wire):
    """A model that a backend could load."""

    name: str
    size_bytes: int
    identity: str | None = None
    """The same for the same content: the engine's digest, else size and sha256 of the header."""
    path: str | None = None
    architecture: str | None = None
    quantization: str | None = None
    context_length: int | None = None
    """Tokens that the model was trained for."""
    default_context: int | None = None
    """Tokens it gets when nobody says otherwise."""
    refusal: str | None = None
    """Why it cannot be loaded; None for a model that can."""


class Failure(Wire):
    """How a model or a backend failed."""

    reason: str
    exit_status: int | None = None
    """Of the process, negative for a signal."""
    log: tuple[str, ...] = ()
    """The engine's last lines."""


class ResidentModel(Wire):
    """A model in memory, on its way there, or fallen out of it."""

    name: str
    phase: Literal["loading", "ready", "unloading", "failed", "orphaned"]
    """`orphaned`: its process outlived the engine's server and keeps its memory, but nobody can ask it any more. Such
    a row is named `MODEL#PID`, and unloading it ends the process."""
    progress: float | None = None
    memory_bytes: int | None = None
    """What it takes: weights, cache and buffers."""
    gpu_memory_bytes: int | None = None
    """The part of it that is in the GPU's memory, where the engine tells."""
    context: int | None = None
    quantization: str | None = None
    pinned: bool = False
    expires_in_seconds: float | None = None
    """Counted when this was said; None: it stays."""
    idle_seconds: float | None = None
    """Since the last answer ended, counted when this was said; None while one is running."""
    time_to_first_token_seconds: float | None = None
    """Of the last request."""
    pid: int | None = None
    remark: str | None = None
    """What an operator should know of it, in a sentence: a reload that another client caused, a pin that was lost."""
    failure: Failure | None = None


class BackendState(Wire):
    """One way of running models on the node, and what it holds."""

    backend: str
    phase: Literal["ready", "stopped", "missing", "failed"]
    """`missing`: the engine is not installed."""
    version: str | None = None
    supervisor: str | None = None
    """Who keeps the engine running."""
    failure: Failure | None = None
    hint: str | None = None
    """What to do about a backend that is not ready."""
    address: str | None = None
    """HOST:PORT of the engine's own server, where it has one."""
    abilities: tuple[str, ...] = ()
    """Verbs beyond load and unload that it understands on this node."""
    models: tuple[ModelFile, ...] = ()
    resident: tuple[ResidentModel, ...] = ()


Keep = Annotated[float, Field(ge=0, le=10 * 365 * 86_400)] | Literal["forever"]
"""Seconds that a model stays after its last answer."""


class LoadOptions(Wire):
    """How to load a model; None leaves it to the agent."""

    context: Annotated[int, Field(ge=1, le=1 << 27)] | None = None
    """Tokens."""
    keep: Keep | None = None
    """None: as long as its engine likes."""
