"""What only the simulated backend does: it breaks, dies and takes its time when told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from fleetview_agent.backends import Notices, build_backends
from fleetview_agent.backends.simulated import SimulatedBackend, plain_engine
from fleetview_agent.config import AgentConfig, LlamaCppConfig, OllamaConfig, SimulatedConfig
from fleetview_agent.errors import BackendFailed, ContextExceeded, Unusable
from fleetview_agent.needs import LoadSettings
from fleetview_agent.planning.fit import need
from fleetview_agent.wire import ChatChunk, ChatMessage, ChatRequest, LoadOptions, ResidentModel

SMALL = "sim-small"


def ignore(_share: float = 0) -> None:
    """For what a test does not ask about."""


def a_backend(load_seconds: float = 0, tokens_per_second: float = 10_000) -> SimulatedBackend:
    config = SimulatedConfig(enabled=True, load_seconds=load_seconds, tokens_per_second=tokens_per_second)
    return SimulatedBackend(plain_engine(config), Notices(ignore))


@pytest.fixture
async def backend() -> AsyncIterator[SimulatedBackend]:
    backend = a_backend()
    await backend.load(SMALL, LoadOptions(context=64), ignore)
    yield backend
    await backend.close()


def a_request(prompt: str, **options: object) -> ChatRequest:
    return ChatRequest.model_validate(
        {"model": SMALL, "messages": [ChatMessage(role="user", content=prompt)], **options}
    )


async def answer(backend: SimulatedBackend, prompt: str, **options: object) -> list[ChatChunk]:
    return [chunk async for chunk in backend.chat(SMALL, a_request(prompt, **options))]


async def resident(backend: SimulatedBackend, name: str) -> ResidentModel:
    return next(model for model in (await backend.status()).resident if model.name == name)


async def test_it_says_again_what_it_was_told(backend: SimulatedBackend) -> None:
    *pieces, last = await answer(backend, "one two  three\nfour")
    assert "".join(chunk.text for chunk in pieces) == "one two  three\nfour"
    assert len(pieces) == 4
    assert last.usage is not None
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (4, 4)


async def test_it_stops_at_the_word_that_ends_an_answer(backend: SimulatedBackend) -> None:
    *pieces, last = await answer(backend, "one two three", stop="two")
    assert "".join(chunk.text for chunk in pieces) == "one"
    assert last.finish_reason == "stop"


async def test_a_prompt_larger_than_the_context_names_both_counts(backend: SimulatedBackend) -> None:
    with pytest.raises(ContextExceeded, match="has 64 tokens, the context of simulated/sim-small 64"):
        await answer(backend, "word " * 64)


async def test_a_broken_model_fails_on_its_way_with_the_last_lines_of_its_engine(backend: SimulatedBackend) -> None:
    shares: list[float] = []
    with pytest.raises(BackendFailed) as failure:
        await backend.load("sim-broken", LoadOptions(), shares.append)
    assert failure.value.exit_status == 1
    assert "missing tensor" in failure.value.log[0]
    assert 0 < max(shares) < 1
    assert [model.name for model in (await backend.status()).resident] == [SMALL]


async def test_an_unusable_model_is_listed_with_its_refusal(backend: SimulatedBackend) -> None:
    listed = {model.name: model.refusal for model in (await backend.status()).models}
    assert listed["sim-unusable"]
    with pytest.raises(Unusable, match="truncated"):
        await backend.header("sim-unusable")
    with pytest.raises(Unusable, match="truncated"):
        await backend.load("sim-unusable", LoadOptions(), ignore)


async def test_a_model_dies_when_it_is_told_to_and_can_be_loaded_again(backend: SimulatedBackend) -> None:
    with pytest.raises(BackendFailed, match="was killed"):
        await answer(backend, "/die")
    dead = await resident(backend, SMALL)
    assert dead.phase == "failed"
    assert dead.failure is not None
    assert dead.failure.exit_status == -9
    assert backend.traffic() == ()
    await backend.load(SMALL, LoadOptions(), ignore)
    assert (await resident(backend, SMALL)).phase == "ready"


async def test_headers_can_be_planned_with(backend: SimulatedBackend) -> None:
    for name in (SMALL, "sim-large", "sim-broken"):
        header = await backend.header(name)
        assert header is not None
        assert header.refusal is None
        assert need(header, LoadSettings(8192)) is not None


async def test_tokens_come_at_the_speed_that_is_set() -> None:
    backend = a_backend(tokens_per_second=50)
    await backend.load(SMALL, LoadOptions(), ignore)
    chunks = await answer(backend, "a b c d e f g h i j")
    timings = chunks[-1].timings
    assert timings is not None
    assert timings.predicted_per_second is not None
    assert 20 < timings.predicted_per_second <= 55
    await backend.close()


async def test_closing_the_backend_ends_an_answer() -> None:
    backend = a_backend(tokens_per_second=0.01)
    await backend.load(SMALL, LoadOptions(), ignore)
    async with aclosing(backend.chat(SMALL, a_request("one"))) as chunks:
        first = asyncio.ensure_future(anext(chunks))
        await asyncio.sleep(0)
        await backend.close()
        with pytest.raises(BackendFailed, match="has left"):
            await asyncio.wait_for(first, 2)


def test_only_enabled_backends_are_built() -> None:
    none = AgentConfig(ollama=OllamaConfig(enabled=False), llamacpp=LlamaCppConfig(enabled=False))
    assert build_backends(none, Notices(ignore)) == ()
    built = build_backends(none.model_copy(update={"simulated": SimulatedConfig(enabled=True)}), Notices(ignore))
    assert [backend.name for backend in built] == ["simulated"]
