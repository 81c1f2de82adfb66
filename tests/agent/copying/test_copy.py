"""Taking in a model: its files come in pieces, are gone on with, verified, and handed to the engine."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fleetview_agent.copying import incoming
from fleetview_agent.copying.incoming import KEPT_SECONDS, SILENT_SECONDS
from fleetview_agent.wire import DeleteRequest, Operation
from tests.agent.shelf import NEW, PIECE, a_copy, a_node, a_part, sent, there
from tests.agents import outcome, phase
from tests.builders import AUTHOR

CONTENT = os.urandom(3 * PIECE + 7)
SMALL = b"template"


def partial(folder: Path, sha256: str) -> Path:
    return folder / "incoming" / f"{sha256}.part"


async def test_a_copy_takes_its_files_in_and_its_inverse_deletes_them(tmp_path: Path) -> None:
    weights, small = a_part(CONTENT), a_part(SMALL, "template")
    async with a_node(tmp_path) as (agent, shelf, client):
        operation = agent.operator.submit(a_copy(weights, small))
        await phase(agent, operation, "copy")
        for first in range(0, len(CONTENT), PIECE):
            assert (await sent(client, weights, CONTENT[first : first + PIECE], first)).status_code == 200
        assert await there(client, weights) == ("complete", len(CONTENT))
        (row,) = agent.operator.operations
        assert row.transfer is not None
        assert row.transfer.total_bytes == len(CONTENT) + len(SMALL)
        assert (await sent(client, small, SMALL)).json() == {"state": "complete", "size_bytes": len(SMALL)}
        done = await outcome(agent, operation)
        assert (done.result, done.cause) == ("done", None)
        assert [row.phase for row in done.phases] == ["plan", "copy", "verify", "ready"]
        assert done.inverse == DeleteRequest(author=AUTHOR, backend="simulated", model=NEW)
        assert shelf.content(NEW) == {"weights": CONTENT, "template": SMALL}
        assert shelf.manifests[NEW] == "about it"
        assert list((tmp_path / "incoming").iterdir()) == []


async def test_a_copy_that_nobody_goes_on_with_is_interrupted_and_the_next_one_needs_only_the_rest(
    tmp_path: Path,
) -> None:
    weights = a_part(CONTENT)
    async with a_node(tmp_path, wait_seconds=0.3) as (agent, shelf, client):
        operation = agent.operator.submit(a_copy(weights))
        await phase(agent, operation, "copy")
        await sent(client, weights, CONTENT[:PIECE])
        ended = await outcome(agent, operation)
        assert ended.result == "interrupted"
        assert ended.cause == "nobody brings the rest of it any more; copy it again to go on where it was"
        assert partial(tmp_path, weights.sha256).stat().st_mode & 0o777 == 0o600

        again = agent.operator.submit(a_copy(weights))
        await phase(agent, again, "copy")
        assert await there(client, weights) == ("partial", PIECE)
        await sent(client, weights, CONTENT[PIECE:], PIECE)
        assert (await outcome(agent, again)).result == "done"
        assert shelf.content(NEW)["weights"] == CONTENT


async def test_a_cancelled_copy_keeps_what_has_come(tmp_path: Path) -> None:
    weights = a_part(CONTENT)
    async with a_node(tmp_path) as (agent, _, client):
        operation = agent.operator.submit(a_copy(weights))
        await phase(agent, operation, "copy")
        await sent(client, weights, CONTENT[:PIECE])
        agent.operator.cancel(operation.id)
        ended = await outcome(agent, operation)
        assert (ended.result, ended.cause) == ("rolled_back", "cancelled; copy it again to go on where it was")
        assert partial(tmp_path, weights.sha256).stat().st_size == PIECE
        assert (await sent(client, weights, CONTENT[PIECE:], PIECE)).status_code == 409


async def test_a_flipped_byte_is_noticed_and_the_file_is_not_kept(tmp_path: Path) -> None:
    weights, other = a_part(CONTENT), bytes([CONTENT[0] ^ 1]) + CONTENT[1:]
    async with a_node(tmp_path) as (agent, _, client):
        operation = agent.operator.submit(a_copy(weights))
        await phase(agent, operation, "copy")
        await sent(client, weights, other)
        ended = await outcome(agent, operation)
        assert ended.result == "failed"
        assert ended.cause is not None
        assert weights.sha256 in ended.cause
        assert a_part(other).sha256 in ended.cause
        assert not partial(tmp_path, weights.sha256).exists()
        assert not (tmp_path / "shelf" / NEW).exists()


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
async def test_a_full_disk_ends_the_copy_with_that_reason_and_keeps_the_partial_file(tmp_path: Path) -> None:
    weights = a_part(CONTENT)
    (tmp_path / "incoming").mkdir()
    partial(tmp_path, weights.sha256).symlink_to("/dev/full")
    async with a_node(tmp_path) as (agent, _, client):
        operation = agent.operator.submit(a_copy(weights))
        await phase(agent, operation, "copy")
        answer = await sent(client, weights, CONTENT)
        assert (answer.status_code, answer.json()["error"]["code"]) == (507, "disk_full")
        assert answer.headers["connection"] == "close"
        ended = await outcome(agent, operation)
        assert ended.result == "failed"
        assert ended.cause is not None
        assert "disk is full" in ended.cause
        assert partial(tmp_path, weights.sha256).is_symlink()


async def test_only_the_bytes_that_are_missing_are_taken(tmp_path: Path) -> None:
    weights = a_part(CONTENT)
    async with a_node(tmp_path) as (agent, _, client):
        unasked = await sent(client, weights, CONTENT)
        await phase(agent, agent.operator.submit(a_copy(weights)), "copy")
        await sent(client, weights, CONTENT[:PIECE])
        wrong = [
            await sent(client, weights, CONTENT[:PIECE]),
            await sent(client, weights, CONTENT[2 * PIECE :], 2 * PIECE),
            await sent(client, weights, CONTENT[PIECE:], PIECE, total=len(CONTENT) + 1),
            await client.put(f"/api/blobs/{weights.sha256}", content=CONTENT),
            await client.put("/api/blobs/..%2f..%2fetc", content=CONTENT, headers={"content-range": "bytes 0-1/2"}),
        ]
        assert unasked.status_code == 409
        assert [answer.status_code for answer in wrong] == [409, 409, 400, 400, 404]
        assert f"{PIECE} bytes of weights are here" in wrong[0].json()["error"]["message"]
        assert await there(client, weights) == ("partial", PIECE)


async def test_more_bytes_than_announced_are_not_taken(tmp_path: Path) -> None:
    weights = a_part(CONTENT)
    async with a_node(tmp_path) as (agent, _, client):
        await phase(agent, agent.operator.submit(a_copy(weights)), "copy")
        answer = await client.put(
            f"/api/blobs/{weights.sha256}",
            content=CONTENT,
            headers={"content-range": f"bytes 0-{PIECE}/{len(CONTENT)}"},
        )
        assert answer.status_code == 400
        assert (await there(client, weights))[1] <= PIECE + 1


async def test_one_at_a_time_sends_a_file_and_whoever_falls_silent_gives_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = a_part(CONTENT)
    silent, over = asyncio.Event(), asyncio.Event()

    async def half() -> AsyncIterator[bytes]:
        yield CONTENT[:PIECE]
        silent.set()
        await over.wait()
        yield CONTENT[PIECE:]

    async with a_node(tmp_path) as (agent, shelf, client):
        operation = agent.operator.submit(a_copy(weights))
        await phase(agent, operation, "copy")
        span = {"content-range": f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}"}
        slow = asyncio.create_task(client.put(f"/api/blobs/{weights.sha256}", content=half(), headers=span))
        await silent.wait()
        async with asyncio.timeout(5):
            while (await there(client, weights))[1] < PIECE:
                await asyncio.sleep(0)
        busy = await sent(client, weights, CONTENT[PIECE:], PIECE)
        assert (busy.status_code, "somebody else" in busy.json()["error"]["message"]) == (409, True)
        now = time.monotonic()
        monkeypatch.setattr("fleetview_agent.copying.incoming.time.monotonic", lambda: now + SILENT_SECONDS)
        assert (await sent(client, weights, CONTENT[PIECE:], PIECE)).status_code == 200
        over.set()
        assert (await slow).status_code == 409
        assert (await outcome(agent, operation)).result == "done"
        assert shelf.content(NEW)["weights"] == CONTENT


async def test_nobody_gets_between_bytes_that_are_on_their_way_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights, begun, over = a_part(CONTENT), threading.Event(), threading.Event()
    append = incoming._append

    def slowly(file: Path, data: bytes) -> None:
        if data:
            begun.set()
            over.wait(5)
        append(file, data)

    monkeypatch.setattr(incoming, "_append", slowly)
    monkeypatch.setattr(incoming, "SILENT_SECONDS", 0)
    async with a_node(tmp_path) as (agent, shelf, client):
        operation = agent.operator.submit(a_copy(weights))
        await phase(agent, operation, "copy")
        first = asyncio.create_task(sent(client, weights, CONTENT))
        assert await asyncio.to_thread(begun.wait, 5)
        assert (await sent(client, weights, CONTENT)).status_code == 409
        over.set()
        assert (await first).status_code == 200
        assert (await outcome(agent, operation)).result == "done"
        assert shelf.content(NEW)["weights"] == CONTENT


async def refused(folder: Path, prepare: str) -> Operation:
    """How a copy ends that is refused for the reason prepared."""
    weights = a_part(CONTENT)
    async with a_node(folder) as (agent, shelf, _):
        request = a_copy(weights)
        match prepare:
            case "same size":
                shelf.put(NEW, weights=bytes(len(CONTENT)))
            case "other content":
                shelf.put(NEW, weights=b"other")
            case "no room":
                request = a_copy(weights.model_copy(update={"size_bytes": 1 << 60}))
            case "twice":
                request = a_copy(weights, weights)
            case "closed":
                shelf.folder = folder / ("x" * 300)
            case "engine":
                shelf.refusal = "it is full"
            case "in hand":
                await phase(agent, agent.operator.submit(a_copy(weights, model="sim-other")), "copy")
        plan = await agent.plan(request)
        ended = await outcome(agent, request)
        assert ended.cause == plan.refusal
        return ended


@pytest.mark.parametrize(
    ("prepare", "told"),
    [
        ("same size", "simulated/sim-new is there already, and as large; delete it first if it should come again"),
        ("other content", "another simulated/sim-new is there already; delete it first"),
        ("no room", " free; 1073741824G would come, and 1G must stay free, so delete something there first"),
        ("twice", "simulated/sim-new names the same file twice, and cannot be copied"),
        ("closed", "the place for simulated/sim-new cannot be looked at: File name too long"),
        ("engine", "it is full"),
        ("in hand", "a copy of simulated/sim-other is in hand already; wait for its end, or cancel it"),
    ],
)
async def test_what_cannot_be_taken_in_is_refused_before_anything_comes(
    tmp_path: Path, prepare: str, told: str
) -> None:
    ended = await refused(tmp_path, prepare)
    assert (ended.result, ended.refused) == ("failed", True)
    assert told in str(ended.cause)


async def test_the_same_content_is_not_copied_twice(tmp_path: Path) -> None:
    weights = a_part(CONTENT)
    async with a_node(tmp_path) as (agent, shelf, _):
        shelf.put(NEW, weights=CONTENT)
        shelf.sums["weights"] = weights
        told = "simulated/sim-new is there already, with the same content; there is nothing to copy"
        assert (await agent.plan(a_copy(weights))).refusal == told


async def test_files_for_which_nobody_came_back_are_removed_at_the_next_start_and_copy(tmp_path: Path) -> None:
    folder = tmp_path / "incoming"
    folder.mkdir()
    old, young = folder / f"{'0' * 64}.part", folder / f"{'1' * 64}.part"
    for file in (old, young):
        file.write_bytes(b"GGUF")
    long_ago = time.time() - KEPT_SECONDS - 60
    os.utime(old, (long_ago, long_ago))
    async with a_node(tmp_path) as (agent, _, _):
        assert list(folder.iterdir()) == [young]
        os.utime(young, (long_ago, long_ago))
        weights = a_part(CONTENT)
        await phase(agent, agent.operator.submit(a_copy(weights)), "copy")
        assert list(folder.iterdir()) == [partial(folder.parent, weights.sha256)]
