"""What is done to start or stop a server, one step at a time; each can be shown before it is done."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """Run a command to its end."""

    words: tuple[str, ...]
    fine: frozenset[int] = frozenset({0})
    """Exit statuses that are no failure."""
    busy: frozenset[int] = frozenset()
    """Exit statuses after which it is tried again for a while."""
    advice: str | None = None
    """What to do where it fails."""

    @property
    def text(self) -> str:
        """As one would type it."""
        return shlex.join(self.words)


@dataclass(frozen=True)
class End:
    """Ask a process to end."""

    pid: int
    created_at: float

    @property
    def text(self) -> str:
        """As one would type it."""
        return f"kill -TERM {self.pid}"


@dataclass(frozen=True)
class Spawn:
    """Start the agent's own server."""

    program: Path
    environment: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """As one would type it."""
        settings = (f"{name}={shlex.quote(value)}" for name, value in self.environment)
        return " ".join((*settings, shlex.quote(str(self.program)), "serve"))


Step = Run | End | Spawn


def texts(steps: Iterable[Step]) -> tuple[str, ...]:
    """All of them as one would type them."""
    return tuple(step.text for step in steps)
