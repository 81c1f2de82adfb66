"""What must outlive the agent: its operations, how models were loaded, what should run. SQLite, write-ahead log."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fleetview_agent.errors import StorageFailed
from fleetview_agent.paths import private_folder
from fleetview_agent.records import load_book
from fleetview_agent.records.load_book import LoadBook
from fleetview_agent.wire import LoadOptions, Operation

logger = logging.getLogger(__name__)

SCHEMA = """
CREATE TABLE IF NOT EXISTS operations (
    id TEXT PRIMARY KEY,
    queued_at REAL NOT NULL,
    ended INTEGER NOT NULL,
    json TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS operations_by_time ON operations (queued_at);
CREATE TABLE IF NOT EXISTS wanted (
    target TEXT PRIMARY KEY,
    options TEXT NOT NULL,
    ended_at REAL
) STRICT;
CREATE TABLE IF NOT EXISTS pins (
    target TEXT PRIMARY KEY
) STRICT;
CREATE TABLE IF NOT EXISTS failures (
    target TEXT PRIMARY KEY,
    times INTEGER NOT NULL
) STRICT;
"""
KEPT_OPERATIONS = 20_000
"""The newest ones that have ended; years of them, and some ten megabytes."""


@dataclass(frozen=True)
class Wanted:
    """A model that an operator has loaded."""

    options: LoadOptions
    ended_at: float | None = None
    """Since when it should no longer run; None while it should. Models that were ended together share the time."""


class Journal:
    """The file `journal.sqlite` of the agent. Every method may raise StorageFailed."""

    def __init__(self, file: Path) -> None:
        self._file = file
        private_folder(file.parent)
        try:
            self._database = self._open()
        except sqlite3.OperationalError as problem:
            raise StorageFailed(f"{file}: {problem}", "free some space, or check who may write there") from problem
        except sqlite3.DatabaseError as problem:
            logger.warning("%s is damaged (%s); it is kept beside the new one", file, problem)
            self._set_aside()
            self._database = self._open()
        self.loads = LoadBook(self._write, self._read)

    @property
    def folder(self) -> Path:
        """Where the agent keeps what must outlive it."""
        return self._file.parent

    def _set_aside(self) -> None:
        """Keep a damaged file, with what SQLite has beside it."""
        damaged = f".damaged-{time.time():.0f}"
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                self._file.with_name(self._file.name + suffix).replace(self._file.with_suffix(damaged + suffix))

    def _open(self) -> sqlite3.Connection:
        """The database, with its tables. Raises sqlite3.DatabaseError where it is damaged, however deep inside."""
        database = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False)
        try:
            return self._prepared(database)
        except sqlite3.Error:
            database.close()
            raise

    def _prepared(self, database: sqlite3.Connection) -> sqlite3.Connection:
        """The same, once it is sound and has all of its tables."""
        self._file.chmod(0o600)
        database.execute("PRAGMA journal_mode = WAL")
        ((told, *_),) = database.execute("PRAGMA quick_check(1)")
        if told != "ok":
            raise sqlite3.DatabaseError(told)
        database.executescript(SCHEMA + load_book.SCHEMA)
        if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'loads'").fetchone():
            database.executescript(load_book.MIGRATION)
        return database

    def _write(self, statement: str, *values: object) -> None:
        """Execute one statement, in words when it fails."""
        try:
            self._database.execute(statement, values)
        except sqlite3.Error as problem:
            raise StorageFailed(
                f"the journal cannot be written: {problem} ({self._file})", "free some space on the node's disk"
            ) from problem

    def _read(
        self, question: str, *values: object
    ) -> list[tuple[Any, ...]]:  # Any: what SQLite holds; each caller knows its columns
        """Ask for rows, in words when it fails."""
        try:
            return self._database.execute(question, values).fetchall()
        except sqlite3.Error as problem:
            raise StorageFailed(f"the journal cannot be read: {problem} ({self._file})") from problem

    def write(self, operation: Operation) -> None:
        """Keep the operation as it is now, in place of what was kept of it before."""
        self._write(
            "INSERT INTO operations VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET ended = excluded.ended, json = excluded.json",
            operation.id,
            operation.queued_at,
            operation.result is not None,
            operation.model_dump_json(exclude_none=True),
        )

    def ended(self, limit: int) -> tuple[Operation, ...]:
        """Operations that have ended, newest first."""
        rows = self._read("SELECT json FROM operations WHERE ended ORDER BY queued_at DESC, rowid DESC LIMIT ?", limit)
        return tuple(filter(None, (_operation(json) for (json,) in rows)))

    def interrupt(self) -> tuple[Operation, ...]:
        """End what an agent before this one began and did not end; returns those operations. The oldest ones go."""
        rows = self._read("SELECT json FROM operations WHERE NOT ended ORDER BY queued_at")
        told = {"result": "interrupted", "ended_at": time.time(), "cause": "the agent ended in the midst of it"}
        begun = filter(None, (_operation(json) for (json,) in rows))
        cut_short = tuple(operation.model_copy(update=told) for operation in begun)
        for operation in cut_short:
            self.write(operation)
        self._write("UPDATE operations SET ended = 1")  # also what only a newer version understands
        self._write(
            "DELETE FROM operations WHERE rowid IN"
            " (SELECT rowid FROM operations ORDER BY queued_at DESC, rowid DESC LIMIT -1 OFFSET ?)",
            KEPT_OPERATIONS,
        )
        return cut_short

    def want(self, target: str, wanted: Wanted) -> None:
        """Keep that the model `BACKEND/MODEL` should run, or when that ended."""
        options = wanted.options.model_dump_json(exclude_none=True)
        self._write("INSERT OR REPLACE INTO wanted VALUES (?, ?, ?)", target, options, wanted.ended_at)

    def wanted(self) -> dict[str, Wanted]:
        """Every `BACKEND/MODEL` that was ever loaded, the one loaded longest ago first."""
        rows = self._read("SELECT target, options, ended_at FROM wanted ORDER BY rowid")
        return {target: Wanted(_options(json), ended_at) for target, json, ended_at in rows}

    def pin(self, target: str) -> None:
        """Keep that this model is pinned."""
        self._write("INSERT OR IGNORE INTO pins VALUES (?)", target)

    def unpin(self, target: str) -> None:
        """Keep that it is not."""
        self._write("DELETE FROM pins WHERE target = ?", target)

    def pins(self) -> frozenset[str]:
        """Every `BACKEND/MODEL` that is pinned."""
        return frozenset(target for (target,) in self._read("SELECT target FROM pins"))

    def count_failures(self, target: str, times: int) -> None:
        """Keep how often in a row this model could not be brought back."""
        self._write("INSERT OR REPLACE INTO failures VALUES (?, ?)", target, times)

    def failures(self) -> dict[str, int]:
        """How often in a row each `BACKEND/MODEL` could not be brought back."""
        return dict(self._read("SELECT target, times FROM failures"))

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()


def _operation(json: str) -> Operation | None:
    """A kept operation; None for one that only a newer version understands."""
    try:
        return Operation.model_validate_json(json)
    except ValidationError:
        return None


def _options(json: str) -> LoadOptions:
    """Kept options; those that only a newer version understands are left to the agent."""
    try:
        return LoadOptions.model_validate_json(json)
    except ValidationError:
        return LoadOptions()
