"""The fleet in one line for tmux: a running dashboard keeps it in a file, `fleetview status --tmux` prints it.

Imports nothing that a line which is printed every few seconds would have to wait for.
"""

from __future__ import annotations

import logging
import os
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from fleetview.fleet_path import fleet_path
from fleetview.paths import state_folder

if TYPE_CHECKING:
    from fleetview.config import FleetConfig
    from fleetview.fleet import Fleet

BEAT_SECONDS = 2.0
"""How often the line is written though it is the same: by this a reader sees that somebody keeps it."""
OLD_SECONDS = 6.0
"""After this nobody does."""
LONGEST_BYTES = 1000

logger = logging.getLogger(__name__)


def line_file(fleet_file: Path | None) -> Path:
    """Where dashboards of that fleet file keep their line; None: where there is no fleet file."""
    name = zlib.crc32(os.fsencode(fleet_file.absolute() if fleet_file else ""))  # to import hashlib takes longer
    return state_folder() / f"status-line-{name:08x}"


class StatusLine:
    """Keeps the line of a fleet in a file, as a follower of the dashboard."""

    def __init__(self, file: Path, line_of: Callable[[FleetConfig, Fleet, float], str]) -> None:
        self._file = file
        self._line_of = line_of
        self._written: str | None = None
        self._written_at = 0.0
        self._failed = False

    def note(self, config: FleetConfig, fleet: Fleet, at: float) -> None:
        """Write the line where it is another one, or was not written for a while."""
        line = self._line_of(config, fleet, at)
        if line == self._written and at - self._written_at < BEAT_SECONDS:
            return
        self._written, self._written_at = line, at
        try:
            self._write(line)
        except OSError as problem:  # a full disk must not end the dashboard; it is told once
            if not self._failed:
                logger.warning("%s cannot be written: %s", self._file, problem)
            self._failed = True

    def _write(self, line: str) -> None:
        """Put the line in place of the old one at once. Raises OSError."""
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, f"{line}\n".encode()[:LONGEST_BYTES])
        finally:
            os.close(descriptor)
        new.replace(self._file)

    def close(self) -> None:
        """Nobody keeps the line any more."""
        with suppress(OSError):
            self._file.unlink()


def kept_line(fleet_file: Path | None, now: float | None = None) -> str | None:
    """The line of a running dashboard; None where none runs. Raises ValueError for a path to the home of nobody."""
    file = line_file(fleet_path(fleet_file))
    try:
        with file.open("rb") as opened:
            age = (time.time() if now is None else now) - os.fstat(opened.fileno()).st_mtime
            text = opened.read(LONGEST_BYTES).decode(errors="replace")
    except OSError:
        return None
    return text.rstrip("\n") if age <= OLD_SECONDS else None
