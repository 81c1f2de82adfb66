"""Private keys to log in with: from ssh-agent and from files, in the order in which they are offered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import asyncssh
from asyncssh import KeyEncryptionError, KeyImportError, SSHKey, SSHKeyPair

AGENT_SECONDS = 5.0
"""How long an ssh-agent may take to list its keys."""
DEFAULT_FILES = tuple(f"~/.ssh/{name}" for name in ("id_ed25519", "id_ed25519_sk", "id_ecdsa", "id_ecdsa_sk", "id_rsa"))
"""The usual files, Ed25519 first."""


@dataclass
class Locked:
    """Files whose passphrase was wanted: the server takes the key, or cannot be asked without."""

    files: list[Path] = field(default_factory=list)

    def ask(self, file: str) -> None:
        """Stands in for a passphrase that nobody has told yet."""
        self.files.append(Path(file))


def unlock(file: Path, passphrase: str) -> SSHKey | None:
    """The private key in a file; None when that is not its passphrase."""
    try:
        return asyncssh.read_private_key(file, passphrase)
    except (OSError, KeyEncryptionError, KeyImportError):
        return None


async def agent_keys(agent: asyncssh.SSHAgentClient | None) -> tuple[SSHKeyPair, ...]:
    """What an ssh-agent holds, Ed25519 first; nothing where none answers."""
    if agent is None:
        return ()
    try:
        async with asyncio.timeout(AGENT_SECONDS):
            return tuple(sorted(await agent.get_keys(), key=lambda pair: b"ed25519" not in pair.algorithm))
    except (OSError, ValueError, TimeoutError):
        return ()


def in_order(
    files: Iterable[Path],
    held: Sequence[SSHKeyPair],
    unlocked: Mapping[Path, SSHKey],
    locked: Locked,
    *,
    files_only: bool,
) -> tuple[SSHKeyPair, ...]:
    """The keys as they are offered: those of the files, by the agent where it `held` them, then the agent's others.

    A file that cannot be read, or holds no key, is passed over. With `files_only` (IdentitiesOnly) the others are not
    offered, which also spares servers that allow few tries.
    """
    offered: list[SSHKeyPair] = []
    for file in files:
        public = _public(file)
        by_agent = [pair for pair in held if public is not None and pair.key_public_data == public]
        offered += by_agent or _pairs(file, unlocked.get(file), locked)
    others = () if files_only else (pair for pair in held if pair not in offered)
    return (*offered, *others)


def _pairs(file: Path, key: SSHKey | None, locked: Locked) -> Sequence[SSHKeyPair]:
    """The private key in a file, with its certificate if it has one."""
    certificate = file.with_name(f"{file.name}-cert.pub")
    try:
        if key is not None:
            return asyncssh.load_keypairs([(key, str(certificate))] if certificate.exists() else [key])
        if _public(file) is None:  # an old format, which does not even tell the public key
            return asyncssh.load_keypairs([str(file)])
        # asyncssh documents a callable here, which its annotation forgets.
        return asyncssh.load_keypairs([str(file)], passphrase=cast(str, locked.ask))
    except KeyImportError as problem:
        if str(problem).startswith("Passphrase"):
            locked.ask(str(file))
        return ()
    except (OSError, ValueError):
        return ()


def _public(file: Path) -> bytes | None:
    """The public half of the key in a file, from the file beside it or from its own head."""
    for place in (file.with_name(f"{file.name}.pub"), file):
        try:
            return asyncssh.read_public_key(place).public_data
        except (OSError, ValueError):
            continue
    return None
