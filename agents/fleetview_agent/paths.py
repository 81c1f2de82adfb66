"""Where the agent keeps its things: `~/.fleetview`, a folder that nobody else may enter."""

from __future__ import annotations

from pathlib import Path

SOCKET_PATH_LIMIT = 103
"""Bytes in the path of a unix socket; macOS has room for 104 with the closing zero."""


def home() -> Path:
    """The agent's own folder."""
    return Path.home() / ".fleetview"


def default_socket() -> Path:
    """Where clients look for the agent; an SSH client can know this path."""
    return home() / "agent.sock"


def default_config() -> Path:
    """The agent's settings, all of them optional."""
    return home() / "agent.toml"


def default_log() -> Path:
    """The agent's log, rotated."""
    return home() / "agent.log"


def cache() -> Path:
    """Files that can be made again."""
    return Path.home() / ".cache" / "fleetview"


def private_folder(folder: Path) -> Path:
    """Make `folder` and its parents, enterable by this account alone where it is new."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
