"""Where fleetview keeps its own things, and where it finds the agent of this machine."""

from __future__ import annotations

from pathlib import Path


def state_folder() -> Path:
    """What fleetview itself writes; nobody else may enter."""
    return Path.home() / ".local" / "state" / "fleetview"


def default_log() -> Path:
    """The log of dashboard and command line, rotated."""
    return state_folder() / "fleetview.log"


def agent_socket() -> Path:
    """Where the agent of this machine serves unless the fleet file says otherwise."""
    return Path.home() / ".fleetview" / "agent.sock"


def tilde(path: Path) -> str:
    """The path as people write it."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
