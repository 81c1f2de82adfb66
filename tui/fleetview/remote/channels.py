"""HTTP over channels: whatever carries bytes to an agent and back, httpx does everything else."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

import httpcore
import httpx

from fleetview.remote.turns import Turns

MOST_CHANNELS = 8
"""At once to one agent: sshd counts the ones that dial as sessions, and allows ten of these (MaxSessions)."""


class Channel(Protocol):
    """Bytes to and from an agent."""

    @property
    def ended(self) -> bool:
        """Whether nothing can come any more."""

    async def read(self, most: int) -> bytes:
        """What has come; nothing at the end. Raises RemoteError or OSError."""

    async def write(self, data: bytes) -> None:
        """Send everything. Raises RemoteError or OSError."""

    def close(self) -> None:
        """End it, in both directions."""


class ChannelTransport(httpx.AsyncHTTPTransport):
    """Each connection of HTTP is a channel."""

    def __init__(self, open_channel: Callable[[], Awaitable[Channel]], turns: Turns | None = None) -> None:
        limits = httpx.Limits(max_connections=MOST_CHANNELS, max_keepalive_connections=MOST_CHANNELS // 2)
        super().__init__(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), limits=limits)  # unused, and costly by default
        # httpx has no public way to pass a network of one's own; a test watches over this name.
        self._pool = httpcore.AsyncConnectionPool(
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_Network(open_channel, turns or Turns()),
        )


class _Network(httpcore.AsyncNetworkBackend):
    """Opens channels wherever httpcore wants to connect to: there is one place to go."""

    def __init__(self, open_channel: Callable[[], Awaitable[Channel]], turns: Turns) -> None:
        self._open_channel = open_channel
        self._turns = turns

    async def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - httpcore's, as all of these
        port: int,  # noqa: ARG002
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 - Any: httpcore's own union
    ) -> httpcore.AsyncNetworkStream:
        """A channel to the agent. Raises RemoteError."""
        try:
            async with asyncio.timeout(timeout):
                return _Stream(await self._open_channel(), self._turns)
        except TimeoutError as problem:
            raise httpcore.ConnectTimeout from problem
        except OSError as problem:
            raise httpcore.ConnectError from problem


class _Stream(httpcore.AsyncNetworkStream):
    """One channel, as httpcore reads and writes it."""

    def __init__(self, channel: Channel, turns: Turns) -> None:
        self._channel = channel
        self._turns = turns

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's
        """What has come, at most `max_bytes`; nothing at the end. Raises RemoteError."""
        try:
            async with asyncio.timeout(timeout):
                data = await self._channel.read(max_bytes)
        except TimeoutError as problem:
            raise httpcore.ReadTimeout from problem
        except OSError as problem:
            raise httpcore.ReadError from problem
        await self._turns.mine()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's
        """Send everything. Raises RemoteError."""
        try:
            async with asyncio.timeout(timeout):
                await self._channel.write(buffer)
        except TimeoutError as problem:
            raise httpcore.WriteTimeout from problem
        except OSError as problem:
            raise httpcore.WriteError from problem

    async def aclose(self) -> None:
        """Close the channel; the agent sees it at once."""
        self._channel.close()

    def get_extra_info(self, info: str) -> Any:  # Any: httpcore's
        """`is_readable`: whether the agent has ended an idle connection, so that it is not used again."""
        return self._channel.ended if info == "is_readable" else None
