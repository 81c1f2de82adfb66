"""The link follows, backs off, and comes back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fleetview.config import NodeConfig
from fleetview.fleet import Change, Dropped, LinkDown, LinkUp
from fleetview.remote import backoff
from fleetview.remote.errors import NotConnected
from fleetview.remote.link import Link
from fleetview_agent.wire import Sampled, Snapshot
from tests.builders import a_sample, a_snapshot
from tests.tui.remote.scripted import HOLD, a_local_node, a_real_agent, a_scripted_agent, answer, streamed, until

SNAPSHOT = a_snapshot().model_dump_json().encode()
SAMPLED = Sampled(sample=a_sample()).model_dump_json().encode()


@asynccontextmanager
async def a_link(node: NodeConfig) -> AsyncIterator[tuple[Link, list[Change]]]:
    """A link that runs, and what it has received."""
    heard: list[Change] = []
    link = Link(node, lambda _, change: heard.append(change), 0.2)
    running = asyncio.create_task(link.run())
    try:
        yield link, heard
    finally:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_a_link_begins_with_a_snapshot_and_goes_on_with_samples(socket: Path) -> None:
    async with a_real_agent(socket), a_link(a_local_node(socket)) as (link, heard):
        await until(lambda: sum(isinstance(change, Sampled) for change in heard) >= 2, "two samples")
        assert isinstance(heard[0], LinkUp)
        assert isinstance(heard[1], Snapshot)
        assert (await link.client.snapshot()).machine.simulated


async def test_a_lost_node_is_told_and_comes_back_by_itself_with_a_snapshot(socket: Path) -> None:
    async with a_link(a_local_node(socket)) as (link, heard):
        async with a_real_agent(socket):
            await until(lambda: any(isinstance(change, Sampled) for change in heard), "a sample")
        await until(lambda: isinstance(heard[-1], LinkDown), "the loss")
        assert isinstance(heard[-1], LinkDown)
        with pytest.raises(NotConnected, match=f"here is not connected: {re.escape(heard[-1].reason)}"):
            _ = link.client
        heard.clear()
        async with a_real_agent(socket):
            await until(lambda: any(isinstance(change, Sampled) for change in heard), "a sample")
        first = next(place for place, change in enumerate(heard) if isinstance(change, LinkUp))
        assert isinstance(heard[first + 1], Snapshot)


async def test_what_is_no_agent_is_told_in_words_with_the_time_of_the_next_try(socket: Path) -> None:
    async with a_scripted_agent(socket, answer(b"hello", "404 Not Found")), a_link(a_local_node(socket)) as (_, heard):
        await until(lambda: bool(heard), "a try")
        down = heard[0]
    assert isinstance(down, LinkDown)
    assert "not a fleetview agent" in down.reason
    assert down.retry_seconds is not None
    assert backoff.FIRST_SECONDS / 2 <= down.retry_seconds <= backoff.FIRST_SECONDS


async def test_a_wait_can_be_skipped(socket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "FIRST_SECONDS", 1000.0)
    async with a_link(a_local_node(socket)) as (link, heard):
        await until(lambda: len(heard) == 1, "the first try")
        link.retry_now()
        await until(lambda: len(heard) == 2, "the second try")


async def test_waits_grow_with_jitter_and_begin_again_after_a_connection_that_held(socket: Path) -> None:
    longest = backoff.delays(lambda _, high: high)
    assert [next(longest) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    shortest = backoff.delays(lambda low, _: low)
    assert [next(shortest) for _ in range(3)] == [0.25, 0.5, 1]
    async with a_link(a_local_node(socket)) as (link, heard):
        for tries in range(1, 4):
            await until(lambda tries=tries: len(heard) == tries, "a try")
            link.retry_now()
        async with a_real_agent(socket):
            link.retry_now()
            await until(lambda: any(isinstance(change, Sampled) for change in heard), "a sample")
        await until(lambda: isinstance(heard[-1], LinkDown), "the loss")
        last = heard[-1]
    assert isinstance(last, LinkDown)
    assert last.retry_seconds is not None
    assert last.retry_seconds <= backoff.FIRST_SECONDS


async def test_lines_without_sense_are_told_once_and_the_link_stands(socket: Path) -> None:
    parts = (*streamed(SNAPSHOT, b"nonsense", b"[1]", SAMPLED, SAMPLED, b"{", SAMPLED), HOLD)
    async with a_scripted_agent(socket, *parts), a_link(a_local_node(socket)) as (_, heard):
        await until(lambda: sum(isinstance(change, Sampled) for change in heard) == 3, "three samples")
        assert [change.count for change in heard if isinstance(change, Dropped)] == [2, 1]
        assert not any(isinstance(change, LinkDown) for change in heard)


async def test_lines_without_sense_before_a_loss_are_told_before_it(socket: Path) -> None:
    async with a_scripted_agent(socket, *streamed(SNAPSHOT, b"nonsense")), a_link(a_local_node(socket)) as (_, heard):
        await until(lambda: any(isinstance(change, LinkDown) for change in heard), "the loss")
    assert heard[2] == Dropped(1)
    assert isinstance(heard[3], LinkDown)


async def test_what_tells_nothing_but_nonsense_never_counts_as_up(socket: Path) -> None:
    async with (
        a_scripted_agent(socket, *streamed(b"nonsense", b"[]"), HOLD),
        a_link(a_local_node(socket)) as (_, heard),
    ):
        await until(lambda: bool(heard), "a try")
        down = heard[0]
    assert isinstance(down, LinkDown)
    assert down.reason == "what answers for here is not a fleetview agent"


async def test_a_bug_in_whoever_receives_is_not_hidden(socket: Path) -> None:
    def receive(_: str, change: Change) -> None:
        raise LookupError(type(change).__name__)

    with pytest.raises(LookupError, match="LinkDown"):
        await Link(a_local_node(socket), receive, 1.0).run()


async def test_what_is_said_of_a_failure_may_be_put_in_other_words_and_is_the_same_for_whoever_asks(
    tmp_path: Path,
) -> None:
    heard: list[Change] = []
    node = a_local_node(tmp_path / "nobody.sock")
    link = Link(node, lambda _, change: heard.append(change), 0.2, say=lambda _: "no route to operator@laptop:22")
    with pytest.raises(NotConnected, match="here is not connected: the first try is under way"):
        _ = link.client
    running = asyncio.create_task(link.run())
    await until(lambda: bool(heard), "the failure")
    assert isinstance(heard[0], LinkDown)
    assert heard[0].reason == "no route to operator@laptop:22"
    with pytest.raises(NotConnected, match="here is not connected: no route to operator@laptop:22"):
        _ = link.client
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
