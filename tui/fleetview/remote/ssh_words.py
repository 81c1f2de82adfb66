"""What asyncssh and sockets raise, in plain words; this is the one place that knows their exceptions."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import asyncssh

from fleetview.remote.errors import Lost, RemoteError, Unreachable

LONGEST = 200
"""Characters of somebody else's words that are passed on."""
SSH_ERRORS = (OSError, asyncssh.Error, ValueError, TimeoutError)
"""All that the way to a machine may raise. ValueError: the ssh configuration, keys, names that cannot be encoded."""
SAID: Mapping[type[Exception], str] = {
    asyncssh.HostKeyNotVerifiable: "host key refused for {}",  # revoked, or a certificate that does not hold
    asyncssh.ChannelOpenError: "the jump host cannot reach {}",
    asyncssh.KeyExchangeFailed: "no common ground with the ssh server at {}",
    asyncssh.ProtocolNotSupported: "not an ssh server at {}",
    asyncssh.ProtocolError: "not an ssh server at {}",
    asyncssh.ConnectionLost: "login ended by {}",
    asyncssh.ConfigParseError: "ssh configuration for {} cannot be used",
}
"""What goes before somebody else's words."""


@contextmanager
def login_in_words(place: str, seconds: float) -> Iterator[None]:
    """Whatever goes wrong while `place` (user@host:port) is reached becomes Unreachable."""
    try:
        yield
    except RemoteError:
        raise
    except SSH_ERRORS as problem:
        raise Unreachable(*_login(problem, place, seconds)) from problem


@contextmanager
def connection_in_words(place: str) -> Iterator[None]:
    """Whatever goes wrong on a connection that stood becomes Lost."""
    try:
        yield
    except SSH_ERRORS as problem:
        raise Lost(f"connection to {place} broke: {_told(problem)}") from problem


def _login(problem: Exception, place: str, seconds: float) -> tuple[str, str | None]:
    """The sentence, and what to do about it."""
    match problem:
        case socket.gaierror():
            return f"name unknown: {place} cannot be resolved", "`host` in the fleet file or HostName in ~/.ssh/config"
        case TimeoutError():
            return f"no answer from {place} within {seconds:.0f} s", None
        case ConnectionRefusedError():
            return f"refused: nothing listens for ssh at {place}", "on a Mac: System Settings, Sharing, Remote Login"
        case OSError(errno=errno.EHOSTUNREACH | errno.ENETUNREACH | errno.EHOSTDOWN):
            return f"no route to {place}", None
        case asyncssh.PermissionDenied():
            return f"login refused: {place} accepts none of the keys", f"`{_copy_id(place)}` installs one"
    said = next((said for kind, said in SAID.items() if isinstance(problem, kind)), "{} cannot be reached")
    return f"{said.format(place)}: {_told(problem)}", None


def _copy_id(place: str) -> str:
    """The command that installs a key there."""
    there, _, port = place.partition(":")
    return f"ssh-copy-id -p {port} {there}" if port.isdecimal() else f"ssh-copy-id {place}"


def _told(problem: Exception) -> str:
    """What somebody else's exception says."""
    words = problem.reason if isinstance(problem, asyncssh.Error) else getattr(problem, "strerror", None)
    return (words or str(problem) or type(problem).__name__)[:LONGEST]
