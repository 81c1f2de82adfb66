"""One node goes away and comes back, again and again, and nothing may stay behind on either side.

The real dashboard, without a terminal, follows a real agent behind a real sshd. In turn, the sessions of sshd are
killed, sshd is stopped and started, the sessions freeze so that nobody says anything, and the agent is killed and
started. The agent is spared after the first third of the time, so that what it keeps has time to grow. Whenever the
node is back, both sides are counted. The last cycles must not have more than the first ones.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import signal
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, fields

import psutil
from asyncssh import SSHClientConnection
from asyncssh.channel import SSHChannel
from figures import promise, this_machine
from machine import Machine, a_machine, behind

from fleetview.app import FleetApp
from fleetview.config import FleetConfig
from fleetview.fleet import NodeState, condition
from tests.sshd import Sshd

NAME = "far"
MIB = 1 << 20
STEP_SECONDS = 0.02
AWAY_SECONDS = 1.5
BACK_SECONDS = 30.0
SETTLE_SECONDS = 0.5
"""Granted to what ends in the background before it is counted."""
SPARED_AFTER = 1 / 3
"""Share of the time after which the agent is not killed any more."""
WARM_UP_CYCLES = 4
MEMORY_SLACK = 0.01
"""By which resident memory may differ: allocators do not give back all at once."""


@dataclass(frozen=True)
class Count:
    """What is there on both sides while the node is up."""

    tasks: int
    connections: int
    channels: int
    files: int
    threads: int
    memory: float
    """Resident, in MiB."""
    agent_files: int
    agent_threads: int
    agent_memory: float
    sessions: int
    """Processes of sshd."""
    dials: int
    """`fleetview-agent dial`, and the shells around it."""


@dataclass(frozen=True)
class Cycle:
    """Once away and back."""

    number: int
    way: str
    agent: int
    """Process of the agent afterwards."""
    away_seconds: float
    """From the fault until the node is up again."""
    count: Count


@dataclass(frozen=True)
class Bench:
    """What there is to be broken, and to be counted."""

    app: FleetApp
    machine: Machine
    server: Sshd

    @property
    def node(self) -> NodeState:
        """The node as the dashboard knows it."""
        return self.app.fleet[NAME]

    async def up(self) -> None:
        """Return when the node is there."""
        async with asyncio.timeout(BACK_SECONDS):
            while condition(self.node, time.monotonic()) != "up":  # noqa: ASYNC110 - nobody signals it
                await asyncio.sleep(STEP_SECONDS)

    async def lost(self) -> None:
        """Return when the connection that stands has ended, though another may stand already."""
        since = self.node.link_since
        async with asyncio.timeout(BACK_SECONDS):
            while self.node.link_since == since:  # noqa: ASYNC110 - as above
                await asyncio.sleep(STEP_SECONDS)

    def count(self) -> Count:
        """Count, once what is garbage is gone."""
        gc.collect()
        alive = gc.get_objects()
        ours, agent = psutil.Process(), self.machine.agent.process
        assert agent is not None
        return Count(
            tasks=len(asyncio.all_tasks()),
            connections=sum(isinstance(one, SSHClientConnection) for one in alive),
            channels=sum(isinstance(one, SSHChannel) for one in alive),
            files=ours.num_fds(),
            threads=ours.num_threads(),
            memory=ours.memory_info().rss / MIB,
            agent_files=agent.num_fds(),
            agent_threads=agent.num_threads(),
            agent_memory=agent.memory_info().rss / MIB,
            sessions=self.server.sessions,
            dials=sum(_dials(process) for process in self.machine.processes()),
        )


Break = Callable[[Bench], Awaitable[None]]


async def drop_sessions(bench: Bench) -> None:
    """The connection ends without a word."""
    bench.server.drop_sessions()
    await bench.lost()


async def restart_sshd(bench: Bench) -> None:
    """The machine's sshd goes and comes."""
    bench.server.stop()
    await bench.lost()
    await asyncio.sleep(AWAY_SECONDS)
    bench.server.start()


async def fall_silent(bench: Bench) -> None:
    """Nobody says anything any more, and then everybody goes on."""
    with _frozen(bench.server):
        await bench.lost()


