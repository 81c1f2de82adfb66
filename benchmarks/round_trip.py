"""How long a request takes by each way to an agent: sshd's forwarding, dialling through ssh, the local socket.

The ways take turns, so that each meets the same machine. Connecting is timed to the first event, which is a complete
snapshot: for ssh, with login, key exchange and all.
"""

from __future__ import annotations

import argparse
import asyncio
import operator
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, aclosing

from figures import this_machine, times
from machine import a_machine, behind

from fleetview.config import NodeConfig
from fleetview.remote.client import AgentClient
from fleetview.remote.connect import connect
from fleetview_agent.wire import SwapRequest

LOCAL = "local socket"
WARM_UP = 10
Ask = Callable[[AgentClient, str], Awaitable[object]]


async def get_snapshot(client: AgentClient, _model: str) -> object:
    """GET /api/snapshot."""
    return await client.snapshot()


async def post_plan(client: AgentClient, model: str) -> object:
    """POST /api/plan."""
    return await client.plan(SwapRequest(author="bench@desk", backend="simulated", model=model))


REQUESTS: Mapping[str, Ask] = {"GET /api/snapshot": get_snapshot, "POST /api/plan": post_plan}


async def requests(ways: Mapping[str, NodeConfig], rounds: int) -> None:
    """Time requests over connections that stand."""
    async with AsyncExitStack() as stack:
        clients = {way: await stack.enter_async_context(connect(node)) for way, node in ways.items()}
        first = await next(iter(clients.values())).snapshot()
        model = first.backends[0].models[0].name
        for name, ask in REQUESTS.items():
            taken: dict[str, list[float]] = {way: [] for way in ways}
            for turn in range(rounds + WARM_UP):
                for way, client in clients.items():
                    began = time.perf_counter()
                    await ask(client, model)
                    if turn >= WARM_UP:
                        taken[way].append(time.perf_counter() - began)
            _tell(name, taken)


async def connecting(ways: Mapping[str, NodeConfig], rounds: int) -> None:
    """Time new connections, up to their first event."""
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(rounds + 1):
        for way, node in ways.items():
            began = time.perf_counter()
            async with connect(node) as client, aclosing(client.events(1.0)) as events:
                await anext(events)
                if turn:
                    taken[way].append(time.perf_counter() - began)
    _tell("connect, to the first event", taken)


def _tell(name: str, taken: Mapping[str, list[float]]) -> None:
    """Print the times of one request by all ways, and round by round how much longer than without ssh it took."""
    print(name)
    for way, seconds in taken.items():
        more = statistics.median(map(operator.sub, seconds, taken[LOCAL])) * 1e3
        print(f"  {way:15} {times(seconds)}" + (f"  {more:+.1f} ms in pairs" if way != LOCAL else ""), flush=True)


async def run(ways: Mapping[str, NodeConfig], rounds: int, connections: int) -> None:
    """Time everything."""
    await requests(ways, rounds)
    await connecting(ways, connections)


def main() -> int:
    """Measure and tell; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=500, help="requests by each way; default %(default)s")
    parser.add_argument("--connections", type=int, default=30, help="by each way; default %(default)s")
    arguments = parser.parse_args()
    print(f"round trips; {this_machine()}", flush=True)
    with a_machine() as machine, machine.door() as server, machine.door(forwarding=False) as narrow:
        ways = {
            "ssh, forwarded": behind(server, "forwarded"),
            "ssh, by dial": behind(narrow, "dialled"),
            LOCAL: machine.here,
        }
        asyncio.run(run(ways, arguments.rounds, arguments.connections))
    return 0


if __name__ == "__main__":
    sys.exit(main())
