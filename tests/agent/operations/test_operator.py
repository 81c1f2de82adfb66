"""Operations: one at a time, and either done or undone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from fleetview_agent.agent import Agent
from fleetview_agent.errors import BackendFailed, BadRequest, Draining, NotFound, StorageFailed
from fleetview_agent.serving.chats import answer
from fleetview_agent.wire import ChatMessage, ChatRequest, LoadOptions, LoadRequest, SwapRequest, UnloadRequest
from tests.agents import a_load, a_running_agent, a_swap, an_unload, outcome, phase, residents

SMALL, LARGE, BROKEN, UNUSABLE = "sim-small", "sim-large", "sim-broken", "sim-unusable"


def a_prompt(model: str, words: int = 5) -> ChatRequest:
    content = " ".join(f"word{number}" for number in range(words))
    return ChatRequest(model=f"simulated/{model}", messages=(ChatMessage(role="user", content=content),))


async def an_answer(agent: Agent, request: ChatRequest) -> str:
    async with aclosing(answer(agent, request)) as chunks:
        return "".join([chunk.text async for chunk in chunks])


def failing(cause: str) -> Callable[..., Awaitable[None]]:
    async def fail(*_: object) -> None:
        raise BackendFailed(cause, log=("the engine's last line",))

    return fail


async def test_a_load_goes_through_its_phases_and_says_what_undoes_it(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        done = await outcome(agent, a_load(SMALL, options={"context": 2048}))
        assert done.result == "done"
        assert [row.phase for row in done.phases] == ["plan", "load", "warm", "ready"]
        assert all(row.seconds is not None for row in done.phases)
        assert done.inverse == an_unload(SMALL)
        assert await residents(agent) == {SMALL: 2048}


async def test_a_model_that_left_by_itself_during_the_drain_holds_up_no_swap(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL))
        backend = agent.backends["simulated"]
        unload = backend.unload

        async def left_already(model: str) -> None:
            await unload(model)
            await unload(model)

        backend.unload = left_already  # type: ignore[method-assign]  # its time was over a moment before
        done = await outcome(agent, a_swap(LARGE))
        assert (done.result, list(await residents(agent))) == ("done", [LARGE])


async def test_what_somebody_else_loaded_meanwhile_is_not_taken_away_by_a_roll_back(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        backend = agent.backends["simulated"]
        load = backend.load

        async def there_already(model: str, *_: object) -> None:
            await load(model, LoadOptions(context=512), lambda _: None)
            raise BadRequest("it is resident with a context of 512 tokens")

        backend.load = there_already  # type: ignore[method-assign]  # another client was faster
        ended = await outcome(agent, a_load(SMALL, options={"context": 2048}))
        assert ended.result == "rolled_back"
        assert await residents(agent) == {SMALL: 512}


async def test_a_model_that_was_there_before_stays_when_one_that_should_come_beside_it_fails(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL, options={"context": 1024}))
        ended = await outcome(agent, a_swap(SMALL, options={"context": 1024}, evict="none", beside=[a_load(BROKEN)]))
        assert (ended.result, ended.evictions) == ("rolled_back", ())
        assert await residents(agent) == {SMALL: 1024}


async def test_a_swap_replaces_the_model_and_its_inverse_brings_it_back(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL, options={"context": 2048}))
        done = await outcome(agent, a_swap(LARGE))
        assert [row.phase for row in done.phases] == ["plan", "drain", "evict", "load", "warm", "ready"]
        assert done.evictions == (f"simulated/{SMALL}",)
        assert list(await residents(agent)) == [LARGE]
        assert done.inverse is not None
        assert isinstance(done.inverse, SwapRequest)
        assert (await outcome(agent, done.inverse)).result == "done"
        assert await residents(agent) == {SMALL: 2048}


async def test_an_unload_frees_the_model_and_its_inverse_loads_it_again(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL, options={"context": 2048}))
        done = await outcome(agent, an_unload(SMALL))
        assert await residents(agent) == {}
        assert done.inverse == LoadRequest(
            author=done.request.author, backend="simulated", model=SMALL, options=LoadOptions(context=2048), pin=False
        )


@pytest.mark.parametrize("step", ["load", "warm"])
async def test_a_swap_that_fails_leaves_the_former_model_as_it_was(tmp_path: Path, step: str) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL, options={"context": 2048}))
        backend = agent.backends["simulated"]
        original, calls = getattr(backend, step), []

        async def fail_once(*arguments: object) -> None:
            calls.append(arguments)
            if len(calls) == 1:
                raise BackendFailed("out of memory", log=("the engine's last line",))
            await original(*arguments)

        setattr(backend, step, fail_once)
        ended = await outcome(agent, a_swap(LARGE))
        assert (ended.result, ended.cause) == ("rolled_back", "out of memory")
        assert ended.log == ("the engine's last line",)
        assert ended.phases[-1].phase == "roll_back"
        assert await residents(agent) == {SMALL: 2048}
        assert await an_answer(agent, a_prompt(SMALL)) != ""


async def test_an_engine_that_fails_a_load_costs_nothing_else(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL))
        ended = await outcome(agent, a_swap(BROKEN))
        assert ended.result == "rolled_back"
        assert ended.cause
        assert list(await residents(agent)) == [SMALL]


async def test_when_going_back_fails_too_it_says_plainly_what_is_resident(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL))
        agent.backends["simulated"].load = failing("out of memory")  # type: ignore[method-assign]  # scripted
        ended = await outcome(agent, a_swap(LARGE))
        assert ended.result == "failed"
        assert ended.cause == "out of memory; going back failed too: out of memory. Resident now: nothing"


async def test_an_unusable_file_is_refused_before_anything_leaves(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL))
        ended = await outcome(agent, a_swap(UNUSABLE))
        assert (ended.result, ended.refused) == ("failed", True)
        assert [row.phase for row in ended.phases] == ["plan"]
        assert list(await residents(agent)) == [SMALL]


async def test_a_swap_waits_for_the_one_before_it(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path, load_seconds=0.2) as agent:
        first, second = agent.operator.submit(a_swap(SMALL)), agent.operator.submit(a_swap(LARGE))
        await phase(agent, first, "load")
        assert [row.phase for row in agent.operator.operations] == ["load", "queued"]
        assert (await outcome(agent, second)).evictions == (f"simulated/{SMALL}",)
        assert list(await residents(agent)) == [LARGE]


async def test_cancelling_a_load_brings_back_what_had_left(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path, load_seconds=0.3) as agent:
        await outcome(agent, a_load(SMALL))
        operation = agent.operator.submit(a_swap(LARGE))
        await phase(agent, operation, "load")
        agent.operator.cancel(operation.id)
        ended = await outcome(agent, operation)
        assert (ended.result, ended.cause) == ("rolled_back", "cancelled")
        assert list(await residents(agent)) == [SMALL]


async def test_cancelling_what_waits_never_begins_it(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path, load_seconds=0.2) as agent:
        first, second = agent.operator.submit(a_swap(SMALL)), agent.operator.submit(a_swap(LARGE))
        await phase(agent, first, "load")
        agent.operator.cancel(second.id)
        assert (await outcome(agent, second)).phases == ()
        assert (await outcome(agent, first)).result == "done"
        assert list(await residents(agent)) == [SMALL]


async def test_what_has_ended_cannot_be_cancelled(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        done = await outcome(agent, a_load(SMALL))
        with pytest.raises(NotFound, match="there is no operation"):
            agent.operator.cancel(done.id)


async def test_a_swap_lets_the_answer_in_progress_end_and_turns_new_ones_away(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path, tokens_per_second=20) as agent:
        await outcome(agent, a_load(SMALL))
        answering = asyncio.create_task(an_answer(agent, a_prompt(SMALL, 10)))
        while not agent.gate.in_progress([f"simulated/{SMALL}"]):
            await asyncio.sleep(0)
        operation = agent.operator.submit(a_swap(LARGE))
        await phase(agent, operation, "drain")
        with pytest.raises(Draining):
            await an_answer(agent, a_prompt(SMALL))
        assert (await outcome(agent, operation)).result == "done"
        assert "word9" in await answering


async def test_an_answer_that_takes_too_long_is_cut_with_an_error(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path, tokens_per_second=1, drain_seconds=0.1) as agent:
        await outcome(agent, a_load(SMALL))
        answering = asyncio.create_task(an_answer(agent, a_prompt(SMALL, 100)))
        while not agent.gate.in_progress([f"simulated/{SMALL}"]):
            await asyncio.sleep(0)
        assert (await outcome(agent, a_swap(LARGE))).result == "done"
        with pytest.raises(BackendFailed):
            await answering


async def test_an_agent_that_stops_in_the_midst_says_so_in_the_journal(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path, load_seconds=60) as agent:
        operation = agent.operator.submit(a_load(SMALL))
        await phase(agent, operation, "load")
    async with a_running_agent(tmp_path) as again:
        (ended,) = again.journal.ended(10)
        assert (ended.id, ended.result) == (operation.id, "interrupted")


async def test_nothing_is_changed_while_the_journal_cannot_be_written(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        agent.journal._database.execute("PRAGMA query_only = 1")
        with pytest.raises(StorageFailed, match="cannot be written"):
            agent.operator.submit(a_load(SMALL))
        assert agent.operator.operations == ()
        assert (await agent.snapshot()).samples


async def test_a_bug_in_a_backend_ends_the_operation_and_not_the_agent(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:

        async def buggy(*_: object) -> None:
            raise ZeroDivisionError

        original = agent.backends["simulated"].load
        agent.backends["simulated"].load = buggy  # type: ignore[method-assign]  # scripted
        ended = await outcome(agent, a_load(SMALL))
        assert (ended.result, ended.cause) == ("rolled_back", "an error in the agent: ZeroDivisionError, see its log")
        agent.backends["simulated"].load = original  # type: ignore[method-assign]  # as it was
        assert (await outcome(agent, a_load(SMALL))).result == "done"


async def test_the_context_of_the_last_load_is_the_next_default(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL, options={"context": 1536}))
        await outcome(agent, an_unload(SMALL))
        plan = await agent.plan(a_load(SMALL))
        assert plan.context == 1536
        assert plan.expected_seconds is not None


async def test_what_is_not_resident_cannot_be_unloaded(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        ended = await outcome(agent, an_unload(SMALL))
        assert ended.result != "done"
        assert "not resident" in (ended.cause or "")


async def test_an_unknown_backend_is_not_even_queued(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        with pytest.raises(NotFound, match="no backend vllm"):
            agent.operator.submit(UnloadRequest(author="a@b", backend="vllm", model="m"))


async def test_loading_what_is_there_changes_nothing_and_teaches_nothing(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path, load_seconds=0.1) as agent:
        await outcome(agent, a_load(SMALL))
        learned = (await agent.plan(a_swap(LARGE, evict="none"))).expected_seconds, await residents(agent)
        done = await outcome(agent, a_load(SMALL))
        assert (done.result, done.inverse, [row.phase for row in done.phases]) == ("done", None, ["plan", "ready"])
        assert ((await agent.plan(a_swap(LARGE, evict="none"))).expected_seconds, await residents(agent)) == learned


async def test_what_is_there_already_does_not_let_all_others_leave_without_a_word(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL))
        await outcome(agent, a_load(LARGE))
        ended = await outcome(agent, a_swap(SMALL, evict="all"))
        assert ended.refused
        assert "unload" in (ended.cause or "")
        assert set(await residents(agent)) == {SMALL, LARGE}
