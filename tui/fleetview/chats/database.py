"""The file of chats, and the memory that stands in for it where it cannot be written. SQLite, write-ahead log."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from fleetview.chats.schema import NewerFile, in_one, prepare
from fleetview.chats.tables import Tables
from fleetview.chats.writers import Writers
from fleetview.paths import tilde

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

BUSY_SECONDS = 1.0
"""How long another dashboard may hold the file; no change of ours takes a hundredth of it."""
BROKEN = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite raises; the latter where it tells of damage in damaged words."""
CHECKPOINT_PAGES = 4096
"""Of the log, 16 MB, before it is written back in the midst of answers."""


class Database:
    """The file, opened when it is first needed, or memory alone where there is none or it fails.

    What fails on disk is told once and goes on in memory, with everything that can still be read.
    """

    def __init__(self, file: Path | None, clock: Callable[[], float], say: Callable[[str], None]) -> None:
        self._file = file
        self._clock = clock
        self._tell = say
        self._tables: Tables | None = None
        self._copied = False
        """Whether memory holds what a file gave that fails."""
        self._writers: Writers | None = None

    def read(self, question: str, *values: object) -> list[tuple[Any, ...]]:  # Any: each caller knows its columns
        """Ask for rows."""
        return self._do(lambda tables: tables.database.execute(question, values).fetchall())

    def write(self, statement: str, *values: object) -> None:
        """Make one change; it stays when this process is killed."""
        self._do(lambda tables: tables.database.execute(statement, values))

    def look(self, question: Callable[[Tables], Result]) -> Result:
        """Ask several questions."""
        return self._do(question)

    def change(self, work: Callable[[Tables], Result]) -> Result:
        """Make several changes, all of them or none."""
        return self._do(lambda tables: in_one(tables.database, lambda _: work(tables)))

    @property
    def indexed(self) -> bool:
        """Whether what was said can be searched by an index."""
        return (self._tables or self._open()).indexed

    @property
    def writer(self) -> str:
        """Who we are among those who write the file."""
        return self._writers.own if self._writers else ""

    def close(self) -> None:
        """Let go of the file."""
        if self._tables is not None:
            self._tables.database.close()
            self._tables = None
        if self._writers is not None:
            self._writers.close()
            self._writers = None

    def _do(self, work: Callable[[Tables], Result]) -> Result:
        """Work on the file; where it fails, on memory from then on."""
        tables = self._tables or self._open()
        try:
            return work(tables)
        except BROKEN as problem:
            if self._file is not None:
                self._lose(self._file, problem)
                self._tables, self._copied = _copy(tables.database), True
            elif self._copied:  # the damage came along
                self._tables, self._copied = _of_memory(), False
            else:
                raise
        tables.database.close()
        return self._do(work)

    def _open(self) -> Tables:
        """The file as it should be, or what stands in for it."""
        self._tables = (self._of_file_or_not(self._file) if self._file else None) or _of_memory()
        return self._tables

    def _of_file_or_not(self, file: Path) -> Tables | None:
        """The file as it should be; None where it cannot be used, which is told."""
        try:
            return self._of_file(file)
        except (OSError, NewerFile, sqlite3.OperationalError) as problem:
            self._lose(file, problem)
        except BROKEN as problem:
            return self._anew(file, problem)
        return None

    def _of_file(self, file: Path) -> Tables:
        """The file, which only its owner may read. Raises sqlite3.Error and OSError."""
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite would let others read it
        file.chmod(0o600)
        writers = Writers(file)
        connection = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            tables = Tables(connection, prepare(connection))
            in_one(connection, lambda _: self._enter(tables, writers))
        except (*BROKEN, OSError):
            connection.close()
            writers.close()
            raise
        self._writers = writers
        return tables

    def _enter(self, tables: Tables, writers: Writers) -> None:
        """Become one of those who write the file, and tidy up after those who ended."""
        writers.enter()
        at = self._clock()
        tables.interrupt(writers, at)
        tables.forget_empty(at)

    def _anew(self, file: Path, problem: Exception) -> Tables | None:
        """A new file in place of one that is damaged, which is kept beside it."""
        kept = file.with_name(f"{file.stem}.damaged-{self._clock():.0f}{file.suffix}")
        try:
            for suffix in ("", "-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    file.with_name(file.name + suffix).replace(kept.with_name(kept.name + suffix))
            tables = self._of_file(file)
        except (*BROKEN, OSError) as further:
            self._lose(file, further)
            return None
        self._say(
            f"{tilde(file)} is damaged ({problem}), so former chats cannot be read; it is kept as {kept.name}, "
            "and chats are kept in a new file from now on"
        )
        return tables

    def _lose(self, file: Path, problem: Exception) -> None:
        """From now on chats are in memory alone."""
        self._file = None
        why = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
        remedy = (
            "upgrade fleetview"
            if isinstance(problem, NewerFile)
            else "free some space there, check who may write it, or move it away"
        )
        self._say(
            f"{tilde(file)} cannot be used: {why.lower()}; chats from now on are gone when the dashboard ends "
            f"(x exports one): {remedy}, then start anew"
        )

    def _say(self, sentence: str) -> None:
        """Tell the operator, and the log."""
        logger.warning("%s", sentence)
        self._tell(sentence)


def _of_memory() -> Tables:
    """Nothing yet, and nothing once the process ends."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    return Tables(connection, prepare(connection))


def _copy(database: sqlite3.Connection) -> Tables:
    """What the file still gives, in memory."""
    memory = sqlite3.connect(":memory:", isolation_level=None)
    try:
        database.backup(memory)
        return Tables(memory, prepare(memory))
    except BROKEN as problem:
        logger.warning("the chats can no longer be read: %s", problem)
        memory.close()
    return _of_memory()
