"""Several nodes that were asked for something, and what is heard of them while a journal is being read."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from fleetview.fleet import Ended, NodeState
from fleetview.messages import RequestFailed
from fleetview.screens.batch import Batch
from fleetview.wishes.batch import Row, Target, unfinished
from fleetview.wishes.subject import Subject
from fleetview_agent.wire import Operation, Order, UnloadRequest
from tests.builders import AUTHOR, an_operation

UNLOAD = UnloadRequest(author=AUTHOR, backend="ollama", model="small")


def test_marks_stay_where_something_failed_or_was_lost_sight_of() -> None:
    done, failed = (an_operation(result=result) for result in ("done", "failed"))
    rows = (
        Row(Target("a", UNLOAD), "1", done),
        Row(Target("a", UNLOAD.model_copy(update={"model": "large"})), "2", failed),
        Row(Target("b", UNLOAD), "3", done),
        Row(Target("c", UNLOAD), "4", lost="no route to host"),
        Row(Target("d", refusal="not connected")),
    )
    subjects = [Subject(NodeState(name)) for name in "abcd"]
    assert [one.node.name for one in subjects if unfinished(one, rows)] == ["a", "c"]
    models = [Subject(NodeState("a"), "ollama", model) for model in ("small", "large")]
    assert [one.model for one in models if unfinished(one, rows)] == ["large"]


async def test_an_end_that_is_heard_of_while_the_journal_is_read_stands() -> None:
    running = an_operation(id="op-1", request=UNLOAD)
    done = running.model_copy(update={"result": "done", "phase": "ready"})
    asked, answer = asyncio.Event(), asyncio.Event()

    async def operate(_node: str, _request: Order) -> str:
        return "op-1"

    async def journal(_node: str, _limit: int) -> tuple[Operation, ...]:
        asked.set()
        await answer.wait()
        raise RequestFailed("studio went away again")

    batch = Batch("unload", (Target("studio", UNLOAD),), operate, journal)
    await batch.ask()
    up = NodeState("studio", link="up", heard_at=1.0, operations=(running,))
    batch.follow({"studio": up})
    batch.follow({"studio": replace(up, operations=())})
    searching = asyncio.create_task(batch.search())
    await asked.wait()
    batch.follow({"studio": replace(up, operations=(), last=Ended(done, 2.0))})
    answer.set()
    await searching
    assert [row.state for row in batch.rows] == ["done"]
