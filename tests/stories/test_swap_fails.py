"""A swap that fails, in whichever phase, leaves the former model answering; on llama.cpp and on Ollama."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from fleetview.remote.errors import RemoteError
from fleetview_agent.wire import Operation, Phase
from tests.ollama.installed import install
from tests.ollama.servers import OllamaServer, ollama_server
from tests.ollama.store import Store
from tests.stories.conftest import a_home, needs_engine
from tests.stories.ollama_relay import REFUSED, Exchange, Kind, OllamaRelay, Strike, an_ollama_relay
from tests.stories.ollamas import REAL, STAND_IN
from tests.stories.sabotage.sitecustomize import FOLDER
from tests.stories.swaps import (
    FEW,
    LIMIT_SECONDS,
    MANY,
    Names,
    Node,
    an_agent,
    assert_as_before,
    assert_swapped,
    assert_told,
    cancelled_while_draining,
    cut_in_half,
    refused,
    write_models,
)

pytestmark = needs_engine
SABOTAGE = Path(__file__).parent / "sabotage"
LLAMA_NAMES = Names("llamacpp", "former", "coming", "unusable")
OLLAMA_NAMES = Names("ollama", "former:latest", "coming:latest", "unusable:latest", keep=1800.0)
LOADING: tuple[Phase, ...] = ("plan", "drain", "evict", "load")


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"  # an agent serves many tests, so the loop must outlive each of them


@dataclass(frozen=True)
class LlamaStage:
    """An agent with llama.cpp, whose workers can be told when to die."""

    node: Node
    orders: Path

    async def dies_in(self, phase: Phase) -> Operation:
        """A swap during which the new model's worker dies."""
        order = self.orders / phase
        order.touch()
        operation = await self.node.ended(await self.node.swap())
        assert not order.exists(), "no worker came by"
        return operation

    async def former_pid(self) -> int:
        """The process in which the former model lives."""
        (row,) = await self.node.resident()
        assert row.pid is not None
        return row.pid


@dataclass(frozen=True)
class OllamaStage:
    """An agent with an Ollama, between which things can go wrong."""

    node: Node
    relay: OllamaRelay


@pytest.fixture(scope="module")
async def llama_agent() -> AsyncIterator[LlamaStage]:
    with a_home() as home:
        folder, orders = home.path / "models", home.path / "orders"
        orders.mkdir()
        *_, unusable = write_models(folder, "former", "coming", "unusable")
        cut_in_half(unusable)
        settings = f'[ollama]\nenabled = false\n[llamacpp]\nthreads = 1\nfolders = ["{folder}"]\n'
        path = os.pathsep.join(filter(None, [str(SABOTAGE), os.environ.get("PYTHONPATH")]))
        variables = {"PYTHONPATH": path, FOLDER: str(orders)}
        async with an_agent(home, settings, LLAMA_NAMES, variables) as node:
            yield LlamaStage(node, orders)


@pytest.fixture(scope="module", params=[STAND_IN, REAL])
async def ollama_agent(request: pytest.FixtureRequest) -> AsyncIterator[OllamaStage]:
    with a_home() as home:
        program = install(home.path / "program") if request.param == STAND_IN else shutil.which("ollama")
        if program is None:
            pytest.skip("no `ollama` on PATH")
        with ollama_server(Path(program), home.path / "server") as server:
            make_models(server, write_models(home.path / "files", "former", "coming", "unusable"))
            async with an_ollama_relay(server.address) as relay:
                settings = (
                    f'[ollama]\naddress = "{relay.address}"\nprogram = "{program}"\nmodels = "{server.models}"\n'
                    "[llamacpp]\nenabled = false\n"
                )
                async with an_agent(home, settings, OLLAMA_NAMES, {}) as node:
                    yield OllamaStage(node, relay)


@pytest.fixture
async def llama(llama_agent: LlamaStage) -> LlamaStage:
    await llama_agent.node.bring_former()
    return llama_agent


@pytest.fixture
async def ollama(ollama_agent: OllamaStage) -> OllamaStage:
    await ollama_agent.node.bring_former()
    return ollama_agent


def make_models(server: OllamaServer, files: list[Path]) -> None:
    """Give the files to Ollama; the last one is damaged after that."""
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
        for file in files:
            digest = f"sha256:{hashlib.sha256(content := file.read_bytes()).hexdigest()}"
            client.post(f"/api/blobs/{digest}", content=content).raise_for_status()
            body = {"model": file.stem, "files": {file.name: digest}, "stream": False}
            client.post("/api/create", json=body).raise_for_status()
    weights = Store(server.models).weights(files[-1].stem)
    assert weights is not None
    cut_in_half(weights)


async def llama_drain(stage: LlamaStage) -> Operation:
    former = psutil.Process(await stage.former_pid())
    return await cancelled_while_draining(stage.node, MANY, former.suspend, former.resume)


async def llama_evict(stage: LlamaStage) -> Operation:
    """Cancelled while the former model is about to leave, which nothing can stop any more."""
    former = psutil.Process(await stage.former_pid())
    former.suspend()
    swap = await stage.node.swap()
    await stage.node.phase(swap, "evict")
    await stage.node.row(stage.node.names.former, "unloading")
    await stage.node.client.cancel(swap)
    former.resume()
    operation = await stage.node.ended(swap)
    assert await stage.former_pid() != former.pid
    return operation


