"""HTTP over channels of one ssh connection."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import httpcore
import httpx

from fleetview.config import NodeConfig
from fleetview.remote.login import logged_in
from fleetview.remote.logins import Logins
from fleetview.remote.routes import Channel, Route

MOST_CHANNELS = 8
"""At once on one connection: sshd counts the ones that dial as sessions, and allows ten of these (MaxSessions)."""


@asynccontextmanager
async def ssh_transport(node: NodeConfig, logins: Logins, interval: float) -> AsyncIterator[httpx.AsyncBaseTransport]:
    """HTTP to the node's agent over one ssh connection, for as long as it is held. Raises Unreachable."""
    async with logged_in(node, logins, interval) as ssh, SSHTransport(Route(ssh, node)) as transport:
        yield transport


class SSHTransport(httpx.AsyncHTTPTransport):
    """Each connection of HTTP is a channel; httpx does everything else."""

    def __init__(self, route: Route) -> None:
        limits = httpx.Limits(max_connections=MOST_CHANNELS, max_keepalive_connections=MOST_CHANNELS // 2)
        super().__init__(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), limits=limits)  # unused, and costly by default
        # httpx has no public way to pass a network of one's own; a test watches over this name.
        self._pool = httpcore.AsyncConnectionPool(
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_Network(route),
        )


class _Network(httpcore.AsyncNetworkBackend):
    """Opens channels wherever httpcore wants to connect to: there is one place to go."""

    def __init__(self, route: Route) -> None:
        self._route = route

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
                return _Stream(await self._route.open())
        except TimeoutError as problem:
            raise httpcore.ConnectTimeout from problem


class _Stream(httpcore.AsyncNetworkStream):
    """One channel, as httpcore reads and writes it."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's
        """What has come, at most `max_bytes`; nothing at the end. Raises RemoteError."""
        try:
            async with asyncio.timeout(timeout):
                return await self._channel.read(max_bytes)
        except TimeoutError as problem:
            raise httpcore.ReadTimeout from problem

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's
        """Send everything. Raises RemoteError."""
        try:
            async with asyncio.timeout(timeout):
                await self._channel.write(buffer)
        except TimeoutError as problem:
            raise httpcore.WriteTimeout from problem

    async def aclose(self) -> None:
        """Close the channel; the agent sees it at once."""
        self._channel.close()

    def get_extra_info(self, info: str) -> Any:  # Any: httpcore's
        """`is_readable`: whether the agent has ended an idle connection, so that it is not used again."""
        return self._channel.ended if info == "is_readable" else None
