"""What only the operator can answer on the way to a node."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from fleetview.remote.host_key import HostKey


class Questions(Protocol):
    """Somebody who can be asked; one question at a time, however many connections wait for an answer."""

    async def trust(self, node: str, key: HostKey) -> bool:
        """Whether this is the machine that is meant."""

    async def passphrase(self, node: str, file: Path, *, wrong: bool) -> str | None:
        """What opens the private key; None: the operator will not say. `wrong`: what was said before did not."""


class Nobody:
    """Nobody is there to be asked, as in a script."""

    async def trust(self, node: str, key: HostKey) -> bool:  # noqa: ARG002 - whatever the question
        """No."""
        return False

    async def passphrase(self, node: str, file: Path, *, wrong: bool) -> str | None:  # noqa: ARG002 - as above
        """Not told."""
        return None
