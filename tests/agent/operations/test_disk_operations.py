"""Pull, create and delete: beside the queue, and each of them can be broken off."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from fleetview_agent.agent import Agent
from fleetview_agent.errors import BackendFailed
from fleetview_agent.wire import (
    CreateRequest,
    DeleteRequest,
    Operation,
    OperationChanged,
    PullRequest,
    Transfer,
)
from tests.agents import (
    Plain,
    a_load,
    a_running_agent,
    a_swap,
    an_unload,
    event,
    make_loads_take,
    outcome,
    phase,
    residents,
)
from tests.builders import AUTHOR

SMALL, LARGE, NEW = "sim-small", "sim-large", "sim-new"


def a_pull(model: str = NEW) -> PullRequest:
    return PullRequest(author=AUTHOR, backend="simulated", model=model)


def a_delete(model: str = NEW) -> DeleteRequest:
    return DeleteRequest(author=AUTHOR, backend="simulated", model=model)


def a_create(source: str, model: str = NEW) -> CreateRequest:
    return CreateRequest(author=AUTHOR, backend="simulated", model=model, source=source)


async def models(agent: Agent) -> set[str]:
    (state,) = (await agent.snapshot()).backends
    return {file.name for file in state.models}


async def came(agent: Agent, operation: Operation, least_bytes: int) -> Transfer:
    """How far a transfer has come, once it is that far."""

    def is_that_far(one: Any) -> bool:
        return (
            isinstance(one, OperationChanged)
            and one.operation.id == operation.id
            and one.operation.transfer is not None
            and one.operation.transfer.done_bytes >= least_bytes
        )

    seen = await event(agent, is_that_far)
    assert isinstance(seen, OperationChanged)
    assert seen.operation.transfer is not None
    return seen.operation.transfer


async def test_a_pull_brings_a_model_and_its_inverse_deletes_it(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        done = await outcome(agent, a_pull())
        assert [row.phase for row in done.phases] == ["plan", "pull", "ready"]
        assert done.transfer is not None
        assert done.transfer.done_bytes == done.transfer.total_bytes
        assert done.inverse == a_delete()
        assert NEW in await models(agent)
        assert (await outcome(agent, a_pull())).inverse is None
        assert (await outcome(agent, a_delete())).result == "done"
        assert NEW not in await models(agent)


async def test_a_pull_tells_its_bytes_speed_and_time_and_holds_up_no_swap(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path, load_seconds=2.0) as agent:
        operation = agent.operator.submit(a_pull())
        transfer = await came(agent, operation, 1)
        assert transfer.total_bytes
        assert transfer.bytes_per_second
        assert transfer.seconds_left
        make_loads_take(agent, 0.0)
        assert (await outcome(agent, a_swap(SMALL))).result == "done"
        assert [row.id for row in agent.operator.operations] == [operation.id]
        assert (await outcome(agent, operation)).result == "done"


async def test_a_transfer_is_told_a_few_times_a_second_at_most(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path, load_seconds=0.2) as agent:
        told: list[Operation] = []
        agent.operator._publish = told.append
        await outcome(agent, agent.operator.submit(a_pull()))
        during = [one for one in told if one.phase == "pull" and one.transfer and one.result is None]
        assert 1 <= len(during) <= 2


async def test_a_cancelled_pull_goes_on_where_it_was(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path, load_seconds=1.0) as agent:
        operation = agent.operator.submit(a_pull())
        far = await came(agent, operation, 200_000_000)
        agent.operator.cancel(operation.id)
        ended = await outcome(agent, operation)
        assert (ended.result, ended.cause) == ("rolled_back", "cancelled; pull it again to go on where it was")
        assert ended.transfer is not None
        assert ended.transfer.bytes_per_second is None
        assert NEW not in await models(agent)
        again = agent.operator.submit(a_pull())
        assert (await came(agent, again, 0)).done_bytes >= far.done_bytes
        assert (await outcome(agent, again)).result == "done"


async def test_a_pull_that_breaks_off_says_why_and_that_it_goes_on(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:

        async def break_off(_: str) -> Any:
            yield Transfer(done_bytes=7, total_bytes=9)
            raise BackendFailed("the registry hung up")

        agent.backends["simulated"].pull = break_off  # type: ignore[attr-defined]  # scripted
        ended = await outcome(agent, a_pull())
        assert (ended.result, ended.cause) == (
            "rolled_back",
            "the registry hung up; pull it again to go on where it was",
        )


async def test_what_the_registry_lacks_is_told_in_its_words(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        ended = await outcome(agent, a_pull("other"))
        assert (ended.result, ended.cause) == ("rolled_back", "there is no model other in the registry")


async def test_the_same_model_is_not_pulled_twice_at_once_but_another_one_is(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path, load_seconds=0.5) as agent:
        first, second, other = (agent.operator.submit(a_pull(name)) for name in (NEW, NEW, "sim-other"))
        refused = await outcome(agent, second)
        assert refused.refused
        assert refused.cause == ("a pull of simulated/sim-new is in hand already; wait for its end, or cancel it")
        plan = await agent.plan(a_delete())
        assert plan.refusal == refused.cause
        assert [(await outcome(agent, one)).result for one in (first, other)] == ["done", "done"]


async def test_a_delete_can_be_cancelled_while_it_waits(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path, delete_wait_seconds=60) as agent:
        operation = agent.operator.submit(a_delete(LARGE))
        await phase(agent, operation, "wait")
        assert (await outcome(agent, a_swap(SMALL))).result == "done"
        agent.operator.cancel(operation.id)
        assert (await outcome(agent, operation)).result == "rolled_back"
        assert LARGE in await models(agent)


async def test_a_delete_is_refused_for_what_is_in_memory_also_after_its_wait(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path, delete_wait_seconds=0.5) as agent:
        operation = agent.operator.submit(a_delete(SMALL))
        await phase(agent, operation, "wait")
        await outcome(agent, a_load(SMALL))
        ended = await outcome(agent, operation)
        assert (ended.refused, ended.cause) == (True, "simulated/sim-small is resident; unload it first")
        assert (await agent.plan(a_delete(SMALL))).refusal == ended.cause
        assert list(await residents(agent)) == [SMALL]
        await outcome(agent, an_unload(SMALL))
        assert (await outcome(agent, a_delete(SMALL))).inverse is None


async def test_what_is_deleted_should_no_longer_run(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load(SMALL))
        await agent.backends["simulated"].unload(SMALL)  # it fell out of memory; nobody took it
        assert list(agent._wishes.running("simulated")) == [SMALL]
        assert (await outcome(agent, a_delete(SMALL))).result == "done"
        assert agent._wishes.running("simulated") == {}


async def test_what_is_not_there_is_not_deleted(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        ended = await outcome(agent, a_delete("sim-smal"))
        assert (ended.refused, ended.cause) == (True, "simulated has no model sim-smal")


async def test_a_model_is_made_of_a_file_or_of_another_model(tmp_path: Path) -> None:
    file = tmp_path / "m.gguf"
    file.write_bytes(b"GGUF")
    async with a_running_agent(tmp_path) as agent:
        done = await outcome(agent, a_create(str(file)))
        assert (done.result, done.inverse) == ("done", a_delete())
        assert [row.phase for row in done.phases] == ["plan", "create", "ready"]
        assert (await outcome(agent, a_create("simulated/sim-large", "sim-other"))).result == "done"
        assert {NEW, "sim-other"} <= await models(agent)


async def test_a_source_that_is_not_there_or_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        causes = [
            (await outcome(agent, request)).cause
            for request in (
                a_create(str(tmp_path / "none.gguf")),
                a_create("simulated/none"),
                a_create("none"),
                a_create("simulated/sim-large", SMALL),
            )
        ]
        assert causes == [
            f"there is no file {tmp_path / 'none.gguf'} on this node; `fleetview models` lists those that are known",
            "simulated has no model none",
            "none is neither a file nor a model",
            "simulated/sim-small is there already; choose another name, or delete it first",
        ]


async def test_a_model_is_made_of_itself_with_other_settings(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        done = await outcome(agent, a_create("simulated/sim-small", SMALL))
        assert (done.result, done.inverse) == ("done", None)


async def test_a_backend_that_stores_nothing_refuses(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        agent.backends["simulated"] = Plain(agent.backends["simulated"])
        ended = await outcome(agent, a_pull())
        assert ended.refused
        assert ended.cause == "simulated cannot pull models; it lists the GGUF files that are in its folders"


async def test_an_agent_that_stops_during_a_pull_says_so_in_the_journal(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path, load_seconds=60) as agent:
        operation = agent.operator.submit(a_pull())
        await phase(agent, operation, "pull")
    async with a_running_agent(tmp_path) as agent:
        (ended,) = agent.journal.ended(5)
        assert (ended.id, ended.result, ended.cause) == (operation.id, "interrupted", "the agent was stopped")


async def test_a_pull_cancelled_before_it_began_brings_nothing(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        operation = agent.operator.submit(a_pull())
        agent.operator.cancel(operation.id)
        assert (await outcome(agent, operation)).result == "rolled_back"
        await asyncio.sleep(0)
        assert NEW not in await models(agent)