async def ollama_drain(stage: OllamaStage) -> Operation:
    may_go_on = asyncio.Event()
    stage.relay.strike("chat", lambda exchange: exchange.pass_on_haltingly(may_go_on))
    operation = await cancelled_while_draining(stage.node, FEW, lambda: None, may_go_on.set)
    assert stage.relay.struck == ["chat"]
    return operation


async def ollama_evict(stage: OllamaStage) -> Operation:
    """Cancelled while the former model is told to leave."""
    told, may_go_on = asyncio.Event(), asyncio.Event()

    async def late(exchange: Exchange) -> None:
        told.set()
        await may_go_on.wait()
        await exchange.pass_on()

    stage.relay.strike("unload", late)
    swap = await stage.node.swap()
    await stage.node.phase(swap, "evict")
    async with asyncio.timeout(LIMIT_SECONDS):
        await told.wait()
    await stage.node.client.cancel(swap)
    may_go_on.set()
    operation = await stage.node.ended(swap)
    assert stage.relay.struck == ["unload"]
    return operation


def struck(kind: Kind, how: Strike) -> Callable[[OllamaStage], Awaitable[Operation]]:
    """A swap of which one request goes wrong on its way to Ollama."""

    async def swap(stage: OllamaStage) -> Operation:
        stage.relay.strike(kind, how)
        operation = await stage.node.ended(await stage.node.swap())
        assert stage.relay.struck == [kind]
        return operation

    return swap


async def break_off(_: Exchange) -> None:
    """The server hears nothing, and the agent no answer."""


async def lose_the_answer(exchange: Exchange) -> None:
    """The server does it, and the agent does not hear of that."""
    await exchange.pass_on(back=False)


async def refuse(exchange: Exchange) -> None:
    """An answer that says no."""
    await exchange.say(REFUSED)


REFUSAL, CANCELLED, BROKEN = "unusable.* is truncated", "cancelled$", "Ollama at .* broke off"
LLAMA_FAILURES = {
    "plan": (lambda stage: refused(stage.node), ("plan",), REFUSAL),
    "drain": (llama_drain, ("plan", "drain"), CANCELLED),
    "evict": (llama_evict, ("plan", "drain", "evict", "roll_back"), CANCELLED),
    "load": (lambda stage: stage.dies_in("load"), (*LOADING, "roll_back"), ".*SIGKILL.* while it was loaded"),
    "warm": (lambda stage: stage.dies_in("warm"), (*LOADING, "warm", "roll_back"), ".*SIGKILL.* during an answer"),
}
OLLAMA_FAILURES = {
    "plan": (lambda stage: refused(stage.node), ("plan",), REFUSAL),
    "drain": (ollama_drain, ("plan", "drain"), CANCELLED),
    "evict, cancelled": (ollama_evict, ("plan", "drain", "evict", "roll_back"), CANCELLED),
    "evict, not heard": (struck("unload", break_off), ("plan", "drain", "evict", "roll_back"), BROKEN),
    "evict, done unheard": (struck("unload", lose_the_answer), ("plan", "drain", "evict", "roll_back"), BROKEN),
    "load, refused": (struck("load", refuse), (*LOADING, "roll_back"), "Ollama: sabotage"),
    "load, done unheard": (struck("load", lose_the_answer), (*LOADING, "roll_back"), BROKEN),
    "warm": (struck("warm", break_off), (*LOADING, "warm", "roll_back"), BROKEN),
}


@pytest.mark.parametrize("failure", LLAMA_FAILURES)
async def test_a_swap_that_fails_on_llamacpp_leaves_the_former_model_answering(llama: LlamaStage, failure: str) -> None:
    fail, phases, cause = LLAMA_FAILURES[failure]
    operation = await fail(llama)
    assert_told(operation, phases, cause)
    await assert_as_before(llama.node, operation)


async def test_a_former_model_that_dies_while_it_drains_does_not_hold_up_the_swap(llama: LlamaStage) -> None:
    node = llama.node
    former = psutil.Process(await llama.former_pid())
    async with node.an_answer(node.names.former, MANY) as chunks:
        await anext(chunks)
        former.suspend()
        swap = await node.swap()
        await node.phase(swap, "drain")
        former.kill()
        with pytest.raises(RemoteError, match="SIGKILL"):
            _ = [chunk async for chunk in chunks]
    assert (await node.ended(swap)).result == "done"
    await assert_swapped(node)


async def test_a_swap_without_a_failure_works_after_all_of_that_on_llamacpp(llama: LlamaStage) -> None:
    assert (await llama.node.ended(await llama.node.swap())).result == "done"
    await assert_swapped(llama.node)


@pytest.mark.parametrize("failure", OLLAMA_FAILURES)
async def test_a_swap_that_fails_on_ollama_leaves_the_former_model_answering(ollama: OllamaStage, failure: str) -> None:
    fail, phases, cause = OLLAMA_FAILURES[failure]
    operation = await fail(ollama)
    assert_told(operation, phases, cause)
    await assert_as_before(ollama.node, operation)


async def test_a_swap_without_a_failure_works_after_all_of_that_on_ollama(ollama: OllamaStage) -> None:
    assert (await ollama.node.ended(await ollama.node.swap())).result == "done"
    await assert_swapped(ollama.node)
