"""The real dashboard with many nodes: when all of them are up, and what it takes from then on.

256 nodes on sockets of this machine, which one agent with made-up figures serves; and 64 ssh connections to one sshd.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import uvicorn
from figures import promise, this_machine
from machine import a_machine, behind
from pane import Cells, a_dashboard

from fleetview.config import NodeConfig
from fleetview_agent.serving.api import build_app
from fleetview_agent.serving.serve import Server
from tests.agents import a_running_agent
from tests.openssh import until

MIB = 1 << 20
SETTLE_SECONDS = 10.0
DESCRIPTORS = 2048
PROMISED_SHARE = 0.25
SERVE = "--serve"


def main() -> int:
    """Measure and tell; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--local", type=int, default=256, help="nodes without ssh; default %(default)s")
    parser.add_argument("--ssh", type=int, default=64, help="nodes behind ssh; default %(default)s")
    parser.add_argument("--seconds", type=float, default=60.0, help="measured each; default %(default)s")
    parser.add_argument(SERVE, type=Path, metavar="FOLDER", help="only be the agent on the sockets of the local nodes")
    arguments = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, most))
    if folder := arguments.serve:
        asyncio.run(serve(folder, arguments.local))
        return 0
    print(f"many nodes at 1 Hz; {this_machine()}", flush=True)
    with a_machine() as machine:
        with many_sockets(machine.folder, arguments.local) as nodes:
            local = measure(machine.fleet_file(*nodes), len(nodes), arguments.seconds, "on local sockets")
        with machine.door() as server:
            nodes = tuple(behind(server, f"far-{number:03}") for number in range(arguments.ssh))
            measure(machine.fleet_file(*nodes), len(nodes), arguments.seconds, "over ssh")
    what = f"{arguments.local} nodes take at most {PROMISED_SHARE:.0%} of a core"
    return promise(what, kept=local <= PROMISED_SHARE)


def measure(fleet: Path, count: int, seconds: float, how: str) -> float:
    """Print what the dashboard takes; its share of a core."""

    def all_up(cells: Cells) -> bool:
        return f"{count} of {count} up" in cells.text()

    with a_dashboard(fleet) as pane:
        ready = pane.wait(all_up, "all nodes to be up", 120.0)
        pane.follow(SETTLE_SECONDS)
        before, written = pane.process.cpu_times(), pane.written
        pane.follow(seconds)
        after, memory = pane.process.cpu_times(), pane.process.memory_info().rss
        share = (after.user + after.system - before.user - before.system) / seconds
        assert all_up(pane.cells), pane.cells.text()
        print(f"{count} nodes {how}")
        print(f"  all up {ready:.1f} s after the start of the program")
        print(f"  {share:.1%} of a core, {memory / MIB:.0f} MiB resident", end=", ")
        print(f"{(pane.written - written) / seconds / 1e3:.1f} kB/s to the terminal", flush=True)
        return share


@contextmanager
def many_sockets(folder: Path, count: int) -> Iterator[tuple[NodeConfig, ...]]:
    """An agent in a process of its own that serves so many sockets, each a node."""
    command = (sys.executable, __file__, SERVE, str(folder), "--local", str(count))
    with subprocess.Popen(command) as agent:
        try:
            until((folder / "ready").exists, "the agent to serve")
            yield tuple(
                NodeConfig(name=f"node-{number:03}", local=True, socket=folder / f"{number}.sock")
                for number in range(count)
            )
        finally:
            agent.terminate()


async def serve(folder: Path, count: int) -> None:
    """Be that agent, until killed."""
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(count)]
        for number, listener in enumerate(listeners):
            listener.bind(str(folder / f"{number}.sock"))
            listener.listen()
        (folder / "ready").touch()
        async with a_running_agent(folder) as agent:
            await Server(uvicorn.Config(build_app(agent), log_config=None, lifespan="off")).serve(listeners)


if __name__ == "__main__":
    sys.exit(main())
