"""A machine of a fleet on this one: a home folder, an agent in it, sshds in front of it, and who logs in to them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import repository  # noqa: F401 - before what lies in the repository's root

from fleetview.config import NodeConfig
from tests.openssh import a_short_folder, until
from tests.operators import Operator
from tests.sshd import PROGRAMS, Sshd, an_operator, an_sshd

SIMULATED = """
sampler = "simulated"
[ollama]
enabled = false
[llamacpp]
enabled = false
[simulated]
enabled = true
load_seconds = 0.0
"""
"""An agent that measures nothing and runs nothing: what remains is the way to it."""
REAL = ""
"""An agent as it is without settings: real counters, llama.cpp."""


@dataclass
class ServedAgent:
    """A real `fleetview-agent serve`, which can be killed and started again."""

    home: Path
    settings: str
    process: psutil.Popen | None = field(default=None, repr=False)

    @property
    def socket(self) -> Path:
        """Where it serves."""
        return self.home / ".fleetview" / "agent.sock"

    def start(self) -> None:
        """Serve."""
        file = self.home / "agent.toml"
        file.write_text(self.settings)
        command = [str(PROGRAMS / "fleetview-agent"), "serve", "--config", str(file)]
        self.process = psutil.Popen(command, env={**os.environ, "HOME": str(self.home)}, stdin=subprocess.DEVNULL)
        until(self._serves, "the agent to serve")

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it, and wait for that."""
        if self.process is not None:
            with suppress(psutil.NoSuchProcess):
                self.process.send_signal(number)
            self.process.wait(20)
            self.process = None

    def _serves(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, "the agent ended as soon as it was started"
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(self.socket)) == 0


@dataclass(frozen=True)
class Machine:
    """Whoever operates it, and its agent."""

    folder: Path
    operator: Operator
    agent: ServedAgent

    @property
    def here(self) -> NodeConfig:
        """The agent without any ssh."""
        return NodeConfig(name="local", local=True, socket=self.agent.socket)

    @contextmanager
    def door(self, *, forwarding: bool = True) -> Iterator[Sshd]:
        """An sshd that lets the operator in."""
        folder = self.folder / ("door" if forwarding else "narrow")
        with an_sshd(folder, home=self.agent.home, forwarding=forwarding) as server:
            server.authorize(self.operator.key.with_suffix(".pub"))
            self.operator.know(server.known_as, server.host_public)
            yield server

    def fleet_file(self, *nodes: NodeConfig, interval: float = 1.0) -> Path:
        """A fleet file with these nodes."""
        parts = [f"[fleet]\ninterval_seconds = {interval}\n"]
        for node in nodes:
            way = (
                f'local = true\nsocket = "{node.socket}"' if node.local else f'host = "{node.host}"\nport = {node.port}'
            )
            parts.append(f'[[node]]\nname = "{node.name}"\n{way}\n')
        file = self.folder / "fleet.toml"
        file.write_text("\n".join(parts))
        return file

    def processes(self) -> list[psutil.Process]:
        """All that runs in the machine's home: the agent, and whatever sshds run for those who log in."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if process.status() != psutil.STATUS_ZOMBIE and process.environ().get("HOME") == str(self.agent.home):
                    found.append(process)
        return found


def behind(server: Sshd, name: str = "far") -> NodeConfig:
    """The node that the server leads to."""
    return NodeConfig(name=name, host="127.0.0.1", port=server.port)


@contextmanager
def a_machine(settings: str = SIMULATED) -> Iterator[Machine]:
    """A machine whose agent serves; this process has the operator's home meanwhile."""
    with ExitStack() as stack:
        folder = stack.enter_context(a_short_folder())
        home = folder / "home"
        home.mkdir(mode=0o700)
        machine = Machine(folder, an_operator(folder / "operator"), ServedAgent(home, settings))
        stack.callback(os.environ.update, {"HOME": os.environ["HOME"]})
        os.environ["HOME"] = str(machine.operator.home)
        os.environ.pop("SSH_AUTH_SOCK", None)  # no keys but the operator's
        stack.callback(_end_all, machine)
        machine.agent.start()
        stack.callback(machine.agent.end)
        yield machine


def _end_all(machine: Machine) -> None:
    """Nothing that was started for the machine stays."""
    for process in machine.processes():
        with suppress(psutil.NoSuchProcess):
            process.kill()