async def kill_agent(bench: Bench) -> None:
    """The agent ends without a word, and is started again."""
    bench.machine.agent.end(signal.SIGKILL)
    await bench.lost()
    await asyncio.sleep(AWAY_SECONDS)
    bench.machine.agent.start()


FAULTS: Sequence[Break] = (drop_sessions, restart_sshd, fall_silent, kill_agent)


@contextmanager
def _frozen(server: Sshd) -> Iterator[None]:
    """The processes that look after connections stand still; sshd itself accepts new ones."""
    frozen = server.session_processes
    for process in frozen:
        process.suspend()
    try:
        yield
    finally:
        for process in frozen:
            with suppress(psutil.NoSuchProcess):
                process.resume()


def _dials(process: psutil.Process) -> bool:
    """Whether it carries bytes to the agent."""
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        return "dial" in " ".join(process.cmdline())
    return False


@asynccontextmanager
async def a_bench(machine: Machine, server: Sshd) -> AsyncIterator[Bench]:
    """A dashboard that follows the machine."""
    app = FleetApp(FleetConfig(nodes=(behind(server, NAME),)))
    async with app.run_test():
        bench = Bench(app, machine, server)
        await bench.up()
        yield bench


async def flap(bench: Bench, minutes: float, every: float) -> list[Cycle]:
    """Break and count for so long."""
    cycles: list[Cycle] = []
    began = time.monotonic()
    while (at := time.monotonic()) < began + minutes * 60:
        spared = at > began + minutes * 60 * SPARED_AFTER
        ways = [fault for fault in FAULTS if not (spared and fault is kill_agent)]
        way = ways[len(cycles) % len(ways)]
        await way(bench)
        await bench.up()
        away = time.monotonic() - at
        await asyncio.sleep(max(SETTLE_SECONDS, at + every - time.monotonic()))
        await bench.up()
        agent = bench.machine.agent.process
        assert agent is not None
        cycles.append(Cycle(len(cycles) + 1, way.__name__, agent.pid, away, bench.count()))
        print(_line(cycles[-1]), flush=True)
    return cycles


def _line(cycle: Cycle) -> str:
    """One cycle, for people."""
    counts = ((one.name, getattr(cycle.count, one.name)) for one in fields(Count))
    figures = " ".join(f"{value:{len(name)}.{int(name.endswith('memory'))}f}" for name, value in counts)
    return f"{cycle.number:5} {cycle.way:14} {cycle.away_seconds:5.1f} s  {figures}"


def grown(cycles: Sequence[Cycle]) -> list[str]:
    """What there is more of in the last third than in the first one; of the agent, within its last life."""
    cycles = cycles[WARM_UP_CYCLES:]
    last_life = [cycle for cycle in cycles if cycle.agent == cycles[-1].agent]
    faults = []
    for name in (one.name for one in fields(Count)):
        seen = [getattr(cycle.count, name) for cycle in (last_life if name.startswith("agent_") else cycles)]
        third = max(1, len(seen) // 3)
        first, last = (statistics.median(part) for part in (seen[:third], seen[-third:]))
        slack = first * MEMORY_SLACK if name.endswith("memory") else 0
        print(f"{name:14} first third {first:7.1f}  last third {last:7.1f}  most {max(seen):7.1f}")
        if last > first + slack:
            faults.append(name)
    return faults


async def run(machine: Machine, server: Sshd, minutes: float, every: float) -> list[str]:
    """What has grown."""
    async with a_bench(machine, server) as bench:
        print(f"cycle {'way':14} back in  " + " ".join(one.name for one in fields(Count)))
        cycles = await flap(bench, minutes, every)
    return grown(cycles)


def main() -> int:
    """Measure and tell; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="default %(default)s")
    parser.add_argument("--every", type=float, default=5.0, help="seconds of one cycle; default %(default)s")
    parser.add_argument("--dial", action="store_true", help="with an sshd that forwards nothing")
    arguments = parser.parse_args()
    print(f"a node that comes and goes every {arguments.every:g} s; {this_machine()}", flush=True)
    with a_machine() as machine, machine.door(forwarding=not arguments.dial) as server:
        faults = asyncio.run(run(machine, server, arguments.minutes, arguments.every))
    return promise(f"nothing grows{': ' + ', '.join(faults) if faults else ''}", kept=not faults)


if __name__ == "__main__":
    sys.exit(main())
