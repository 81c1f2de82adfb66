"""An agent whose swaps are made to fail, asked and watched as a dashboard does."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from fleetview.config import NodeConfig
from fleetview.remote.client import AgentClient
from fleetview.remote.connect import connect
from fleetview.remote.local import answers
from fleetview_agent.wire import (
    BackendChanged,
    ChatChunk,
    ChatMessage,
    ChatRequest,
    LoadOptions,
    Operation,
    OperationChanged,
    Phase,
    ResidentModel,
    SwapRequest,
)
from tests.builders import AUTHOR
from tests.gguf_files import Tiny, write_tiny
from tests.stories.conftest import Home, command

LIMIT_SECONDS = 20.0
CONTEXT = 1024
"""Room for an answer that is still in progress when something happens to it."""
FEW, MANY = 4, 500
"""Tokens of an answer that only shows that there is one, and of one that lasts."""


@dataclass(frozen=True)
class Names:
    """The models of one engine, as it calls them."""

    backend: str
    former: str
    coming: str
    unusable: str
    """A file that is refused."""
    keep: float | None = None
    """How many seconds the former one stays, where the engine knows such a thing."""


class Node:
    """One agent. What it tells about operations is kept."""

    def __init__(self, client: AgentClient, names: Names) -> None:
        self.client = client
        self.names = names
        self._operations: list[Operation] = []
        self._rows: dict[str, ResidentModel] = {}
        self._told = asyncio.Event()

    async def swap(self, model: str | None = None) -> str:
        """Ask for a swap to the coming model, or to another one; its id."""
        names = self.names
        options = LoadOptions(context=CONTEXT)
        return await self.client.operate(
            SwapRequest(author=AUTHOR, backend=names.backend, model=model or names.coming, options=options)
        )

    async def bring_former(self) -> None:
        """Let the former model be the only one, as it was asked for in the beginning."""
        names = self.names
        options = LoadOptions(context=CONTEXT, keep=names.keep)
        wish = SwapRequest(author=AUTHOR, backend=names.backend, model=names.former, options=options, evict="all")
        assert (await self.ended(await self.client.operate(wish))).result == "done"

    async def phase(self, operation: str, phase: Phase) -> None:
        """Return when the operation is in that phase; it must not have ended before."""
        told = await self._hears(lambda one: one.id == operation and (one.phase == phase or one.result is not None))
        assert told.phase == phase, told

    async def ended(self, operation: str) -> Operation:
        """How the operation ends."""
        return await self._hears(lambda one: one.id == operation and one.result is not None)

    async def row(self, model: str, phase: str) -> None:
        """Return when a model in memory is in that phase."""
        async with asyncio.timeout(LIMIT_SECONDS):
            while model not in self._rows or self._rows[model].phase != phase:
                self._told.clear()
                await self._told.wait()

    async def resident(self) -> tuple[ResidentModel, ...]:
        """What is in memory, by what is true now."""
        return tuple(row for state in (await self.client.snapshot()).backends for row in state.resident)

    @asynccontextmanager
    async def an_answer(self, model: str, limit: int) -> AsyncIterator[AsyncIterator[ChatChunk]]:
        """What a model answers, token by token."""
        asked = ChatMessage(role="user", content="Say something.")
        request = ChatRequest(
            model=f"{self.names.backend}/{model}", messages=(asked,), max_tokens=limit, temperature=0.0
        )
        async with asyncio.timeout(LIMIT_SECONDS), aclosing(self.client.chat(request)) as chunks:
            yield chunks

    async def answers(self, model: str) -> bool:
        """Whether the model says something, and comes to the end of it."""
        async with self.an_answer(model, FEW) as chunks:
            told = [chunk async for chunk in chunks]
        return any(chunk.text for chunk in told) and any(chunk.finish_reason for chunk in told)

    async def watch(self) -> None:
        """Hear what the agent tells about its operations and its one engine, for ever."""
        async with aclosing(self.client.events(1.0)) as events:
            async for event in events:
                if isinstance(event, OperationChanged):
                    self._operations.append(event.operation)
                elif isinstance(event, BackendChanged):
                    self._rows = {row.name: row for row in event.state.resident}
                self._told.set()

    async def is_watched(self) -> None:
        """Return when the first event has come."""
        async with asyncio.timeout(LIMIT_SECONDS):
            await self._told.wait()

    async def _hears(self, wanted: Callable[[Operation], bool]) -> Operation:
        """The first word about an operation that is wanted, from the beginning on."""
        async with asyncio.timeout(LIMIT_SECONDS):
            while (found := next(filter(wanted, self._operations), None)) is None:
                self._told.clear()
                await self._told.wait()
        return found


async def refused(node: Node) -> Operation:
    """A swap to a file that cannot be used."""
    return await node.ended(await node.swap(node.names.unusable))


async def cancelled_while_draining(
    node: Node, limit: int, hold: Callable[[], None], let_go: Callable[[], None]
) -> Operation:
    """A swap that is cancelled while the former model answers; the answer goes on to its end."""
    async with node.an_answer(node.names.former, limit) as chunks:
        told = [await anext(chunks)]
        hold()
        swap = await node.swap()
        await node.phase(swap, "drain")
        await node.client.cancel(swap)
        operation = await node.ended(swap)
        let_go()
        told += [chunk async for chunk in chunks]
    usage = next(chunk.usage for chunk in told if chunk.usage is not None)
    assert usage.completion_tokens == limit
    return operation


def assert_told(operation: Operation, phases: tuple[Phase, ...], cause: str) -> None:
    """It went through these phases, and says why not through more."""
    assert tuple(row.phase for row in operation.phases) == phases, operation
    is_refusal = phases == ("plan",)
    assert (operation.result, operation.refused) == ("failed" if is_refusal else "rolled_back", is_refusal), operation
    assert operation.cause is not None
    assert re.match(cause, operation.cause), operation.cause


async def assert_swapped(node: Node) -> None:
    """The coming model has come, and answers."""
    (row,) = await node.resident()
    assert (row.name, row.phase) == (node.names.coming, "ready")
    assert await node.answers(node.names.coming)


async def assert_as_before(node: Node, operation: Operation) -> None:
    """The former model is there with the same context and keep-alive, and answers; the journal has it all once."""
    names = node.names
    (row,) = await node.resident()
    assert (row.name, row.phase, row.context) == (names.former, "ready", CONTEXT)
    if names.keep is None:
        assert row.expires_in_seconds is None
    else:
        assert row.expires_in_seconds is not None
        assert names.keep / 2 < row.expires_in_seconds <= names.keep
    assert await node.answers(names.former)
    assert [one for one in await node.client.journal(100) if one.id == operation.id] == [operation]


@asynccontextmanager
async def an_agent(home: Home, settings: str, names: Names, variables: Mapping[str, str]) -> AsyncIterator[Node]:
    """A real agent with these settings in its agent.toml."""
    folder = home.path / ".fleetview"
    folder.mkdir(mode=0o700)
    (folder / "agent.toml").write_text(settings)
    arguments = [command("fleetview-agent"), "serve"]
    process = await asyncio.create_subprocess_exec(
        *arguments, env={**home.environment, **variables}, stderr=subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            while not await answers(home.socket, LIMIT_SECONDS):
                assert process.returncode is None, "the agent ended as soon as it was started"
                await asyncio.sleep(0.02)
        async with connect(NodeConfig(name="here", local=True, socket=home.socket)) as client:
            node = Node(client, names)
            watching = asyncio.create_task(node.watch())
            try:
                await node.is_watched()
                yield node
            finally:
                watching.cancel()
                await asyncio.wait({watching})
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def write_models(folder: Path, *names: str) -> list[Path]:
    """A small model for each name, each of other weights, with room for long answers."""
    return [
        write_tiny(folder / f"{name}.gguf", Tiny(name=name, seed=seed, context_length=2 * CONTEXT))
        for seed, name in enumerate(names, 1)
    ]


def cut_in_half(file: Path) -> None:
    """What is left of a download that was cut off."""
    os.truncate(file, file.stat().st_size // 2)
