"""The log of the agent's own server. The server holds the file open, so it is copied aside and then emptied."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

KEPT = 3
"""Older logs that are kept beside it."""
TAIL_BYTES = 16 << 10
LAST_LINES = 20
LINE_LENGTH = 300


def open_log(file: Path) -> int:
    """Set an older log aside, and open a new one to append to. Raises OSError."""
    if _size(file) > 0:
        _make_room(file)
        file.replace(_older(file, 1))
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def rotate(file: Path, limit_bytes: int) -> bool:
    """Set the log aside where it has grown past its limit; whether it had. Blocking. Raises OSError."""
    if _size(file) <= limit_bytes:
        return False
    _make_room(file)
    aside = os.open(_older(file, 1), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(aside, "wb") as out, file.open("rb") as log:
        shutil.copyfileobj(log, out, 1 << 20)  # to where it ends by then; what is written after that moment is lost
        os.truncate(file, 0)
    return True


def last_lines(file: Path) -> tuple[str, ...]:
    """The last lines of a log; none where it cannot be read."""
    try:
        with file.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - TAIL_BYTES))
            lines = log.read(TAIL_BYTES).decode(errors="replace").splitlines()
    except OSError:
        return ()
    return tuple(line[:LINE_LENGTH] for line in lines if line.strip())[-LAST_LINES:]


def _make_room(file: Path) -> None:
    """Number the older logs up; the oldest goes."""
    for number in range(KEPT - 1, 0, -1):
        if (older := _older(file, number)).exists():
            older.replace(_older(file, number + 1))


def _older(file: Path, number: int) -> Path:
    return file.with_name(f"{file.name}.{number}")


def _size(file: Path) -> int:
    """Zero where there is none."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
