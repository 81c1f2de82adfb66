"""Links that come and go leave nothing behind, on either side."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
import psutil
import pytest
from asyncssh.channel import SSHChannel

from fleetview.fleet import Change, LinkDown
from fleetview.remote.channels import MOST_CHANNELS
from fleetview.remote.connect import connect
from fleetview.remote.link import Link
from fleetview.remote.logins import AT_ONCE, Logins
from fleetview_agent.agent import Agent
from fleetview_agent.wire import Sampled
from tests.sshd import needs_sshd
from tests.tui.remote.scripted import a_real_agent, until
from tests.tui.remote.ssh import Pair, a_pair

pytestmark = needs_sshd

RESTART_EVERY = 5
OFTEN = 25
MANY = 64
SETTLE_SECONDS = 5.0


@dataclass(frozen=True)
class Count:
    """What this process holds, which is the dashboard's side and the agent in one."""

    tasks: int
    connections: int
    channels: int
    files: tuple[str, ...]
    """What the open ones are: the name of a socket is its number, so only its kind counts."""
    sessions: int
    """Processes of sshd, and whatever they run."""


def count(pair: Pair) -> Count:
    """Count, once what is garbage is gone."""
    gc.collect()
    alive = gc.get_objects()
    return Count(
        tasks=len(asyncio.all_tasks()),
        connections=sum(isinstance(one, asyncssh.SSHClientConnection) for one in alive),
        channels=sum(isinstance(one, SSHChannel) for one in alive),
        files=tuple(sorted(_open_files())),
        sessions=pair.server.sessions + sum("dial" in " ".join(one.cmdline()) for one in _run_there(pair)),
    )


def _open_files() -> Iterator[str]:
    """The open files of this process; on Linux by what they are, elsewhere only how many."""
    if not (folder := Path("/proc/self/fd")).exists():
        yield str(psutil.Process().num_fds())
        return
    for descriptor in tuple(folder.iterdir()):
        try:
            yield str(descriptor.readlink()).partition("[")[0]
        except FileNotFoundError:  # of the listing itself
            continue


def _run_there(pair: Pair) -> list[psutil.Process]:
    """The programs that run in the home of the account that was logged in to."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get("HOME") == str(pair.home):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


async def settled(pair: Pair, wanted: Count) -> Count:
    """The count, once it is the wanted one; after a while, whatever it is by then."""
    clock = asyncio.get_running_loop().time
    give_up = clock() + SETTLE_SECONDS
    while (now := count(pair)) != wanted and clock() < give_up:
        await asyncio.sleep(0.05)
    return now


@pytest.fixture
def forwarding() -> bool:
    return True


@pytest.fixture
def pair(forwarding: bool, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    with a_pair(forwarding=forwarding) as pair:
        monkeypatch.setenv("HOME", str(pair.operator.home))
        monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
        yield pair


class Most:
    """How many calls were in hand at once, at most."""

    def __init__(self) -> None:
        self.most = 0
        self._now = 0

    def around(self, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:  # Any: whatever is called
        async def counted(*arguments: Any, **options: Any) -> Any:
            self._now += 1
            self.most = max(self.most, self._now)
            try:
                return await call(*arguments, **options)
            finally:
                self._now -= 1

        return counted


class Node:
    """The agent behind the server; it can be started anew."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._stack = AsyncExitStack()
        self._agent: Agent | None = None

    async def start(self) -> None:
        self._agent = await self._stack.enter_async_context(a_real_agent(self._socket))

    async def stop(self) -> None:
        if self._agent:
            self._agent.hub.close()  # else the streams hold up its end
        await self._stack.aclose()

    @property
    def listeners(self) -> int:
        return len(self._agent.hub._queues) if self._agent else 0

    @property
    def watched(self) -> int:
        return len(self._agent.readings.intervals) if self._agent else 0


@asynccontextmanager
async def a_node(pair: Pair) -> AsyncIterator[Node]:
    """A node that serves at first."""
    node = Node(pair.socket)
    await node.start()
    try:
        yield node
    finally:
        await node.stop()


@dataclass
class Followed:
    """A link that runs, and what it says."""

    link: Link
    heard: list[Change] = field(default_factory=list)

    async def lost(self) -> None:
        """Return when the connection has ended."""
        await self._hear(LinkDown)

    async def up(self) -> None:
        """Return when figures come."""
        await self._hear(Sampled)

    async def _hear(self, kind: type[Change]) -> None:
        """Return when something of that kind was heard, and forget it."""
        await until(lambda: any(isinstance(change, kind) for change in self.heard), kind.__name__)
        self.heard.clear()


@asynccontextmanager
async def following(pair: Pair, logins: Logins, name: str = "studio") -> AsyncIterator[Followed]:
    """A link to the machine."""
    heard: list[Change] = []
    link = Link(pair.node(name=name), lambda _, change: heard.append(change), 0.2, logins)
    running = asyncio.create_task(link.run())
    try:
        yield Followed(link, heard)
    finally:
        running.cancel()
        await asyncio.wait({running})


@pytest.mark.parametrize(("forwarding", "flaps"), [(True, 25), (False, 10)], ids=["forwarded", "dialled"])
async def test_a_node_that_comes_and_goes_leaves_nothing_behind(pair: Pair, flaps: int) -> None:
    async with a_node(pair) as node:
        before = count(pair)
        async with following(pair, Logins()) as followed:
            first: Count | None = None
            for flap in range(1, flaps + 1):
                await followed.up()
                first = first or count(pair)
                if flap % RESTART_EVERY:
                    pair.server.drop_sessions()
                    await followed.lost()
                else:
                    await node.stop()
                    await followed.lost()
                    await node.start()
                followed.link.retry_now()
            await followed.up()
            assert first is not None
            assert (first.connections, first.channels) == (1, 1)
            assert await settled(pair, first) == first
            assert (node.listeners, node.watched) == (1, 1)
        assert await settled(pair, before) == before
        assert (node.listeners, node.watched) == (0, 0)


async def test_many_links_log_in_a_few_at_a_time_and_leave_nothing_behind(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = Most()
    monkeypatch.setattr("fleetview.remote.login.asyncssh.connect", at_once.around(asyncssh.connect))
    async with a_node(pair) as node:
        before = count(pair)
        logins = Logins()
        async with AsyncExitStack() as links:
            many = [
                await links.enter_async_context(following(pair, logins, f"studio-{number}")) for number in range(MANY)
            ]
            for followed in many:
                await followed.up()
            assert at_once.most == AT_ONCE
            now = count(pair)
            assert (now.connections, now.channels, node.listeners) == (MANY, MANY, MANY)
        assert await settled(pair, before) == before
        assert (node.listeners, node.watched) == (0, 0)


async def test_streams_that_are_left_and_requests_that_are_answered_leave_a_few_idle_channels(pair: Pair) -> None:
    async with a_node(pair) as node, connect(pair.node(), Logins()) as client:
        for _ in range(OFTEN):
            async with aclosing(client.events(0.2)) as events:
                await anext(events)
        await asyncio.gather(*(client.snapshot() for _ in range(OFTEN)))
        await until(lambda: node.listeners == 0, "the streams to end on the agent")
        await until(lambda: count(pair).channels <= MOST_CHANNELS // 2, "the channels to be closed")
