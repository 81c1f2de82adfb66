"""HTTP over channels of one ssh connection."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from fleetview.config import NodeConfig
from fleetview.remote.channels import ChannelTransport
from fleetview.remote.login import logged_in
from fleetview.remote.logins import Logins
from fleetview.remote.routes import Route
from fleetview.remote.turns import Turns


@asynccontextmanager
async def ssh_transport(
    node: NodeConfig, logins: Logins, interval: float, turns: Turns | None = None
) -> AsyncIterator[httpx.AsyncBaseTransport]:
    """HTTP to the node's agent over one ssh connection, for as long as it is held. Raises Unreachable."""
    async with logged_in(node, logins, interval) as ssh, ChannelTransport(Route(ssh, node).open, turns) as transport:
        yield transport
