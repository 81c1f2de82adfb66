"""What the user's ssh configuration says of a machine, with what the fleet file says over it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from asyncssh import SSHClientConnectionOptions

from fleetview.remote.identities import DEFAULT_FILES
from fleetview.remote.known_hosts import SSH_PORT, SYSTEM_FILES, USER_FILES, host_name

CONFIG_FILES = ("~/.ssh/config", "/etc/ssh/ssh_config")


@dataclass(frozen=True)
class Stop:
    """A machine on the way: a host name or a Host of the ssh configuration, and what overrides that."""

    host: str
    user: str | None = None
    port: int | None = None
    identity: Path | None = None


@dataclass(frozen=True)
class Settings:
    """How a machine is reached."""

    stop: Stop
    host: str
    """After HostName."""
    port: int
    user: str
    jumps: tuple[Stop, ...]
    """To be passed before it, in this order (ProxyJump)."""
    identities: tuple[Path, ...]
    identities_only: bool
    agent: str | None
    """The socket of the ssh-agent."""
    known_hosts: tuple[str, ...]
    """Where keys of hosts are looked for; the first is where new ones are written."""
    known_as: str
    """The host as known_hosts writes it."""
    orders_host_keys: bool
    """Whether the user has said which kinds of host keys to ask for (HostKeyAlgorithms)."""

    @property
    def place(self) -> str:
        """For people, and as ssh takes it where the port is its own."""
        place = f"{self.user}@{self.host}"
        return place if self.port == SSH_PORT else f"{place}:{self.port}"


def config_files() -> tuple[str, ...]:
    """The user's own configuration and the machine's, as far as they are there."""
    files = (Path(file).expanduser() for file in CONFIG_FILES)
    return tuple(str(file) for file in files if os.access(file, os.R_OK))


async def settings(stop: Stop) -> Settings:
    """Read the configuration for one machine. Raises ValueError, OSError."""
    options = await SSHClientConnectionOptions.construct(
        host=stop.host,
        port=stop.port or (),
        username=stop.user or (),
        config=config_files(),
        client_keys=None,
        known_hosts=None,
    )
    config = options.config
    alias = cast(str | None, config.get("HostKeyAlias"))  # the cast is the option's type, as in asyncssh's table
    port = int(options.port or SSH_PORT)
    user_files = tuple(_list(config.get("UserKnownHostsFile"))) or USER_FILES
    return Settings(
        stop=stop,
        host=options.host,
        port=port,
        user=options.username,
        jumps=_jumps(config.get("ProxyJump"), stop.host),
        identities=_identities(stop.identity, _list(config.get("IdentityFile"))),
        identities_only=bool(config.get("IdentitiesOnly")),
        agent=_agent(config.get("IdentityAgent", "SSH_AUTH_SOCK")),
        known_hosts=(*user_files, *(_list(config.get("GlobalKnownHostsFile")) or SYSTEM_FILES)),
        known_as=host_name(options.host, port, alias),
        orders_host_keys=config.get("HostKeyAlgorithms") is not None,
    )


def _list(value: object) -> Sequence[str]:
    """An option that is a list, or absent."""
    return cast(Sequence[str], value) if isinstance(value, (list, tuple)) else ()  # of strings, as above


def _identities(own: Path | None, configured: Sequence[str]) -> tuple[Path, ...]:
    """The files to be offered: like `ssh -i`, the fleet file's comes first; the usual ones where none is named."""
    files = tuple(Path(file).expanduser() for file in configured)
    named = (own, *files) if own else files
    return tuple(dict.fromkeys(named)) or tuple(Path(file).expanduser() for file in DEFAULT_FILES)


def _agent(told: object) -> str | None:
    """The socket of the ssh-agent (IdentityAgent): a path, `none`, or the name of a variable."""
    if not isinstance(told, str):
        return None
    if told == "SSH_AUTH_SOCK" or told.startswith("$"):
        return os.environ.get(told.removeprefix("$")) or None
    return os.path.expanduser(told)  # noqa: PTH111 - it stays a string: it goes to asyncssh


def _jumps(told: object, host: str) -> tuple[Stop, ...]:
    """The machines of a ProxyJump; one that names the machine itself, as under `Host *`, is none."""
    if not isinstance(told, str):
        return ()
    return tuple(stop for word in told.split(",") if (stop := _stop(word.strip())).host != host)


def _stop(word: str) -> Stop:
    """`[user@]host[:port]`, also as a URI `ssh://…`. Raises ValueError."""
    user, _, place = word.removeprefix("ssh://").rpartition("@")
    if place.startswith("["):  # an IPv6 address
        host, _, rest = place[1:].partition("]")
        port = rest.removeprefix(":")
    else:
        host, _, port = place.partition(":")
    return Stop(host, user or None, int(port) if port else None)
