"""Backends run models; `build_backends` is the one list of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from fleetview_agent.config import AgentConfig
from fleetview_agent.gguf import Header
from fleetview_agent.wire import BackendState, ChatChunk, ChatRequest, LoadOptions, Traffic

Progress = Callable[[float], None]
"""Told the share of a load that is done, from 0 to 1."""


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

    def traffic(self) -> tuple[Traffic, ...]:
        """What resident models did since the previous call."""
        ...

    async def close(self) -> None:
        """End every process of its own."""
        ...


def build_backends(config: AgentConfig, changed: Callable[[], None]) -> tuple[Backend, ...]:
    """The backends that are enabled; each calls `changed` when its state is no longer what it was."""
    # Imported only where enabled: what is not used should cost neither time nor memory.
    backends: list[Backend] = []
    if config.llamacpp.enabled:
        from fleetview_agent.backends.llamacpp import LlamaCppBackend

        backends.append(LlamaCppBackend(config.llamacpp, changed))
    if config.simulated.enabled:
        from fleetview_agent.backends.simulated import SimulatedBackend

        backends.append(SimulatedBackend(config.simulated, changed))
    return tuple(backends)
