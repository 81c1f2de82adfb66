"""known_hosts: which keys a machine may show, and a new one written down. Format: sshd(8), SSH_KNOWN_HOSTS."""

from __future__ import annotations

import base64
import hmac
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from fleetview.remote.errors import HostKeyUnknown, Unreachable
from fleetview.remote.host_key import HostKey

SSH_PORT = 22
SALT_BYTES = 20
HASHED = "|1|"
"""How a hashed entry begins: HMAC-SHA1 of the host, with a salt."""
USER_FILES = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
SYSTEM_FILES = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")


@dataclass(frozen=True)
class Known:
    """What is known of one host."""

    keys: tuple[asyncssh.SSHKey, ...]
    """Of this very host: another one in their place is a changed host key."""
    fallback: tuple[asyncssh.SSHKey, ...]
    """Of the host at ssh's own port, which will do at another port too."""
    authorities: tuple[asyncssh.SSHKey, ...]
    """Whose certificates are believed."""
    revoked: tuple[asyncssh.SSHKey, ...]

    @property
    def trusted(self) -> tuple[Sequence[asyncssh.SSHKey], ...]:
        """As asyncssh wants to be told."""
        return (self.keys + self.fallback, self.authorities, self.revoked)

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Of the known keys, so that the server is asked for one of these first."""
        known = self.keys + self.fallback
        return tuple(dict.fromkeys(name.decode() for key in known for name in key.sig_algorithms))


def host_name(host: str, port: int, alias: str | None) -> str:
    """The host as known_hosts writes it."""
    if alias:
        return alias
    return host.lower() if port == SSH_PORT else f"[{host.lower()}]:{port}"


def look_up(files: Iterable[str], name: str) -> Known:
    """What the files know of a host, by its name as `host_name` gives it."""
    entries = _entries(files)
    keys, authorities, revoked = (tuple(part) for part in entries.match(name, "", None)[:3])
    if keys or authorities or not name.startswith("["):
        return Known(keys, (), authorities, revoked)
    fallback, authorities, more = (tuple(part) for part in entries.match(name[1:].rpartition("]:")[0], "", None)[:3])
    return Known((), fallback, authorities, revoked + more)


def objection(name: str, known: Known, shown: asyncssh.SSHKey, file: Path) -> Unreachable:
    """Why a key that is not among the known ones is not accepted; with both fingerprints where one was expected."""
    fingerprint = shown.get_fingerprint()
    if known.keys:
        old = " or ".join(key.get_fingerprint() for key in known.keys)
        hint = f"somebody may be in between; if the machine is new, `ssh-keygen -R '{name}'` forgets the old key"
        return Unreachable(f"host key changed: {name} is known by {old} and shows {fingerprint}", hint)
    key = HostKey(name, shown.get_algorithm(), fingerprint, shown.export_public_key().decode().strip(), file)
    hint = "compare it on that machine; the dashboard asks once, and again after r; ssh itself asks too"
    return HostKeyUnknown(f"host key unknown: {name} shows {key.algorithm} {fingerprint}", hint, key)


def new_keys_file(files: Iterable[str]) -> Path:
    """Where the key of a new host is written: the first of the files, which is the user's own."""
    return Path(next(iter(files))).expanduser()


def remember(key: HostKey) -> None:
    """Write a trusted key down, hashed where the file's entries are. Raises Unreachable."""
    try:
        key.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        present = key.file.read_text(errors="replace") if key.file.exists() else ""
        host = _hashed(key.host) if any(line.startswith(HASHED) for line in present.splitlines()) else key.host
        descriptor = os.open(key.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(("\n" if present and not present.endswith("\n") else "") + f"{host} {key.public}\n")
    except OSError as problem:
        raise Unreachable(
            f"host key of {key.host} is trusted, but {key.file} cannot be written: {problem.strerror}"
        ) from problem


def _hashed(host: str) -> str:
    """A host that can be recognised and not read."""
    salt = os.urandom(SALT_BYTES)
    digest = hmac.digest(salt, host.encode(), "sha1")
    return HASHED + "|".join(base64.b64encode(part).decode() for part in (salt, digest))


def _entries(files: Iterable[str]) -> asyncssh.SSHKnownHosts:
    """All entries of the files that are there; lines that make no sense are skipped, as ssh does."""
    text = "\n".join(_texts(files))
    try:
        return asyncssh.import_known_hosts(text)
    except ValueError:
        return asyncssh.import_known_hosts("\n".join(line for line in text.splitlines() if _makes_sense(line)))


def _texts(files: Iterable[str]) -> Iterator[str]:
    """What stands in those files that can be read."""
    for file in files:
        try:
            yield Path(file).expanduser().read_text(errors="replace")
        except OSError:
            continue


def _makes_sense(line: str) -> bool:
    """Whether a line can be read alone."""
    try:
        asyncssh.import_known_hosts(line)
    except ValueError:
        return False
    return True
