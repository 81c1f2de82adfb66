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
from fleetview.remote.local import local_agent
from fleetview.remote.logins import Logins


@asynccontextmanager
async def connect(
    node: NodeConfig, logins: Logins | None = None, *, interval: float = 1.0, again: bool = False
) -> AsyncIterator[AgentClient]:
    """A client of the node's agent, for as long as it is held. Raises Unreachable.

    A remote machine is asked for a sign of life every `interval` seconds. `again`: there was a client before.
    """
    async with AsyncExitStack() as stack:
        transport: httpx.AsyncBaseTransport
        if node.local:
            if node.socket is None:
                await stack.enter_async_context(local_agent(node.name, agent_socket(), revive=again))
            transport = socket_transport(node.socket or agent_socket())
        else:
            from fleetview.remote.transport import ssh_transport  # brings asyncssh, which local nodes need not pay for

            transport = await stack.enter_async_context(ssh_transport(node, logins or Logins(), interval))
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
