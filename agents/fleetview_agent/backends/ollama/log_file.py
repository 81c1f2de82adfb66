"""Follows a log as it grows, and never reads what was there before."""

from __future__ import annotations

from pathlib import Path

MOST_BYTES = 256 * 1024
"""Read in one go; what is further behind is left out, since it is no longer news."""


class LogFile:
    """The end of one log; reading it blocks."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._inode: int | None = None
        self._offset = 0
        self._rest = b""

    def has_grown(self) -> bool:
        """Whether there may be new lines; takes microseconds. Raises OSError where it cannot be read."""
        status = self.path.stat()
        return self._inode != status.st_ino or self._offset != status.st_size

    def new_lines(self) -> tuple[str, ...]:
        """The complete lines that were written since the call before. Raises OSError where it cannot be read."""
        try:
            status = self.path.stat()
        except OSError:
            self._inode = None
            raise
        if self._inode is None:
            self._go_to(status.st_size)
        elif status.st_ino != self._inode or status.st_size < self._offset:
            self._go_to(0)  # it was set aside, and begins anew
        self._inode = status.st_ino
        if status.st_size == self._offset:
            return ()
        if status.st_size - self._offset > MOST_BYTES:
            self._go_to(status.st_size - MOST_BYTES)
        with self.path.open("rb") as file:
            file.seek(self._offset)
            read = file.read(MOST_BYTES)
        self._offset += len(read)
        *lines, rest = (self._rest + read).split(b"\n")
        self._rest = rest[-MOST_BYTES:]
        return tuple(line.decode(errors="replace") for line in lines)

    def _go_to(self, offset: int) -> None:
        """Read on from there."""
        self._offset = offset
        self._rest = b""
