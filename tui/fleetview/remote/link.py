"""The link to a node: connect, follow its events, back off, again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from fleetview.config import NodeConfig
from fleetview.fleet import Change, Dropped, LinkDown, LinkUp
from fleetview.remote.backoff import delays
from fleetview.remote.client import AgentClient
from fleetview.remote.connect import connect
from fleetview.remote.errors import NotConnected, RemoteError
from fleetview.remote.logins import Logins
from fleetview.remote.turns import Turns


class Link:
    """Hands whatever is heard from a node to `receive`, for as long as `run` does."""

    def __init__(
        self,
        node: NodeConfig,
        receive: Callable[[str, Change], None],
        interval: float,
        logins: Logins | None = None,
        say: Callable[[RemoteError], str] = str,
        turns: Turns | None = None,
    ) -> None:
        self._node = node
        self._receive = receive
        self._interval = interval
        self._logins = logins or Logins()
        self._say = say
        """What the operator is told of a failure."""
        self._turns = turns
        """Shared with other links, which speak in the same instant."""
        self._client: AgentClient | None = None
        self._heard = 0
        """Events since the connection stands."""
        self._told = 0
        """Lines without sense that were told of since the connection stands."""
        self._again = False
        """Whether the node was there before, and nobody has asked for it since."""
        self._reason = "the first try is under way"
        self._wanted = asyncio.Event()

    @property
    def client(self) -> AgentClient:
        """The way to ask for something. Raises NotConnected."""
        if self._client is None:
            raise NotConnected(f"{self._node.name} is not connected: {self._reason}")
        return self._client

    def retry_now(self) -> None:
        """Skip the wait for the next try."""
        self._again = False
        self._logins.ask_again()
        self._wanted.set()

    async def run(self) -> None:
        """Follow the node until cancelled."""
        waits = delays()
        while True:
            reason, heals = f"the connection to {self._node.name} ended", True
            try:
                await self._follow()
            except RemoteError as problem:
                reason, heals = self._say(problem), problem.heals
                self._tell_dropped()
            finally:
                self._client = None
            if self._heard > 1:  # an agent that ends after each first event is not asked twice a second
                waits = delays()
            self._reason = reason
            seconds = next(waits) if heals else None
            self._receive(self._node.name, LinkDown(reason, seconds))
            await self._wait(seconds)

    async def _follow(self) -> None:
        """Receive events until that fails. Raises RemoteError."""
        self._heard = self._told = 0
        async with (
            connect(self._node, self._logins, interval=self._interval, again=self._again, turns=self._turns) as client,
            aclosing(client.events(self._interval)) as events,
        ):
            async for event in events:
                if self._client is None:
                    self._client, self._again = client, True
                    self._receive(self._node.name, LinkUp())
                self._receive(self._node.name, event)
                self._heard += 1
                self._tell_dropped()

    def _tell_dropped(self) -> None:
        """Say how many lines made no sense, if any did since this was said last."""
        if self._client and (count := self._client.dropped - self._told):
            self._told += count
            self._receive(self._node.name, Dropped(count))

    async def _wait(self, seconds: float | None) -> None:
        """Wait for the next try, unless it is wanted now; None: until it is wanted."""
        self._wanted.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._wanted.wait()
        except TimeoutError:
            return
