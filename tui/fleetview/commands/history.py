"""What was typed into the command line: the newest lines, in a file that nobody else can read."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from fleetview.paths import state_folder

LINES = 200
log = logging.getLogger(__name__)


def history_file() -> Path:
    """Where they are kept."""
    return state_folder() / "commands"


class Typed:
    """Lines, oldest first; without a file they live as long as the program."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._lines: tuple[str, ...] | None = None

    @property
    def lines(self) -> tuple[str, ...]:
        """What was typed, oldest first, each line once."""
        if self._lines is None:
            self._lines = self._read()
        return self._lines

    def note(self, line: str) -> None:
        """Keep a line as the newest."""
        self._lines = (*(one for one in self.lines if one != line), line)[-LINES:]
        if self._file is None:
            return
        temporary = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as stream:
                stream.writelines(f"{one}\n" for one in self._lines)
            temporary.replace(self._file)
        except OSError as problem:
            log.warning("the command line's history cannot be kept in %s: %s", self._file, problem.strerror)

    def _read(self) -> tuple[str, ...]:
        """What earlier runs kept; nothing where it cannot be read."""
        try:
            text = self._file.read_text(encoding="utf-8", errors="replace") if self._file else ""
        except OSError:
            return ()
        return tuple(line for line in text.splitlines() if line.strip())[-LINES:]
