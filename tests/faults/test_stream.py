"""Events that are cut, spoilt, or of another version, on their way from a real agent through a real sshd."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fleetview.present.node.remarks import remarks
from fleetview_agent.wire import Sampled
from tests.faults.conftest import Scene
from tests.faults.relay import HTML, NDJSON, Relay, a_relay
from tests.faults.watch import Watch
from tests.sshd import needs_sshd

pytestmark = needs_sshd

TOO_LONG = b"x" * (9 << 20) + b"\n"
IN_THE_MIDST = (
    b"\x00\xff\xfe\x80 garbage\n",
    b"<html><body>It works!</body></html>\n",
    b'[1, 2, 3]\n"sampled"\nnull\n',
    b'{"type": "sampled", "sample": {"at": "yesterday"}}\n',
    b'{"type": "sampled"\n',
    b"[" * 100_000 + b"\n",
    TOO_LONG,
)
LINES_IN_THE_MIDST = 9
NOTHING_BUT = {
    "garbage": b"\x00\xff\xfe\x80" * 1000,
    "another server": b"220 mail.example ESMTP\r\n\r\n",
    "a page": HTML + b"<html><body>It works!</body></html>\n",
    "a page that claims to be events": NDJSON + b"<html>\n<body>It works!</body>\n</html>\n",
    "JSON of other things": NDJSON + b'{"price": 3}\n[1]\n' * 1000,
}


@asynccontextmanager
async def relayed(scene: Scene) -> AsyncIterator[tuple[Relay, Watch]]:
    """Both nodes are up; between the sshd of one and its agent there is a relay."""
    socket = scene.studio.home.path / "relay.sock"
    async with a_relay(socket, scene.studio.home.socket) as relay, scene.watched(socket=socket) as watch:
        yield relay, watch


async def replaced(relay: Relay, watch: Watch, instead: bytes, words: str) -> float:
    """Something else answers in place of the agent; after how long the row says so."""
    since = time.monotonic()
    relay.instead = instead
    await relay.drop()
    return await watch.says("studio", "down", r"down \d s · " + words, since, watch.soon)


async def back(relay: Relay, watch: Watch) -> None:
    """The agent answers again, and its node heals."""
    since = time.monotonic()
    relay.instead = None
    await watch.heals("studio", since, 5.0)
    await sampled(watch, since)


async def sampled(watch: Watch, since: float, count: int = 1) -> None:
    """So many samples have come since then."""
    async with asyncio.timeout(5.0):
        while sum(at > since and isinstance(change, Sampled) for at, change in watch.heard["studio"]) < count:
            await asyncio.sleep(0.02)


async def test_an_event_that_is_cut_in_the_middle_is_a_loss_and_never_half_a_truth(scene: Scene) -> None:
    async with relayed(scene) as (relay, watch):
        cut: list[float] = []

        def once(_: int, line: bytes) -> bytes | None:
            if cut:
                return line
            cut.append(time.monotonic())
            return None

        relay.spoil = once
        async with asyncio.timeout(5.0):
            while not cut:
                await asyncio.sleep(0.02)
        await watch.says("studio", "down", r"down 0 s · the connection to studio broke", cut[0], watch.soon)
        await watch.heals("studio", cut[0], 5.0)
        assert watch.fleet["studio"].dropped == 0


async def test_nonsense_in_the_midst_of_events_is_skipped_counted_and_disturbs_nobody(scene: Scene) -> None:
    async with relayed(scene) as (relay, watch):
        nonsense = list(IN_THE_MIDST)
        begun = time.monotonic()
        relay.spoil = lambda _, line: line + nonsense.pop(0) if nonsense else line
        await sampled(watch, begun, len(IN_THE_MIDST) + 2)
        assert watch.losses("studio") == []
        assert watch.gap("studio") <= watch.patience
        assert watch.fleet["studio"].dropped == LINES_IN_THE_MIDST
        assert f"{LINES_IN_THE_MIDST} lines of studio made no sense and were skipped" in remarks(watch.fleet["studio"])


async def test_what_talks_nothing_but_nonsense_is_called_no_agent_until_one_answers(scene: Scene) -> None:
    async with relayed(scene) as (relay, watch):
        for nonsense in NOTHING_BUT.values():
            await replaced(relay, watch, nonsense, "what answers for studio is not a fleetview agent")
            await back(relay, watch)


async def test_a_line_without_end_is_no_agent_and_keeps_nobody_else_waiting(scene: Scene) -> None:
    async with relayed(scene) as (relay, watch):
        relay.endless = b"x" * (1 << 20)
        await replaced(relay, watch, NDJSON, "what answers for studio is not a fleetview agent")
        await back(relay, watch)


async def test_an_agent_of_an_older_protocol_is_named_so_until_it_is_upgraded(scene: Scene) -> None:
    snapshot = {**scene.studio.get("/api/snapshot"), "protocol": 0}
    async with relayed(scene) as (relay, watch):
        words = "agent too old: the one of studio speaks protocol 0, and fleetview needs 1"
        await replaced(relay, watch, NDJSON + json.dumps(snapshot).encode() + b"\n", words)
        await back(relay, watch)


async def test_an_agent_of_a_newer_protocol_is_shown_as_far_as_it_is_understood(scene: Scene) -> None:
    def newer(_: int, line: bytes) -> bytes:
        event: dict[str, Any] = {**json.loads(line), "mood": "sunny"}
        if event["type"] == "snapshot":
            event["protocol"] = 99
        more = {"type": "aligned", "planets": ["mars", "venus"]}
        return json.dumps(event).encode() + b"\n" + json.dumps(more).encode() + b"\n"

    async with relayed(scene) as (relay, watch):
        since = time.monotonic()
        relay.spoil = newer
        await relay.drop()
        await watch.heals("studio", since, 5.0)
        await sampled(watch, since, 3)
        assert len(watch.losses("studio")) == 1
        node = watch.fleet["studio"]
        assert (node.protocol, node.dropped) == (99, 0)
        assert any("the agent of studio is newer: it speaks protocol 99" in remark for remark in remarks(node))
