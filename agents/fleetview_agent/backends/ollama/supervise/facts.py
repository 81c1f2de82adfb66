"""What a look at the machine found out about those who could run Ollama's server; plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path, PurePath
from urllib.parse import urlsplit

from fleetview_agent.backends.ollama.processes import Server

DEFAULT_PORT = 11434
_PORTS_OF_SCHEMES = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Ancestor:
    """A process above a server."""

    pid: int
    name: str
    command: tuple[str, ...] = ()
    """Empty where it cannot be read."""


@dataclass(frozen=True)
class SeenServer:
    """A server, and what tells who started it."""

    server: Server
    ports: frozenset[int] | None = None
    """Where it listens; empty while it does not yet, None where that cannot be read."""
    ancestors: tuple[Ancestor, ...] = ()
    """Its parent first."""
    cgroup: str = ""
    """Its place in systemd's hierarchy; empty on systems without."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Its own settings, as far as they can be read."""
    log_file: Path | None = None
    """The file that it writes to."""

    @property
    def places(self) -> frozenset[int] | None:
        """The ports where it listens, or will when it is ready; None where neither can be read."""
        if self.ports:
            return self.ports
        return frozenset({port_of(self.environment.get("OLLAMA_HOST"))}) if self.environment else None

    @property
    def chain(self) -> frozenset[int]:
        """Its own number and those of all processes above it but the first of the machine."""
        return frozenset({self.server.pid, *(ancestor.pid for ancestor in self.ancestors)} - {1})


@dataclass(frozen=True)
class Job:
    """A job of launchd that runs Ollama's server, loaded or only installed."""

    label: str
    domain: str | None
    """Where it is loaded: gui/UID, user/UID or system."""
    plist: Path | None = None
    pid: int | None = None
    keeps_alive: bool = False
    """Whether launchd starts it again whenever it ends."""
    runs_at_load: bool = True
    sessions: tuple[str, ...] = ()
    """Kinds of session that it may be loaded in; empty: Aqua, the one at the screen."""
    log_file: Path | None = None
    port: int = DEFAULT_PORT

    @property
    def is_daemon(self) -> bool:
        """Whether it belongs to the machine, not to an account."""
        return self.domain == "system" or (
            self.domain is None and self.plist is not None and self.plist.parent.name == "LaunchDaemons"
        )


@dataclass(frozen=True)
class LogUnit:
    """A service of systemd whose log is in the journal."""

    name: str
    is_user: bool = False
    """Whether the account's own systemd runs it."""


@dataclass(frozen=True)
class Unit:
    """A service of systemd that runs Ollama's server."""

    name: str
    manager: int | None = None
    """The account whose own systemd it belongs to; None: the machine's."""
    active: str = "inactive"
    """active, activating, reloading, deactivating, inactive or failed."""
    main_pid: int | None = None
    file_state: str = ""
    """enabled, disabled, static, masked …"""
    port: int = DEFAULT_PORT

    @property
    def is_active(self) -> bool:
        """Whether systemd runs it, or tries to."""
        return self.active in {"active", "activating", "reloading"}


@dataclass(frozen=True)
class App:
    """Ollama's own application on a Mac, installed."""

    pid: int | None = None
    created_at: float = 0.0


@dataclass(frozen=True)
class OwnChild:
    """The `ollama serve` that an agent started."""

    pid: int
    created_at: float
    log_file: Path


@dataclass(frozen=True)
class Facts:
    """All of it."""

    uid: int
    user: str
    address: str
    """HOST:PORT where the server is wanted."""
    address_is_chosen: bool = False
    """Whether the operator named the address, so that servers elsewhere are meant to be."""
    servers: tuple[SeenServer, ...] = ()
    jobs: tuple[Job, ...] = ()
    units: tuple[Unit, ...] = ()
    app: App | None = None
    has_screen: bool = False
    """Whether the account is logged in at the screen of this Mac."""
    has_sudo: bool = False
    child: OwnChild | None = None
    taken_by: str | None = None
    """Who listens at the address, where it is no Ollama server that can be seen."""
    program: Path | None = None
    """The program `ollama`."""
    environment: tuple[tuple[str, str], ...] = ()
    """What the agent's own server is started with."""

    @property
    def port(self) -> int:
        """Where the server is wanted."""
        return int(self.address.rpartition(":")[2])

    @property
    def is_root(self) -> bool:
        """Whether nothing is forbidden."""
        return self.uid == 0


def port_of(host: str | None) -> int:
    """The port that Ollama takes from the value of OLLAMA_HOST."""
    if not host or not host.strip():
        return DEFAULT_PORT
    text = host.strip().strip("\"'")
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        return parts.port or _PORTS_OF_SCHEMES.get(parts.scheme, DEFAULT_PORT)
    except ValueError:
        return DEFAULT_PORT


def runs_ollama(words: tuple[str, ...]) -> bool:
    """Whether a command line starts Ollama's server, directly or through a shell."""
    flat = tuple(part for word in words for part in word.split())
    return any(PurePath(program).name == "ollama" and argument == "serve" for program, argument in pairwise(flat))
