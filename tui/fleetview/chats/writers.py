"""Who writes the file of chats just now: each dashboard holds a lock that ends with its process, however that ends."""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Iterable
from pathlib import Path


class Writers:
    """Our own lock, and those of the others. To be used while nobody else can change the database.

    A lock is a file of its own whose name is never used again: neither a reused process id nor a clock can deceive.
    """

    def __init__(self, database: Path) -> None:
        """Raises OSError."""
        self._folder = database.parent
        self._prefix = f"{database.name}-writer-"
        self.own = uuid.uuid4().hex
        """By which our answers are known in the database."""
        self._descriptor: int | None = None

    def enter(self) -> None:
        """Take our own lock, and remove the files of those who ended without doing so. Raises OSError."""
        for file in self._folder.glob(f"{self._prefix}*"):
            if not _locked(file):
                file.unlink(missing_ok=True)
        self._descriptor = os.open(self._file(self.own), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def gone(self, writers: Iterable[str]) -> tuple[str, ...]:
        """Those of the writers who no longer write."""
        return tuple(writer for writer in writers if writer != self.own and not _locked(self._file(writer)))

    def close(self) -> None:
        """Give our lock back."""
        if self._descriptor is not None:
            self._file(self.own).unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None

    def _file(self, writer: str) -> Path:
        """The lock of a writer."""
        return self._folder / f"{self._prefix}{writer}"


def _locked(file: Path) -> bool:
    """Whether somebody holds it."""
    try:
        descriptor = os.open(file, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
