"""The end of a log."""

from __future__ import annotations

from pathlib import Path

LINES = 20
BYTES = 16_384


def last_lines(file: Path) -> tuple[str, ...]:
    """The last lines of a log that may be very large; none where it cannot be read. Blocking."""
    try:
        with file.open("rb") as log:
            size = log.seek(0, 2)
            log.seek(max(0, size - BYTES))
            text = log.read(BYTES).decode(errors="replace")
    except OSError:
        return ()
    lines = text.splitlines()[1 if size > BYTES else 0 :]
    return tuple("".join(letter if letter.isprintable() else " " for letter in line) for line in lines[-LINES:])
