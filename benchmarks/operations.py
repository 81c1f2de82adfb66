"""Operations asked for and followed to their end, as a dashboard does."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Collection
from pathlib import Path

import repository  # noqa: F401 - before what lies in the repository's root

from fleetview.remote.client import AgentClient
from fleetview_agent.wire import BackendState, Event, Operation, OperationChanged, Request, Snapshot


async def done(client: AgentClient, events: AsyncIterator[Event], request: Request) -> tuple[float, Operation]:
    """Seconds from the wish to the word that it is done, and that word; anything else ends the benchmark."""
    began = time.perf_counter()
    operation = await client.operate(request)
    async for event in events:
        if isinstance(event, OperationChanged) and event.operation.id == operation and event.operation.result:
            seconds = time.perf_counter() - began
            assert event.operation.result == "done", event.operation.cause
            return seconds, event.operation
    raise AssertionError("the agent's events ended")


async def files(client: AgentClient, events: AsyncIterator[Event], backend: str, models: Collection[str]) -> list[Path]:
    """Where the files of these models lie, once the agent knows all of them; the second one is made on a first run."""
    async for event in events:
        states = event.backends if isinstance(event, Snapshot) else (await client.snapshot()).backends
        known = _paths(next(state for state in states if state.backend == backend))
        if known.keys() >= set(models):
            return [known[model] for model in models]
    raise AssertionError("the agent's events ended")


def _paths(state: BackendState) -> dict[str, Path]:
    """The file of each model."""
    return {model.name: Path(model.path) for model in state.models if model.path}
