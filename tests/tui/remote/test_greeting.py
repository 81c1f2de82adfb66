"""The first event of a stream: who speaks, and whether we understand each other."""

from __future__ import annotations

import json
import time
from contextlib import aclosing
from pathlib import Path

import pytest

from fleetview.remote.client import MOST_NONSENSE
from fleetview.remote.errors import Lost, Unreachable
from fleetview.remote.greeting import OLDEST_PROTOCOL, first_event
from fleetview_agent.wire import PROTOCOL, Event, Snapshot
from tests.builders import a_snapshot
from tests.tui.remote.scripted import HOLD, LIMIT_SECONDS, a_client, a_scripted_agent, answer, streamed

OLD = {"type": "snapshot", "protocol": OLDEST_PROTOCOL - 1}
TOO_OLD = rf"^agent too old: the one of here speaks protocol {OLD['protocol']}, and fleetview needs {OLDEST_PROTOCOL} "
SNAPSHOT = a_snapshot().model_dump_json().encode()


def line(**changes: object) -> bytes:
    """A snapshot with other values, as one line."""
    return json.dumps({**json.loads(SNAPSHOT), **changes}).encode()


async def first(socket: Path, *parts: bytes, interval: float = 0.1) -> Event:
    """The first event that a scripted agent's parts make."""
    async with (
        a_scripted_agent(socket, *parts),
        a_client(socket) as client,
        aclosing(client.events(interval)) as events,
    ):
        return await anext(events)


@pytest.mark.parametrize("old", [json.dumps(OLD).encode(), line(**OLD)], ids=["lacking", "complete"])
async def test_an_agent_that_is_too_old_is_named_with_both_numbers_and_the_cure(socket: Path, old: bytes) -> None:
    with pytest.raises(Unreachable, match=TOO_OLD) as told:
        await first(socket, *streamed(old), HOLD)
    assert told.value.hint == "upgrade fleetview-agent on here"
    async with a_scripted_agent(socket, answer(old)), a_client(socket) as client:
        with pytest.raises(Unreachable, match=TOO_OLD):
            await client.snapshot()


@pytest.mark.parametrize(
    ("protocol", "hint"),
    [(PROTOCOL, "install the same version of both on here and here"), (PROTOCOL + 8, "upgrade fleetview")],
)
async def test_a_snapshot_that_cannot_be_read_is_told_in_words(socket: Path, protocol: int, hint: str) -> None:
    words = line(protocol=protocol, machine={"hostname": 1})
    with pytest.raises(Unreachable, match=f"speaks protocol {protocol}, and fleetview cannot read") as told:
        await first(socket, *streamed(words), HOLD)
    assert told.value.hint == hint


async def test_a_newer_agent_is_understood_as_far_as_it_goes(socket: Path) -> None:
    newer = line(protocol=PROTOCOL + 1, weather="fine")
    event = await first(socket, *streamed(b'{"type":"greeting"}', newer), HOLD)
    assert isinstance(event, Snapshot)
    assert event.protocol == PROTOCOL + 1


async def test_no_protocol_means_the_first_one(socket: Path) -> None:
    words = json.loads(SNAPSHOT)
    del words["protocol"]
    event = await first(socket, *streamed(json.dumps(words).encode()), HOLD)
    assert isinstance(event, Snapshot)
    assert event.protocol == 1


async def test_a_little_nonsense_before_the_snapshot_is_skipped_and_counted(socket: Path) -> None:
    parts = (*streamed(b"motd: welcome", b"[1]", SNAPSHOT), HOLD)
    async with a_scripted_agent(socket, *parts), a_client(socket) as client, aclosing(client.events(1.0)) as events:
        assert isinstance(await anext(events), Snapshot)
        assert client.dropped == 2


async def test_nonsense_alone_is_no_agent_after_three_intervals(socket: Path) -> None:
    started = time.monotonic()
    with pytest.raises(Unreachable, match="is not a fleetview agent"):
        await first(socket, *streamed(b"nonsense"), HOLD)
    assert 0.3 <= time.monotonic() - started < LIMIT_SECONDS / 2


async def test_nonsense_alone_is_no_agent_after_a_hundred_lines(socket: Path) -> None:
    parts = streamed(*[b"nonsense"] * MOST_NONSENSE, SNAPSHOT)
    with pytest.raises(Unreachable, match="is not a fleetview agent"):
        await first(socket, *parts, HOLD, interval=60.0)


async def test_nonsense_that_ends_is_no_agent_and_silence_that_ends_is_a_loss(socket: Path) -> None:
    with pytest.raises(Unreachable, match="is not a fleetview agent"):
        await first(socket, *streamed(b"nonsense"))
    with pytest.raises(Lost, match="ended the connection"):
        await first(socket, *streamed())


def test_a_snapshot_with_a_number_that_cannot_be_reckoned_with_is_nonsense() -> None:
    odd = a_snapshot().model_dump_json().replace('"at":1700000000.0', '"at":Infinity').encode()
    assert b"Infinity" in odd
    with pytest.raises(ValueError, match="cannot be reckoned with"):
        first_event("studio", odd)
