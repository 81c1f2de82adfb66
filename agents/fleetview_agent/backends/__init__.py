"""Backends run models; `build_backends` is the one list of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from fleetview_agent.config import AgentConfig
from fleetview_agent.gguf import Header
from fleetview_agent.needs import LoadSettings, Need
from fleetview_agent.ollama_store import models_folder
from fleetview_agent.wire import (
    BackendState,
    ChatChunk,
    ChatRequest,
    CompletionRequest,
    EmbeddingRequest,
    Embeddings,
    Keep,
    LoadOptions,
    ModelPart,
    Served,
    Traffic,
    Transfer,
)

Progress = Callable[[float], None]
"""Told the share of a load that is done, from 0 to 1."""
ServerVerb = Literal["start", "stop", "restart"]


@dataclass(frozen=True)
class Notices:
    """What a backend tells by itself."""

    changed: Callable[[], None]
    """Its state is no longer what it was."""
    served: Callable[[Served], None] = lambda _: None
    """A request has ended that did not come through this agent."""
    lost: Callable[[str, str], None] = lambda _backend, _reason: None
    """The server of this backend has ended unasked, for this reason, and should be started again."""
    logged: Callable[[str, str | None, str], None] = lambda _backend, _model, _line: None
    """The engine of this backend printed a line, about this model where that is known."""


class Backend(Protocol):
    """One way of running models on this machine.

    Errors are of the AgentError family: NotFound for a model it does not have, NotResident for one that is not in
    memory, Unusable for a file that it refuses, BackendFailed for everything that the engine did.
    """

    @property
    def name(self) -> str:
        """What stands before the slash in BACKEND/MODEL."""
        ...

    async def status(self) -> BackendState:
        """Whether it is installed and runs, its models, and which of them are resident."""
        ...

    async def header(self, model: str) -> Header | None:
        """The header of the model's file; None where the backend cannot show it. Raises NotFound, Unusable."""
        ...

    async def settings(self, model: str, options: LoadOptions, context: int) -> LoadSettings | None:
        """How it would load the model with this context; None where that cannot be known.

        Raises NotFound, Unusable for options that make no sense.
        """
        ...

    def preparing(self) -> AbstractAsyncContextManager[None]:
        """While held, whatever a load needs anyway is started ahead, and ended again if no load came."""
        ...

    async def load(self, model: str, options: LoadOptions, progress: Progress) -> None:
        """Return when it can answer. Cancelling it leaves the model out of memory."""
        ...

    async def warm(self, model: str) -> None:
        """Generate one token, really."""
        ...

    async def unload(self, model: str) -> None:
        """Return when the memory is free; answers in progress end with an error."""
        ...

    def chat(self, model: str, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        """Answer a prompt; closing the iterator cancels. Raises ContextExceeded before the first chunk."""
        ...

    def complete(self, model: str, request: CompletionRequest) -> AsyncGenerator[ChatChunk, None]:
        """Go on with a text, without any template; otherwise as `chat`."""
        ...

    def traffic(self) -> tuple[Traffic, ...]:
        """What resident models did since the previous call."""
        ...

    async def close(self) -> None:
        """End every process of its own."""
        ...


@dataclass(frozen=True)
class ServerSteps:
    """How a backend's server would be started, stopped or restarted."""

    supervisor: str | None
    """Who runs it; None where nobody does."""
    commands: tuple[str, ...] = ()
    """Every command that would be run, as one would type it."""
    refusal: str | None = None
    """Why it will not be done, with what to do; None where it can be."""


@runtime_checkable
class Supervised(Protocol):
    """The further ability of starting and stopping the engine's own server."""

    async def server_steps(self, verb: ServerVerb) -> ServerSteps:
        """What the verb would do; nothing happens."""
        ...

    async def start(self) -> None:
        """Return when the server answers; at once if it does already. Raises BackendFailed."""
        ...

    async def stop(self) -> None:
        """Return when the server and its runners are gone. Raises BackendFailed."""
        ...


@runtime_checkable
class Observing(Protocol):
    """The further ability of seeing what clients ask of the engine past this agent."""

    async def observe(self) -> None:
        """Look, so that `traffic` can tell; at most once a second, and never longer than a fraction of one."""
        ...

    async def has_moved(self) -> bool:
        """Whether `status` may have something else to tell than it did; cheap, since it is asked every other second."""
        ...


@runtime_checkable
class Keeping(Protocol):
    """The further ability of saying how long a resident model stays."""

    async def keep(self, model: str, keep: Keep | None) -> None:
        """From now on; None is the engine's own time. Raises NotResident."""
        ...


@runtime_checkable
class Deleting(Protocol):
    """The further ability of deleting models."""

    async def delete(self, model: str) -> None:
        """Delete it from the disk. Raises NotFound, BadRequest for one that is not its own, BackendFailed."""
        ...


@runtime_checkable
class Storing(Deleting, Protocol):
    """The further abilities of fetching and making models. Closing an iterator breaks it off."""

    def pull(self, model: str) -> AsyncGenerator[Transfer, None]:
        """Fetch a model; one that was broken off goes on where it was. Raises NotFound, BackendFailed."""
        ...

    def create(self, model: str, source: Path | str, options: LoadOptions) -> AsyncGenerator[Transfer, None]:
        """Make a model from a GGUF file (a Path) or from another model of this engine (its name)."""
        ...


@runtime_checkable
class Embedding(Protocol):
    """The further ability of turning texts into vectors."""

    async def embed(self, model: str, request: EmbeddingRequest) -> Embeddings:
        """One vector for each text. Raises NotResident, BadRequest where the model has none, BackendFailed."""
        ...


@runtime_checkable
class DryRunning(Protocol):
    """The further ability of laying out a load exactly without doing it."""

    async def dry_run(self, model: str, options: LoadOptions) -> Need:
        """What the engine itself says it would take, allocating nothing; `options.context` is set.

        Raises NotFound, Unusable for a file that the engine refuses (in its words), BackendFailed where the dry run
        itself came to nothing.
        """
        ...


@runtime_checkable
class Receiving(Protocol):
    """The further abilities of a copy between nodes: telling what a model consists of, and taking one in."""

    async def parts(self, model: str) -> tuple[tuple[Path, ModelPart | None], ...]:
        """Its files, the part beside each where its sha256 is known without reading it. Raises NotFound, Unusable."""
        ...

    async def manifest(self, model: str) -> str | None:
        """What the engine itself keeps about the files, as it is; None where there is no such thing."""
        ...

    async def room_for(self, model: str, parts: tuple[ModelPart, ...]) -> Path:
        """A folder on the disk to which the model will go; BadRequest where it cannot be taken in, with the reason."""
        ...

    async def take_in(self, model: str, parts: tuple[tuple[Path, ModelPart], ...], manifest: str | None) -> None:
        """Make verified files (which may be moved away) a model of that name. Raises BackendFailed, BadRequest."""
        ...


def build_backends(config: AgentConfig, notices: Notices) -> tuple[Backend, ...]:
    """The backends that are enabled."""
    # Imported only where enabled: what is not used should cost neither time nor memory.
    backends: list[Backend] = []
    if config.ollama.enabled:
        from fleetview_agent.backends.ollama import OllamaBackend

        backends.append(OllamaBackend(config.ollama, notices))
    if config.llamacpp.enabled:
        from fleetview_agent.backends.llamacpp import LlamaCppBackend

        folder = models_folder(config.ollama.models)
        backends.append(LlamaCppBackend(config.llamacpp, notices.changed, ollama_models=folder, logged=notices.logged))
    if config.simulated.enabled:
        from fleetview_agent.backends.simulated import SimulatedBackend, plain_engine

        backends.append(SimulatedBackend(plain_engine(config.simulated), notices))
    return tuple(backends)
