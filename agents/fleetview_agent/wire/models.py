"""Models: on disk, in memory, and the backends that run them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fleetview_agent.wire.base import Wire

Keep = Annotated[float, Field(ge=0, le=10 * 365 * 86_400)] | Literal["forever"]
"""Seconds that a model stays after its last answer."""
CacheType = Literal["f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"]
"""How the numbers of a key-value cache are kept, by the names of llama.cpp."""
LONGEST_TEMPLATE = 1 << 18
"""Characters of a chat template."""


class LoadOptions(Wire):
    """How to load a model; None leaves it to the agent, whose settings file may say, else to the engine."""

    context: Annotated[int, Field(ge=1, le=1 << 27)] | None = None
    """Tokens."""
    keep: Keep | None = None
    """None: as long as its engine likes."""
    batch: Annotated[int, Field(ge=32, le=1 << 14)] | None = None
    """Tokens of a prompt that are read at once."""
    flash_attention: bool | None = None
    cache_type_k: CacheType | None = None
    """Of the keys."""
    cache_type_v: CacheType | None = None
    """Of the values; only `f32`, `f16` and `bf16` go without flash attention."""
    gpu_layers: Annotated[int, Field(ge=-1, le=10_000)] | None = None
    """Layers on the GPU; -1: all, 0: none."""
    mmap: bool | None = None
    """Whether the file is mapped into memory rather than read."""
    mlock: bool | None = None
    """Whether the weights may never be swapped out."""
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    chat_template: Annotated[str, Field(min_length=1, max_length=LONGEST_TEMPLATE)] | None = None
    """Jinja, in place of the template in the model's file."""


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
    bytes_per_token: int | None = None
    """Of its weights, what has to be read for each token: all of a dense model, the experts in use of another."""
    refusal: str | None = None
    """Why it cannot be loaded; None for a model that can."""
    undeletable: str | None = None
    """Why its backend will not delete it, though it deletes others; None where nothing speaks against it."""


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
    options: LoadOptions | None = None
    """How it was loaded, where that is known; of `keep` nothing is said here."""
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
    load_options: tuple[str, ...] = ()
    """Fields of `LoadOptions` that it understands, besides `context` and `keep`."""
    models: tuple[ModelFile, ...] = ()
    resident: tuple[ResidentModel, ...] = ()
