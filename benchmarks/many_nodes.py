"""The real dashboard with many nodes: when all of them are up, and what it takes from then on.

256 made-up machines in one process, each an agent with a socket of its own; and 64 ssh connections to one sshd.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from figures import promise, this_machine
from machine import a_machine, behind
from pane import Cells, a_dashboard

from fleetview.config import NodeConfig

MIB = 1 << 20
SETTLE_SECONDS = 10.0
DESCRIPTORS = 4096
PROMISED_SHARE = 0.25
START_SECONDS = 60.0


def main() -> int:
    """Measure and tell; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--local", type=int, default=256, help="nodes without ssh; default %(default)s")
    parser.add_argument("--ssh", type=int, default=64, help="nodes behind ssh; default %(default)s")
    parser.add_argument("--seconds", type=float, default=60.0, help="measured each; default %(default)s")
    arguments = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, most))
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
    """So many made-up machines in a process of their own, each with a whole agent."""
    home = folder / "simulated"
    sockets = {f"node-{number:03}": home / f"node-{number:03}" / "agent.sock" for number in range(count)}
    command = (sys.executable, "-m", "fleetview_agent", "simulate", str(home), "--nodes", str(count))
    with subprocess.Popen(command, stdin=subprocess.PIPE) as fleet:
        try:
            _await(sockets.values())
            yield tuple(NodeConfig(name=name, local=True, socket=socket) for name, socket in sockets.items())
        finally:
            fleet.communicate()  # closes its standard input, which ends it


def _await(sockets: Iterable[Path]) -> None:
    """Return when all of them are there; hundreds of agents take some seconds."""
    deadline = time.monotonic() + START_SECONDS
    while not all(socket.exists() for socket in sockets):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {START_SECONDS:g} s for the agents to serve")
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
