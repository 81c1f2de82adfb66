"""The demonstration: six Macs that are made up, served by a process that ends with this one."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fleetview.config import FleetConfig, FleetSection, NodeConfig
from fleetview.fleet import LinkDown
from fleetview.links import ClientLike, LinkLike, Receive

if TYPE_CHECKING:
    from fleetview.remote.errors import RemoteError
    from fleetview.remote.link import Link

SIGN = "DEMO"
"""What every screen says."""
THROWAWAY = ".fleetview-simulation"
"""A file that lets the process of the fleet remove the folder, should this one be killed."""
START_SECONDS = 20.0
POLL_SECONDS = 0.05
END_SECONDS = 5.0
MACHINES = (
    ("head-primary", "head", ("m3-ultra", "512g")),
    ("head-secondary", "head", ("m3-ultra", "512g")),
    ("worker-primary", "worker", ("m2-ultra", "192g")),
    ("worker-secondary", "worker", ("m2-ultra", "192g")),
    ("laptop-primary", "laptop", ("m4-max", "128g")),
    ("laptop-secondary", "laptop", ("m3-max", "128g")),
)


class Demo:
    """A made-up fleet in `folder`: its process starts with the first link, and links wait until it serves."""

    def __init__(self, folder: Path, seed: str) -> None:
        self._folder = folder
        self._seed = seed
        self._process: subprocess.Popen[bytes] | None = None
        self.config = FleetConfig(
            fleet=FleetSection(name="studio"),
            nodes=tuple(
                NodeConfig(name=name, local=True, socket=self._socket(name), role=role, tags=tags)
                for name, role, tags in MACHINES
            ),
        )

    @property
    def process(self) -> int | None:
        """The number of the process that is the fleet; None before it was started."""
        return None if self._process is None else self._process.pid

    def link(self, node: NodeConfig, interval: float, receive: Receive) -> LinkLike:
        """A connection to one of its machines."""
        self._process = self._process or self._start()
        return _DemoLink(self._process, self._socket(node.name), node, interval, receive)

    def end(self) -> None:
        """Let the fleet end, by force if it must be."""
        if self._process is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _socket(self, name: str) -> Path:
        return self._folder / name / "agent.sock"

    def _start(self) -> subprocess.Popen[bytes]:
        """The process of the fleet; it ends when its standard input does, so however we end."""
        command = (sys.executable, "-m", "fleetview_agent", "simulate", str(self._folder), "--seed")
        return subprocess.Popen(
            (*command, self._seed),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",  # where we are may hold a file named like a module
            start_new_session=True,  # keys that end programs are for the dashboard
        )


class _DemoLink:
    """A real link that waits until there is something to connect to."""

    def __init__(
        self, process: subprocess.Popen[bytes], socket: Path, node: NodeConfig, interval: float, receive: Receive
    ) -> None:
        from fleetview.remote.link import Link  # brings httpx, for which the first paint does not wait

        self._process = process
        self._socket = socket
        self._node = node
        self._receive = receive
        self._link: Link = Link(node, receive, interval, say=self._away)

    @property
    def client(self) -> ClientLike:
        """The way to ask for something. Raises NotConnected."""
        return self._link.client

    async def run(self) -> None:
        """Follow the machine until cancelled."""
        clock = asyncio.get_running_loop().time
        give_up = clock() + START_SECONDS
        while not self._socket.exists() and clock() < give_up:
            if self._process.poll() is not None:
                reason = f"the made-up fleet ended with status {self._process.returncode}; start fleetview demo again"
                self._receive(self._node.name, LinkDown(reason))
                return
            await asyncio.sleep(POLL_SECONDS)
        await self._link.run()

    def retry_now(self) -> None:
        """Skip the wait for the next try."""
        self._link.retry_now()

    def _away(self, problem: RemoteError) -> str:
        """Why a machine is away: while the fleet lives, what a real one would be told for whose lid is closed."""
        return f"no route to operator@{self._node.name}:22" if self._process.poll() is None else str(problem)


@contextmanager
def a_demo(seed: str) -> Iterator[tuple[Demo, Path]]:
    """A demonstration, and where its dashboard may write; both are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="fv-"))  # short: the path of a socket may have a hundred bytes
    (folder / THROWAWAY).touch()
    demo = Demo(folder, seed)
    try:
        yield demo, folder
    finally:
        demo.end()
        shutil.rmtree(folder, ignore_errors=True)
