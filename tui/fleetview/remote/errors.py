"""What can go wrong on the way to an agent, in plain words."""

from __future__ import annotations


class RemoteError(Exception):
    """A failure told in one sentence, with what to do about it."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """The sentence and what to do, for people."""
        return f"{self.message} ({self.hint})" if self.hint else self.message


class Unreachable(RemoteError):
    """No agent answers: refused, no route, no socket, not an agent, or it could not be started."""


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
