"""What agent and engines write while they run, and who holds the machine's memory."""

from __future__ import annotations

from typing import Literal

from fleetview_agent.wire.base import Wire

LogLevel = Literal["debug", "info", "warning", "error"]


class LogLine(Wire):
    """One line of a log."""

    at: float
    """When it was written, as far as it says so itself, otherwise when it was read."""
    source: str
    """`agent`, or the backend whose engine wrote it."""
    text: str
    level: LogLevel | None = None
    """None where the line does not tell."""
    model: str | None = None
    """Whose process wrote it, where an engine has one for each model."""


class LogLines(Wire):
    """The newest lines of one or all logs of a node, oldest first."""

    lines: tuple[LogLine, ...]


class ProcessMemory(Wire):
    """A process of the machine and what it holds."""

    pid: int
    name: str
    memory_bytes: int
    """Resident, as the system counts it."""
    user: str | None = None
    serves: str | None = None
    """The backend that it belongs to, where it is one of an engine."""


class Processes(Wire):
    """Those that hold the most memory, the largest first."""

    processes: tuple[ProcessMemory, ...]
