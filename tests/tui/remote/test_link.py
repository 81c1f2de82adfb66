"""The link follows, backs off, and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fleetview.config import NodeConfig
from fleetview.fleet import Change, LinkDown, LinkUp
from fleetview.remote import backoff
from fleetview.remote.connect import connect
from fleetview.remote.errors import NotConnected, Unreachable
from fleetview.remote.link import Link
from fleetview_agent.wire import Sampled, Snapshot
from tests.tui.remote.scripted import a_local_node, a_real_agent, a_scripted_agent, answer, until


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
        with pytest.raises(NotConnected, match="here is not connected"):
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


async def test_a_node_behind_ssh_says_that_it_cannot_be_reached_yet() -> None:
    with pytest.raises(Unreachable, match="far is reached by ssh, which this version cannot do yet"):
        async with connect(NodeConfig(name="far", host="far.example")):
            pass


async def test_a_bug_in_whoever_receives_is_not_hidden(socket: Path) -> None:
    def receive(_: str, change: Change) -> None:
        raise LookupError(type(change).__name__)

    with pytest.raises(LookupError, match="LinkDown"):
        await Link(a_local_node(socket), receive, 1.0).run()
