"""What every backend does: one suite over all of them, with the real engines, and a stand-in for Ollama."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from fleetview_agent.backends.llamacpp import second_file
from fleetview_agent.errors import AgentError, BadRequest, ContextExceeded, NotFound, NotResident, Unusable
from fleetview_agent.wire import CompletionRequest, LoadOptions, Traffic
from tests.agent.backends.subjects import CONTEXT, Subject, a_request, llamacpp, ollama, real_ollama, simulated

PATIENCE_SECONDS = 20.0


@pytest.fixture(params=[simulated, llamacpp, ollama, real_ollama], ids=lambda made: made.__name__)
async def subject(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Subject]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(second_file, "CARRIER", "no_such_package")
    changes: list[None] = []
    backend, good, unusable = request.param(request, tmp_path, lambda: changes.append(None))
    async with asyncio.timeout(PATIENCE_SECONDS):
        yield Subject(backend, good, unusable, changes)
        for model in (await backend.status()).resident:  # in a server that outlives the backend
            await backend.unload(model.name)
        await backend.close()


async def until(holds: Callable[[], bool]) -> None:
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS / 2
    while not holds():
        assert asyncio.get_running_loop().time() < deadline, "it never came true"
        await asyncio.sleep(0.002)


async def test_a_backend_lists_what_it_could_load_and_holds_nothing(subject: Subject) -> None:
    state = await subject.backend.status()
    assert state.backend == subject.backend.name
    assert "/" not in state.backend
    assert (state.phase, state.resident) == ("ready", ())
    assert state.version
    files = {file.name: file for file in state.models}
    good, unusable = files[subject.good], files[subject.unusable]
    assert good.refusal is None
    assert good.identity
    assert good.quantization
    assert good.default_context
    assert good.size_bytes > 0
    assert unusable.refusal
    assert "truncated" in unusable.refusal


async def test_a_header_tells_what_a_model_needs(subject: Subject) -> None:
    header = await subject.backend.header(subject.good)
    assert header is not None
    assert header.refusal is None
    assert header.block_count
    with pytest.raises(NotFound):
        await subject.backend.header("no-such-model")
    with pytest.raises(Unusable):
        await subject.backend.header(subject.unusable)


async def test_a_load_tells_its_progress_and_ends_ready(subject: Subject) -> None:
    shares: list[float] = []
    await subject.backend.load(subject.good, LoadOptions(context=CONTEXT), shares.append)
    assert all(0 <= share <= 1 for share in shares)
    assert shares == sorted(shares)
    (model,) = await subject.resident()
    assert (model.name, model.phase, model.context) == (subject.good, "ready", CONTEXT)
    assert model.failure is None
    assert model.memory_bytes
    assert len(subject.changes) >= 2


async def test_a_model_is_seen_while_it_loads(subject: Subject) -> None:
    load = asyncio.create_task(subject.load())
    await until(lambda: bool(subject.changes))
    (model,) = await subject.resident()
    assert model.phase == "loading"
    await load


async def test_a_cancelled_load_leaves_the_model_out_of_memory(subject: Subject) -> None:
    load = asyncio.create_task(subject.load())
    await until(lambda: bool(subject.changes))
    load.cancel()
    with pytest.raises(asyncio.CancelledError):
        await load
    assert await subject.resident() == ()
    await subject.load()


async def test_what_cannot_be_loaded_is_refused_and_nothing_is_resident(subject: Subject) -> None:
    with pytest.raises(NotFound):
        await subject.backend.load("no-such-model", LoadOptions(), lambda _share: None)
    with pytest.raises(Unusable, match="truncated"):
        await subject.backend.load(subject.unusable, LoadOptions(), lambda _share: None)
    assert await subject.resident() == ()


async def test_a_second_load_changes_nothing_and_another_context_needs_an_unload(subject: Subject) -> None:
    await subject.load()
    await subject.load()
    with pytest.raises(BadRequest, match=str(CONTEXT)):
        await subject.backend.load(subject.good, LoadOptions(context=2 * CONTEXT), lambda _share: None)
    assert [model.context for model in await subject.resident()] == [CONTEXT]


async def test_holding_a_preparation_without_a_load_leaves_nothing(subject: Subject) -> None:
    async with subject.backend.preparing():
        pass
    assert await subject.resident() == ()


async def test_a_model_that_was_prepared_for_is_warmed_and_answers(subject: Subject) -> None:
    async with subject.backend.preparing():
        await subject.load()
    await subject.backend.warm(subject.good)
    *pieces, last = await subject.answer(max_tokens=2)
    assert all(chunk.finish_reason is None for chunk in pieces)
    assert last.finish_reason in {"stop", "length"}
    assert last.usage is not None
    assert last.usage.prompt_tokens > 0
    assert 0 < last.usage.completion_tokens <= 2
    assert last.timings is not None
    assert last.timings.predicted_n == last.usage.completion_tokens
    (model,) = await subject.resident()
    assert model.time_to_first_token_seconds is not None
    assert model.time_to_first_token_seconds >= 0
    assert model.idle_seconds is not None


async def test_what_is_not_resident_does_nothing(subject: Subject) -> None:
    with pytest.raises(NotResident):
        await subject.backend.warm(subject.good)
    with pytest.raises(NotResident):
        await subject.answer()
    with pytest.raises(NotResident):
        await subject.backend.unload(subject.good)
    with pytest.raises((NotFound, NotResident)):
        await subject.backend.unload("no-such-model")


async def test_a_prompt_larger_than_the_context_is_refused_before_the_first_chunk(subject: Subject) -> None:
    await subject.load()
    with pytest.raises(ContextExceeded, match=str(CONTEXT)):
        await subject.answer("word " * CONTEXT)
    assert await subject.answer(max_tokens=1)


async def test_closing_an_answer_cancels_it_and_the_next_one_is_served(subject: Subject) -> None:
    await subject.load()
    async with aclosing(subject.backend.chat(subject.good, a_request("word " * 60))) as chunks:
        await anext(chunks)
    assert await subject.answer(max_tokens=1)
    assert [row.in_flight for row in await subject.traffic()] == [0]


async def test_one_answer_at_a_time_and_the_queue_is_seen(subject: Subject) -> None:
    if subject.backend.name == "ollama":
        pytest.skip("the queue of its server cannot be seen")
    await subject.load()
    async with aclosing(subject.backend.chat(subject.good, a_request("word " * 60))) as chunks:
        await anext(chunks)
        second = asyncio.create_task(subject.answer(max_tokens=1))
        await until(lambda: traffic_of(subject).queued == 1)
        assert traffic_of(subject).in_flight == 1
    assert await second
    assert (traffic_of(subject).in_flight, traffic_of(subject).queued) == (0, 0)


def traffic_of(subject: Subject) -> Traffic:
    (row,) = subject.backend.traffic()
    return row


async def test_traffic_of_an_idle_model_is_a_measured_zero(subject: Subject) -> None:
    assert await subject.traffic() == ()
    await subject.load()
    await subject.traffic()
    (row,) = await subject.traffic()
    assert (row.backend, row.model) == (subject.backend.name, subject.good)
    assert row.generation_tokens_per_second == 0
    assert row.prompt_tokens_per_second is None


async def test_an_unload_ends_answers_with_an_error_and_frees_the_model(subject: Subject) -> None:
    await subject.load()
    async with aclosing(subject.backend.chat(subject.good, a_request("word " * 60))) as chunks:
        await anext(chunks)
        await subject.backend.unload(subject.good)
        with pytest.raises(AgentError):
            async for _ in chunks:
                pass
    assert await subject.resident() == ()
    await subject.load()
    assert [model.phase for model in await subject.resident()] == ["ready"]


async def test_a_closed_backend_holds_nothing(subject: Subject) -> None:
    if subject.backend.name == "ollama":
        pytest.skip("its server is not the backend's, and goes on")
    await subject.load()
    await subject.backend.close()
    assert await subject.resident() == ()


async def test_a_text_goes_on_as_far_as_is_wanted(subject: Subject) -> None:
    request = CompletionRequest(model="any", prompt="one two three", max_tokens=2, temperature=0)
    with pytest.raises(NotResident):
        await anext(subject.backend.complete(subject.good, request))
    await subject.load()
    async with aclosing(subject.backend.complete(subject.good, request)) as chunks:
        *_, last = [chunk async for chunk in chunks]
    assert last.finish_reason == "length"
    assert last.usage is not None
    assert last.usage.completion_tokens == 2
