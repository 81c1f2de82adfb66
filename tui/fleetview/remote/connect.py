"""A node of the fleet file becomes a client of its agent."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx

from fleetview.config import NodeConfig
from fleetview.paths import agent_socket
from fleetview.remote.client import AgentClient
from fleetview.remote.errors import Unreachable
from fleetview.remote.local import local_agent


@asynccontextmanager
async def connect(node: NodeConfig, *, again: bool = False) -> AsyncIterator[AgentClient]:
    """A client of the node's agent, for as long as it is held; `again`: there was one before. Raises Unreachable."""
    async with AsyncExitStack() as stack:
        if not node.local:
            raise Unreachable(
                f"{node.name} is reached by ssh, which this version cannot do yet", "nodes with local = true work"
            )
        if node.socket is None:
            await stack.enter_async_context(local_agent(node.name, agent_socket(), revive=again))
        transport = socket_transport(node.socket or agent_socket())
        yield await stack.enter_async_context(agent_client(transport, node.name))


@asynccontextmanager
async def agent_client(transport: httpx.AsyncBaseTransport, name: str) -> AsyncIterator[AgentClient]:
    """A client over any transport."""
    # Neither proxies of the environment nor compressed answers: what is asked for comes from one agent, as it is.
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost", headers={"accept-encoding": "identity"}, trust_env=False
    ) as http:
        yield AgentClient(http, name)


def socket_transport(socket: Path) -> httpx.AsyncHTTPTransport:
    """HTTP over a unix socket of this machine."""
    unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # otherwise httpx reads all root certificates, for nothing
    return httpx.AsyncHTTPTransport(verify=unused, uds=str(socket), limits=httpx.Limits(max_keepalive_connections=4))
