"""What can go wrong on the way to an agent, in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fleetview.remote.host_key import HostKey


class RemoteError(Exception):
    """A failure told in one sentence, with what to do about it."""

    heals = True
    """Whether another try may do better without the operator's word."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """The sentence and what to do, for people."""
        return f"{self.message} ({self.hint})" if self.hint else self.message


class Unreachable(RemoteError):
    """No agent answers: refused, no route, login refused, no socket, not an agent, or it could not be started."""


class HostKeyUnknown(Unreachable):
    """The machine showed a key that known_hosts does not have; nothing was sent."""

    heals = False

    def __init__(self, message: str, hint: str | None, key: HostKey) -> None:
        super().__init__(message, hint)
        self.key = key


class IdentityLocked(Unreachable):
    """The login may need a private key whose passphrase nobody has told."""

    heals = False

    def __init__(self, message: str, hint: str | None, file: Path) -> None:
        super().__init__(message, hint)
        self.file = file


class Lost(RemoteError):
    """The connection broke."""


class NotConnected(RemoteError):
    """The link is down just now."""


class Refused(RemoteError):
    """The agent answered with an error."""

    def __init__(self, message: str, hint: str | None = None, *, code: str, status: int) -> None:
        super().__init__(message, hint)
        self.code = code
        self.status = status
