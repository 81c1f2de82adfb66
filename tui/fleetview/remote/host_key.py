"""A host key as people compare it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class HostKey:
    """What a machine showed to prove who it is."""

    host: str
    """As known_hosts writes it: `name`, or `[name]:port`."""
    algorithm: str
    """Such as `ssh-ed25519`."""
    fingerprint: str
    """`SHA256:` and 43 characters, as ssh and ssh-keygen print it."""
    public: str
    """The public key as known_hosts writes it: algorithm and base64."""
    file: Path
    """The known_hosts file that it belongs in."""
