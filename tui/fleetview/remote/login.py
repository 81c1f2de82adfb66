"""From a node of the fleet file to an ssh connection, as the user's own ssh would make it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncssh
from asyncssh import SSHAgentClient, SSHClient, SSHClientConnection, SSHKey, SSHKeyPair

from fleetview.config import NodeConfig
from fleetview.remote.errors import HostKeyUnknown, IdentityLocked, Unreachable
from fleetview.remote.identities import Locked, agent_keys, in_order
from fleetview.remote.known_hosts import Known, look_up, new_keys_file, objection
from fleetview.remote.logins import Logins
from fleetview.remote.ssh_settings import Settings, Stop, config_files, settings
from fleetview.remote.ssh_words import SSH_ERRORS, login_in_words

LOGIN_SECONDS = 10.0
"""How long one machine may take to let us in."""
KEEPALIVES = 3
"""Unanswered ones after which the other side is given up."""
FASTEST_KEEPALIVE_SECONDS = 1.0
CLOSE_SECONDS = 1.0
"""How long a tidy end may take; a side that is gone does not answer it."""
MOST_HOPS = 8
"""Jump hosts behind each other: more are a circle."""
HOST_KEYS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
"""What servers are asked to prove themselves by, best first."""
HOST_CERTIFICATES = tuple(f"{name}-cert-v01@openssh.com" for name in HOST_KEYS)


@asynccontextmanager
async def logged_in(node: NodeConfig, logins: Logins, interval: float) -> AsyncIterator[SSHClientConnection]:
    """A connection to the node's machine while it is held; what only the operator knows is asked for.

    A side that says nothing is asked for a sign of life every `interval` seconds, and given up after KEEPALIVES of
    them. Raises Unreachable.
    """
    async with AsyncExitStack() as stack:
        yield await _enter(node, logins, max(interval, FASTEST_KEEPALIVE_SECONDS), stack)


async def _enter(node: NodeConfig, logins: Logins, keepalive: float, stack: AsyncExitStack) -> SSHClientConnection:
    """Log in, again after each question that was answered; nothing is open while the operator thinks."""
    target = Stop(node.host or "", node.user, node.port, node.identity)
    while True:
        async with AsyncExitStack() as hops:
            try:
                async with logins.turn():
                    ssh = await _Way(logins, keepalive, hops).to(target)
            except (HostKeyUnknown, IdentityLocked) as problem:
                question = problem
            else:
                stack.push_async_exit(hops.pop_all())
                return ssh
        if not await logins.solve(node.name, question):
            raise question


@dataclass(frozen=True)
class _Way:
    """The way to a machine, from jump host to jump host."""

    logins: Logins
    keepalive: float
    open: AsyncExitStack
    """Closes every connection of the way, the last one first."""

    async def to(self, stop: Stop, via: SSHClientConnection | None = None, depth: int = 0) -> SSHClientConnection:
        """A connection to `stop`, through the machines that its configuration names. Raises Unreachable."""
        with login_in_words(stop.host, LOGIN_SECONDS):
            found = await settings(stop)
        if depth > MOST_HOPS:
            raise Unreachable(f"the jump hosts of {stop.host} lead in a circle", "see ProxyJump in ~/.ssh/config")
        if via is None:
            for jump in found.jumps:
                via = await self.to(jump, via, depth + 1)
        return await self._log_in(found, via)

    async def _log_in(self, found: Settings, via: SSHClientConnection | None) -> SSHClientConnection:
        """Log in to one machine. Raises Unreachable."""
        known = look_up(found.known_hosts, found.known_as)
        locked = Locked()
        agent = await self.open.enter_async_context(SSHAgentClient(found.agent)) if found.agent else None
        pairs = in_order(
            found.identities,
            await agent_keys(agent),
            self.logins.unlocked,
            locked,
            files_only=found.identities_only,
        )
        client = _Client(pairs)
        with login_in_words(found.place, LOGIN_SECONDS):
            try:
                async with self.logins.at(found.place):
                    ssh = await self._connect(found, via, known, client)
            except SSH_ERRORS as problem:
                if isinstance(problem, asyncssh.HostKeyNotVerifiable) and client.shown is not None:
                    file = new_keys_file(found.known_hosts)
                    raise objection(found.known_as, known, client.shown, file) from problem
                if locked.files and client.asked:
                    raise _locked(locked.files[0], found.place) from problem
                raise
        self.open.push_async_callback(_close, ssh)
        return ssh

    async def _connect(
        self, found: Settings, via: SSHClientConnection | None, known: Known, client: SSHClient
    ) -> SSHClientConnection:
        """Shake hands; asyncssh reads the configuration for the rest of what it says, such as ciphers, ProxyCommand."""
        certificates = HOST_CERTIFICATES if known.authorities else ()
        ours = tuple(dict.fromkeys((*certificates, *known.algorithms, *HOST_KEYS)))
        return await asyncssh.connect(
            found.stop.host,
            found.stop.port or (),
            username=found.user,
            config=config_files(),
            tunnel=via,
            client_factory=lambda: client,
            client_keys=None,
            known_hosts=known.trusted,
            server_host_key_algs=() if found.orders_host_keys else ours,
            preferred_auth="publickey",
            gss_host=None,
            agent_forwarding=False,
            connect_timeout=LOGIN_SECONDS,
            login_timeout=LOGIN_SECONDS,
            keepalive_interval=self.keepalive,
            keepalive_count_max=KEEPALIVES,
        )


class _Client(SSHClient):
    """Hands out the keys, and keeps what the server has shown."""

    def __init__(self, pairs: Sequence[SSHKeyPair]) -> None:
        self._pairs = list(pairs)
        self.shown: SSHKey | None = None
        """A host key that is not among the trusted ones."""
        self.asked = False
        """Whether the login came so far that keys were wanted."""

    def validate_host_public_key(self, host: str, addr: str, port: int, key: SSHKey) -> bool:  # noqa: ARG002 - asyncssh's
        """Keep the key, and trust it not: the operator is asked with nothing sent."""
        self.shown = key
        return False

    def public_key_auth_requested(self) -> list[SSHKeyPair] | None:
        """All keys at the first time, none after that."""
        self.asked = True
        pairs, self._pairs = self._pairs, []
        return pairs or None


def _locked(file: Path, place: str) -> IdentityLocked:
    """The login needs a passphrase."""
    return IdentityLocked(
        f"login refused: {place} may want the key {file}, which is locked", f"`ssh-add {file}` unlocks it", file
    )


async def _close(ssh: SSHClientConnection) -> None:
    """End a connection, by force where the other side does not answer."""
    ssh.close()
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await ssh.wait_closed()
    except TimeoutError:
        ssh.abort()
    except SSH_ERRORS:
        return
