"""A node of the fleet file becomes a client of its agent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import httpx

from fleetview.config import NodeConfig
from fleetview.paths import agent_socket
from fleetview.remote.channels import ChannelTransport
from fleetview.remote.client import AgentClient
from fleetview.remote.local import local_agent
from fleetview.remote.logins import Logins
from fleetview.remote.sockets import open_socket
from fleetview.remote.turns import Turns


@asynccontextmanager
async def connect(
    node: NodeConfig,
    logins: Logins | None = None,
    *,
    interval: float = 1.0,
    again: bool = False,
    turns: Turns | None = None,
) -> AsyncIterator[AgentClient]:
    """A client of the node's agent, for as long as it is held. Raises Unreachable.

    A remote machine is asked for a sign of life every `interval` seconds. `again`: there was a client before.
    Clients that share `turns` work through what comes a few at a time.
    """
    async with AsyncExitStack() as stack:
        transport: httpx.AsyncBaseTransport
        if node.local:
            if node.socket is None:
                await stack.enter_async_context(local_agent(node.name, agent_socket(), revive=again))
            transport = ChannelTransport(partial(open_socket, node.socket or agent_socket()), turns)
        else:
            from fleetview.remote.transport import ssh_transport  # brings asyncssh, which local nodes need not pay for

            transport = await stack.enter_async_context(ssh_transport(node, logins or Logins(), interval, turns))
        yield await stack.enter_async_context(agent_client(transport, node.name))


@asynccontextmanager
async def agent_client(transport: httpx.AsyncBaseTransport, name: str) -> AsyncIterator[AgentClient]:
    """A client over any transport."""
    # Neither proxies of the environment nor compressed answers: what is asked for comes from one agent, as it is.
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost", headers={"accept-encoding": "identity"}, trust_env=False
    ) as http:
        yield AgentClient(http, name)
