"""Agents with simulated parts, in this process, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from fleetview_agent.agent import Agent
from fleetview_agent.backends import Backend, Progress
from fleetview_agent.config import AgentConfig, LlamaCppConfig, OllamaConfig, SimulatedConfig
from fleetview_agent.gguf import Header
from fleetview_agent.needs import LoadSettings
from fleetview_agent.records.journal import Journal
from fleetview_agent.samplers import detect
from fleetview_agent.serving.chats import answer
from fleetview_agent.wire import (
    BackendState,
    ChatChunk,
    ChatMessage,
    ChatRequest,
    CompletionRequest,
    Event,
    LoadOptions,
    LoadRequest,
    Operation,
    OperationChanged,
    Request,
    ResidentModel,
    SwapRequest,
    Traffic,
    UnloadRequest,
)
from tests.builders import AUTHOR

LIMIT_SECONDS = 10.0


@asynccontextmanager
async def a_running_agent(
    folder: Path,
    *,
    load_seconds: float = 0.0,
    tokens_per_second: float = 1000.0,
    drain_seconds: float = 5.0,
    delete_wait_seconds: float = 0.0,
    restores: bool = False,
) -> AsyncIterator[Agent]:
    """An agent with the simulated sampler and backend alone, its journal in `folder`."""
    config = AgentConfig(
        sampler="simulated",
        drain_seconds=drain_seconds,
        delete_wait_seconds=delete_wait_seconds,
        ollama=OllamaConfig(enabled=False),
        llamacpp=LlamaCppConfig(enabled=False),
        simulated=SimulatedConfig(enabled=True, load_seconds=load_seconds, tokens_per_second=tokens_per_second),
    )
    agent = Agent(config, detect(config.sampler), Journal(folder / "journal.sqlite"), restores=restores)
    async with agent.running():
        yield agent


def kill(agent: Agent) -> None:
    """Let the journal be as a kill of the agent at this moment leaves it: nothing that happens later gets into it."""
    agent.journal._write = lambda *_: None  # type: ignore[method-assign]  # whoever is killed writes no more


def make_loads_take(agent: Agent, seconds: float) -> None:
    """Let every load of the simulated backend take so long from now on."""
    backend: Any = agent.backends["simulated"]
    backend._engine = backend._residents._engine = replace(backend._engine, load_seconds=lambda *_: seconds)


def keep_losses_quiet(agent: Agent) -> None:
    """Let nobody hear that the simulated server has ended, so that only the operator acts."""
    backend: Any = agent.backends["simulated"]
    backend._notices = replace(backend._notices, lost=lambda *_: None)


async def event(agent: Agent, wanted: Callable[[Event], bool]) -> Event:
    """The next event that is wanted; the snapshot counts."""
    async with asyncio.timeout(LIMIT_SECONDS), aclosing(agent.events(1.0)) as events:
        async for one in events:
            if wanted(one):
                return one
    raise AssertionError("the stream ended")


async def phase(agent: Agent, operation: Operation, name: str) -> None:
    """Return when the operation is in the phase."""

    def reached(one: Event) -> bool:
        return name in {row.phase for row in agent.operator.operations if row.id == operation.id} or (
            isinstance(one, OperationChanged) and one.operation.id == operation.id and one.operation.phase == name
        )

    await event(agent, reached)


async def outcome(agent: Agent, request: Request | Operation) -> Operation:
    """How an operation ends; a request is submitted first."""
    operation = request if isinstance(request, Operation) else agent.operator.submit(request)

    def ended(_: Event) -> bool:
        return all(row.id != operation.id for row in agent.operator.operations)

    await event(agent, ended)
    return next(row for row in agent.journal.ended(100) if row.id == operation.id)


async def residents(agent: Agent) -> dict[str, int | None]:
    """What is in memory, with its context."""
    snapshot = await agent.snapshot()
    return {row.name: row.context for state in snapshot.backends for row in state.resident if row.phase == "ready"}


def a_load(model: str, **changes: object) -> LoadRequest:
    """A wish to load one of the simulated models."""
    return LoadRequest.model_validate({"author": AUTHOR, "backend": "simulated", "model": model, **changes})


def a_swap(model: str, **changes: object) -> SwapRequest:
    """A wish to swap to one of the simulated models."""
    return SwapRequest.model_validate({"author": AUTHOR, "backend": "simulated", "model": model, **changes})


def an_unload(model: str) -> UnloadRequest:
    """A wish to unload one of the simulated models."""
    return UnloadRequest(author=AUTHOR, backend="simulated", model=model)


async def a_row(agent: Agent, model: str) -> ResidentModel | None:
    """A model in memory as everybody sees it."""
    (state,) = (await agent.snapshot()).backends
    return next((row for row in state.resident if row.name == model), None)


async def say(agent: Agent, model: str, prompt: str) -> str:
    """What a simulated model answers."""
    request = ChatRequest(model=f"simulated/{model}", messages=(ChatMessage(role="user", content=prompt),))
    async with aclosing(answer(agent, request)) as chunks:
        return "".join([chunk.text async for chunk in chunks])


class Plain:
    """A backend without further abilities, around one that may have some."""

    def __init__(self, inner: Backend) -> None:
        self._inner = inner
        self.name = inner.name

    async def status(self) -> BackendState:
        return (await self._inner.status()).model_copy(update={"abilities": ()})

    async def header(self, model: str) -> Header | None:
        return await self._inner.header(model)

    async def settings(self, model: str, options: LoadOptions, context: int) -> LoadSettings | None:
        return await self._inner.settings(model, options, context)

    def preparing(self) -> AbstractAsyncContextManager[None]:
        return self._inner.preparing()

    async def load(self, model: str, options: LoadOptions, progress: Progress) -> None:
        await self._inner.load(model, options, progress)

    async def warm(self, model: str) -> None:
        await self._inner.warm(model)

    async def unload(self, model: str) -> None:
        await self._inner.unload(model)

    def chat(self, model: str, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        return self._inner.chat(model, request)

    def complete(self, model: str, request: CompletionRequest) -> AsyncGenerator[ChatChunk, None]:
        return self._inner.complete(model, request)

    def traffic(self) -> tuple[Traffic, ...]:
        return self._inner.traffic()

    async def close(self) -> None:
        await self._inner.close()
