"""What was measured before: SQLite, in the operator's state folder."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from fleetview.bench.errors import BenchError
from fleetview.bench.results import Result
from fleetview.paths import state_folder, tilde

SCHEMA = """
CREATE TABLE IF NOT EXISTS results (
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    node TEXT NOT NULL,
    model TEXT NOT NULL,
    pp INTEGER NOT NULL,
    tg INTEGER NOT NULL,
    json TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS results_by_subject ON results (node, model, pp, tg, id);
"""
WAIT_SECONDS = 1.0
"""For another fleetview that writes just now; a dashboard stands still meanwhile."""


def book_file() -> Path:
    """Where the results of this account are kept."""
    return state_folder() / "bench.sqlite"


@dataclass(frozen=True)
class Kept:
    """A result, and the one before it."""

    result: Result
    before: Result | None
    trouble: str | None = None
    """Why it could not be written down."""


class Book:
    """Keeps results; every method raises BenchError where the file cannot be used."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def keep(self, result: Result) -> Result | None:
        """Write a result down; the one before it of the same node, model and lengths."""
        subject = (result.node, result.model, result.pp, result.tg)
        with self._open() as database:
            rows = database.execute(
                "SELECT json FROM results WHERE node = ? AND model = ? AND pp = ? AND tg = ? ORDER BY id DESC LIMIT 1",
                subject,
            ).fetchall()
            database.execute(
                "INSERT INTO results (at, node, model, pp, tg, json) VALUES (?, ?, ?, ?, ?, ?)",
                (result.at, *subject, result.model_dump_json(exclude_none=True)),
            )
        return next(_known(rows), None)

    def kept(self, result: Result) -> Kept:
        """The result written down with the one before it; one that cannot be written down says why."""
        try:
            return Kept(result, self.keep(result))
        except BenchError as problem:
            return Kept(result, None, str(problem))

    def results(self) -> tuple[Result, ...]:
        """All of them, newest first."""
        if not self._file.exists():
            return ()
        with self._open() as database:
            return tuple(_known(database.execute("SELECT json FROM results ORDER BY id DESC").fetchall()))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """The database, in one transaction."""
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600))
            database = sqlite3.connect(self._file, timeout=WAIT_SECONDS)
            try:
                database.executescript(SCHEMA)
                with database:
                    yield database
            finally:
                database.close()
        except (sqlite3.Error, OSError) as problem:
            why = problem.strerror.lower() if isinstance(problem, OSError) and problem.strerror else str(problem)
            raise BenchError(
                f"{tilde(self._file)}: the results cannot be kept there: {why}; move the file away to begin anew"
            ) from problem


def _known(rows: list[tuple[str]]) -> Iterator[Result]:
    """The results that make sense."""
    for (text,) in rows:
        try:
            yield Result.model_validate_json(text)
        except ValidationError:  # written by another version
            continue
