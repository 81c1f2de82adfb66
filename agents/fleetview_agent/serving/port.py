"""The port for OpenAI's clients and Prometheus: bound before anything else, so that a wrong setting is told at once."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fleetview_agent.config import split_address
from fleetview_agent.errors import ConfigError

SHORTEST_TOKEN, LONGEST_TOKEN = 16, 4096
"""Characters; what is shorter can be guessed."""
_BACKLOG = 128


@contextmanager
def listening_port(address: str) -> Iterator[socket.socket]:
    """A socket that listens at HOST:PORT, closed afterwards. Raises ConfigError where that cannot be."""
    host, port = split_address(address)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the former agent's connections may linger
        try:
            listener.bind((host, port))
            listener.listen(_BACKLOG)
        except OSError as problem:
            raise ConfigError(
                f"listen = {address!r}: port {port} cannot be listened at: {problem.strerror or problem}",
                "name another one in agent.toml, or end the program that has it",
            ) from None
        yield listener


def read_token(file: Path) -> str:
    """The token in a file that nobody else can read. Raises ConfigError."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe would wait for a writer
        try:
            status = os.fstat(descriptor)
            data = os.read(descriptor, LONGEST_TOKEN + 2) if stat.S_ISREG(status.st_mode) else None
        finally:
            os.close(descriptor)
    except OSError as problem:
        raise ConfigError(f"token_file {file}: {problem.strerror or problem}") from None
    if data is None:
        raise ConfigError(f"token_file {file} is no file", "write the token into a file")
    if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"token_file {file} is open to others, or somebody else's", f"chmod 600 {file} closes it")
    token = data.decode("ascii", errors="replace").strip()
    if not SHORTEST_TOKEN <= len(token) <= LONGEST_TOKEN or not _is_sendable(token):
        raise ConfigError(
            f"token_file {file} must hold one word of {SHORTEST_TOKEN} to {LONGEST_TOKEN} letters, digits and signs",
            f"openssl rand -hex 32 > {file} makes one",
        )
    return token


def _is_sendable(token: str) -> bool:
    """Whether a header can carry it."""
    return token.isascii() and token.isprintable() and " " not in token
