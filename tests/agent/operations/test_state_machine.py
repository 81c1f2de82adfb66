"""Random sequences of operations, failures, cancels, stops and kills: what must hold whatever happens."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from fleetview_agent import states
from fleetview_agent.errors import RefusedOperation
from fleetview_agent.wire import (
    DeleteRequest,
    LoadRequest,
    Operation,
    PinRequest,
    PullRequest,
    Request,
    RestartRequest,
    StartRequest,
    StopRequest,
    SwapRequest,
    UndoRequest,
    UnloadRequest,
    UnpinRequest,
    target,
)
from tests.builders import AUTHOR
from tests.driven import DrivenNode, Picture
from tests.random_requests import CHANGES, DISTURBANCES, LOADS, MOMENTS, REQUESTS, aimed, moment_of

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Done:
    """An operation that is done, and the node before and after it."""

    operation: Operation
    before: Picture
    after: Picture
    covered: bool = False
    """Whether a later one cannot be undone, so that this one has to be named."""


class NodeMachine(RuleBasedStateMachine):
    """One node, whatever happens to it."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._runner = asyncio.Runner()
        self._node = DrivenNode(Path(self._folder.name))
        self._done: list[Done] = []
        """What can be undone still, the newest last."""
        self._run(self._node.begin())

    def teardown(self) -> None:
        """The journal must hold every operation once, however its agent ended."""
        try:
            if self._node._life is not None and not self._node._life.done():
                self._run(self._node.end())
            database = sqlite3.connect(Path(self._folder.name) / "journal.sqlite")
            rows = database.execute("SELECT id, json_extract(json, '$.result') FROM operations").fetchall()
            database.close()
            kept = dict(rows)
            assert len(kept) == len(rows)
            assert [one for one in self._node.submitted if kept.get(one) is None] == []
        finally:
            self._runner.close()
            self._folder.cleanup()

    @rule(request=LOADS)
    def load(self, request: Request) -> None:
        """A model comes, undisturbed."""
        self._run(self._carry_out(request))

    @rule(request=CHANGES)
    def change(self, request: Request) -> None:
        """Anything else, undisturbed."""
        self._run(self._carry_out(request))

    @rule(request=LOADS, moment=MOMENTS)
    def cancel_load(self, request: Request, moment: tuple[int, int]) -> None:
        """A model comes, and is cancelled at any moment."""
        self._run(self._carry_out(request, cancel_in=moment))

    @rule(request=CHANGES, moment=MOMENTS)
    def cancel_change(self, request: Request, moment: tuple[int, int]) -> None:
        """Anything else that is cancelled at any moment."""
        self._run(self._carry_out(request, cancel_in=moment))

    @rule(request=REQUESTS, step=st.sampled_from(("load", "warm", "unload", "keep", "start", "stop")))
    def fail(self, request: Request, step: str) -> None:
        """One during which the engine fails once."""
        self._run(self._fail(request, step))

    @rule(first=REQUESTS, second=REQUESTS, moment=MOMENTS)
    def carry_out_two(self, first: Request, second: Request, moment: tuple[int, int]) -> None:
        """Two at once, of which the second may be cancelled."""
        self._run(self._carry_out_two(first, second, moment))
        self._done.clear()

    @rule(requests=st.lists(REQUESTS, max_size=4))
    def there_and_back(self, requests: list[Request]) -> None:
        """What was done is taken back step by step, and with it all that it changed."""
        for request in requests:
            self._run(self._carry_out(request))
        for _ in range(len(requests) + 1):
            if self._done:
                self._run(self._undo())

    @rule(how=DISTURBANCES, request=REQUESTS, moment=MOMENTS)
    def disturb(self, how: str, request: Request, moment: tuple[int, int]) -> None:
        """Something ends that nobody asked to: a model, the server, the agent, perhaps in the midst of an operation."""
        match how:
            case "/die" | "/crash":
                self._run(self._break_down(how, moment[1]))
            case "stop" | "kill":
                self._run(self._begin_again(killed=how == "kill"))
            case _:
                self._run(self._begin_again_in_the_midst(request, moment, killed=how == "kill in the midst"))
        self._done.clear()

    def _run(self, step: Coroutine[Any, Any, Answer]) -> Answer:
        """Take a step; what always holds must hold after it."""
        answer = self._runner.run(step)
        if not self._node._life or self._node._life.done():
            return answer
        assert self._node.turns.most <= 1, "two operations changed the node at once"
        assert self._node.too_early == []
        assert set(self._runner.run(self._node.picture()).contexts) <= self._node.wanted().keys()
        return answer

    async def _carry_out(self, request: Request, cancel_in: tuple[int, int] | None = None) -> None:
        """Either it is done, or nothing has changed."""
        before = await self._node.picture()
        request = aimed(request, before)
        ended = await self._node.carry(request, cancel_in and moment_of(request, cancel_in))
        after = await self._node.picture()
        if ended.result != "done":
            assert after == before, ended
            return
        _assert_as_asked(request, after)
        gone = before.contexts.keys() - after.contexts.keys()
        assert not gone & self._node.wanted().keys(), "what has left would be brought back"
        self._done.append(Done(ended, before, after))

    async def _fail(self, request: Request, step: str) -> None:
        with self._node.failing(step):
            await self._carry_out(request)

    async def _carry_out_two(self, first: Request, second: Request, moment: tuple[int, int]) -> None:
        before = await self._node.picture()
        first, second = aimed(first, before), aimed(second, before)
        operation = self._node.submit(first)
        await self._node.carry(second, moment_of(second, moment))
        assert self._node.journalled(operation.id).result in {"done", "rolled_back", "failed"}

    async def _undo(self) -> None:
        newest = self._done.pop()
        order = UndoRequest(author=AUTHOR, operation=newest.operation.id if newest.covered else None)
        if newest.operation.inverse is None:
            with pytest.raises(RefusedOperation):
                self._node.submit(order)
            unchanged = newest.before == newest.after
            self._done = [replace(one, covered=True) for one in self._done] if unchanged else []
            return
        undone = await self._node.carry(order)
        assert (undone.result, undone.undoes) == ("done", newest.operation.id), undone
        assert await self._node.picture() == newest.before, (newest.operation, undone)

    async def _break_down(self, word: str, number: int) -> None:
        if not (before := await self._node.picture()).resident:
            return
        model, wanted = str(before.resident[number % len(before.resident)][0]), self._node.wanted()
        await self._node.break_down(model, word)
        left = {name: context for name, context in before.contexts.items() if name != model}
        assert (await self._node.picture()).contexts == (wanted if word == "/crash" else left)

    async def _begin_again(self, *, killed: bool) -> None:
        wanted, pins = self._node.wanted(), self._node.agent._wishes.pins
        await self._node.end(killed=killed)
        await self._node.begin()
        assert (await self._node.picture()).contexts == wanted
        assert self._node.agent._wishes.pins == pins

    async def _begin_again_in_the_midst(self, request: Request, moment: tuple[int, int], *, killed: bool) -> None:
        before = self._node.wanted()
        request = aimed(request, await self._node.picture())
        operation = self._node.submit(request)
        await self._node.reach(operation, moment_of(request, moment))
        await self._node.end(killed=killed)
        await self._node.begin()
        ended, wanted = self._node.journalled(operation.id), self._node.wanted_at_begin
        assert (await self._node.picture()).contexts == wanted, ended
        if ended.result == "done" or killed:  # a kill may come between the last change and the journal
            return
        assert wanted == before, ended


def _assert_as_asked(request: Request, after: Picture) -> None:
    """A request that is done must have come true."""
    match request:
        case LoadRequest() | SwapRequest():
            assert after.contexts[request.model] == request.options.context
        case UnloadRequest():
            assert request.model not in after.contexts, target(request)
        case StartRequest() | RestartRequest():
            assert after.phase == "ready"
        case StopRequest():
            assert (after.phase, after.contexts) == ("stopped", {})
        case PinRequest() | UnpinRequest():
            pinned = {row[0] for row in after.resident if row[-1]}
            assert (request.model in pinned) == isinstance(request, PinRequest)
        case PullRequest() | DeleteRequest():
            assert (request.model in after.models) == isinstance(request, PullRequest)


def test_whatever_happens_one_operation_acts_the_journal_has_all_and_undo_is_the_inverse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(states, "CALM_SECONDS", 0.0)
    run_state_machine_as_test(
        NodeMachine,
        settings=settings(
            max_examples=20,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=tuple(HealthCheck),
        ),
    )
