"""Machines behind OpenSSH's sshd, and operators who work on them with the real programs over ssh."""

from __future__ import annotations

import getpass
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.operators import Operator, an_operator
from tests.sshd import Sshd, an_sshd
from tests.stories.conftest import Home, a_home, command, until
from tests.stories.terminal import Terminal, terminal

ACCOUNT = getpass.getuser()
"""Whom the servers let in: whoever runs the tests."""
SIM_SMALL, SIM_LARGE = "sim-small", "sim-large"
LONG = " ".join(f"word{number}" for number in range(1, 301))
"""What such a model takes a quarter of a minute to say again."""


def simulated(load_seconds: float = 1.5, tokens_per_second: float = 20) -> str:
    """An agent.toml without engines: models are loaded while one watches, and say again what they are told."""
    return f"""\
sampler = "simulated"

[ollama]
enabled = false

[llamacpp]
enabled = false

[simulated]
enabled = true
load_seconds = {load_seconds}
tokens_per_second = {tokens_per_second}
"""


@dataclass(frozen=True)
class Machine:
    """A machine of the fleet: its home, the server in front of it, and the agent behind that."""

    name: str
    home: Home
    sshd: Sshd
    agent: subprocess.Popen[bytes] | None

    def get(self, path: str) -> Any:
        """What the agent itself answers, past ssh and all that is tested."""
        answer = self.home.get(path)
        assert answer is not None
        assert answer[0] == 200, answer[1]
        return json.loads(answer[1])

    def models(self, backend: str) -> list[str]:
        """What could be loaded there."""
        states = self.get("/api/snapshot")["backends"]
        return [row["name"] for state in states if state["backend"] == backend for row in state["models"]]

    @property
    def resident(self) -> list[str]:
        """What can answer there."""
        states = self.get("/api/snapshot")["backends"]
        return [row["name"] for state in states for row in state["resident"] if row["phase"] == "ready"]

    @property
    def journal(self) -> list[tuple[str, str, str]]:
        """Verb, model and result of what was done there, newest first."""
        return [(e["request"]["verb"], e["request"]["model"], e["result"]) for e in self.get("/api/journal")]

    @property
    def answering(self) -> bool:
        """Whether a model is at an answer."""
        samples = self.get("/api/snapshot")["samples"]
        return any(row["in_flight"] for row in samples[-1]["traffic"])

    @property
    def idle(self) -> bool:
        """Whether every model that is ready has ended its last answer."""
        states = self.get("/api/snapshot")["backends"]
        return all(row.get("idle_seconds") is not None for state in states for row in state["resident"])

    @property
    def dials(self) -> list[int]:
        """The processes that carry connections to the agent."""
        return [process.pid for process in self.home.processes() if "dial" in process.cmdline()]


@contextmanager
def a_machine(
    name: str,
    *,
    settings: str | None = None,
    serves: bool = True,
    forwarding: bool = True,
    extra: Sequence[str] = (),
    address: str = "127.0.0.1",
    prefix: Sequence[str] = (),
) -> Iterator[Machine]:
    """A machine with an sshd, and an agent as `settings` (agent.toml) want it; the rest is as `an_sshd` takes it."""
    with (
        a_home() as home,
        an_sshd(
            home.path / "sshd", home=home.path, forwarding=forwarding, extra=extra, address=address, prefix=prefix
        ) as sshd,
    ):
        home.socket.parent.mkdir(mode=0o700)
        (home.socket.parent / "agent.toml").write_text(simulated() if settings is None else settings)
        with an_agent(home) if serves else nullcontext() as agent:
            yield Machine(name, home, sshd, agent)


@contextmanager
def an_agent(home: Home) -> Iterator[subprocess.Popen[bytes]]:
    """An agent that serves in this home, as a service would run it."""
    with subprocess.Popen([command("fleetview-agent"), "serve"], env=home.environment) as process:
        try:
            until(lambda: home.get("/api/snapshot") is not None or process.poll() is not None, "an answer")
            yield process
        finally:
            process.kill()


@dataclass(frozen=True)
class Desk(Home):
    """An operator's home, with what ssh and fleetview keep there."""

    operator: Operator
    variables: Mapping[str, str] = field(default_factory=dict)
    """Of the operator's environment."""

    @property
    def environment(self) -> dict[str, str]:
        """No ssh-agent but the one that was given."""
        return {**super().environment, "SSH_AUTH_SOCK": "", **self.variables}

    def as_user(self, name: str) -> Desk:
        """The same desk for somebody of that name."""
        return self.with_variables(USER=name, LOGNAME=name)

    def with_variables(self, **variables: str) -> Desk:
        """The same desk with more in its environment."""
        return Desk(self.path, self.operator, {**self.variables, **variables})

    def may_enter(self, *machines: Machine, key: Path | None = None, hashed: bool = False) -> None:
        """Trust the machines, and be let in."""
        for machine in machines:
            machine.sshd.authorize((key or self.operator.key).with_suffix(".pub"))
            self.operator.know(machine.sshd.known_as, machine.sshd.host_public, hashed=hashed)

    def write_fleet(self, *nodes: str) -> None:
        """Write the fleet file; each node is the TOML of one."""
        file = self.path / ".config" / "fleetview" / "fleet.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"[[node]]\n{node}\n\n" for node in nodes))

    def ssh(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """OpenSSH's own client with the same files, in the same environment."""
        return subprocess.run(
            self.operator.ssh_command(*arguments),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A command of fleetview that is not waited for."""
        return subprocess.Popen(
            [command("fleetview"), *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.path,
        )

    def dashboard(self, *arguments: str, columns: int = 80, rows: int = 24) -> AbstractContextManager[Terminal]:
        """fleetview in a terminal, with nothing or with a verb."""
        return terminal(command("fleetview"), *arguments, environment=self.environment, columns=columns, rows=rows)


@contextmanager
def a_desk(**variables: str) -> Iterator[Desk]:
    """The desk of an operator who has one key, and knows no host."""
    with a_home() as home:
        yield Desk(home.path, an_operator(home.path), variables)


def node(machine: Machine, **keys: str | int) -> str:
    """The machine in a fleet file, by its address."""
    return entry(machine.name, host=machine.sshd.address, port=machine.sshd.port, user=ACCOUNT, **keys)


def entry(name: str, **keys: str | int) -> str:
    """A node of a fleet file."""
    return "\n".join(f"{key} = {json.dumps(value)}" for key, value in {"name": name, **keys}.items())


def said(process: subprocess.Popen[str], words: str) -> None:
    """Return when a command has said a line on its standard error; what comes at once after it may be lost."""
    assert process.stderr is not None
    before = ""
    for line in process.stderr:
        if line.strip() == words:
            return
        before += line
    raise AssertionError(f"it ended without {words!r}:\n{before}")


def ended(process: subprocess.Popen[str], seconds: float = 30.0) -> tuple[int, str, str]:
    """Exit status, output and errors of a command, once it has ended."""
    output, errors = process.communicate(timeout=seconds)
    return process.returncode, output, errors
