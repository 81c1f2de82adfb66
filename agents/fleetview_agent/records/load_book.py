"""What loads on this node have taught: contexts, memory, times, and what engines said when they were only asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

from fleetview_agent.needs import LoadSettings, Need
from fleetview_agent.wire import LoadOptions

SCHEMA = """
CREATE TABLE IF NOT EXISTS contexts (
    identity TEXT PRIMARY KEY,
    context INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS measurements (
    backend TEXT NOT NULL,
    identity TEXT NOT NULL,
    settings TEXT NOT NULL,
    memory_bytes INTEGER NOT NULL,
    gpu_memory_bytes INTEGER,
    PRIMARY KEY (backend, identity, settings)
) STRICT;
CREATE TABLE IF NOT EXISTS load_times (
    backend TEXT NOT NULL,
    identity TEXT NOT NULL,
    cold INTEGER,
    size_bytes INTEGER NOT NULL,
    seconds REAL NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS load_times_by_file ON load_times (backend, identity);
CREATE TABLE IF NOT EXISTS dry_runs (
    backend TEXT NOT NULL,
    version TEXT NOT NULL,
    identity TEXT NOT NULL,
    settings TEXT NOT NULL,
    need TEXT,
    refusal TEXT,
    PRIMARY KEY (backend, version, identity, settings)
) STRICT;
"""
MIGRATION = """
BEGIN;
INSERT OR IGNORE INTO contexts SELECT identity, context FROM loads;
DROP TABLE loads;
COMMIT;
"""
"""Brings over what the first version kept, whose seconds did not tell whether the load was a cold one."""
DECIDING = {"batch", "flash_attention", "cache_type_k", "cache_type_v", "gpu_layers", "mmap"}
"""Options on which the memory of a load depends."""
USUAL = {"gpu_layers": -1, "mmap": True}
"""What an engine does anyway; it is the same load whether that was said or not."""
LAST = 5
"""How many loads of a file count for the time of the next one."""

Write = Callable[..., None]
"""A statement and its values."""
Read = Callable[..., list[tuple[Any, ...]]]  # Any: what SQLite holds; each question knows its columns


@dataclass(frozen=True)
class File:
    """A model's content in the hands of one engine."""

    backend: str
    identity: str
    """The same for the same content."""
    size_bytes: int


@dataclass(frozen=True)
class Measured:
    """What the engine told of a model in memory."""

    memory_bytes: int
    gpu_memory_bytes: int | None = None


def settings_key(settings: LoadSettings | None, options: LoadOptions, context: int | None) -> str:
    """What decides about the memory of a load, in one line."""
    said = options.model_dump(include=DECIDING, exclude_none=True)
    asked = {name: value for name, value in said.items() if USUAL.get(name) != value}
    return json.dumps({**asked, **(asdict(settings) if settings else {}), "context": context}, sort_keys=True)


class LoadBook:
    """The tables of the journal about loads. Every method may raise StorageFailed."""

    def __init__(self, write: Write, read: Read) -> None:
        self._write = write
        self._read = read

    def context(self, identity: str | None) -> int | None:
        """What the file was last loaded with here."""
        return next(
            (value for (value,) in self._read("SELECT context FROM contexts WHERE identity = ?", identity)), None
        )

    def keep_context(self, identity: str, context: int | None) -> None:
        """Remember it for the next load that names none."""
        self._write("INSERT OR REPLACE INTO contexts VALUES (?, ?)", identity, context)

    def measured(self, file: File, settings: str) -> Measured | None:
        """What the file took when it was loaded so."""
        rows = self._read(
            "SELECT memory_bytes, gpu_memory_bytes FROM measurements"
            " WHERE backend = ? AND identity = ? AND settings = ?",
            file.backend,
            file.identity,
            settings,
        )
        return next((Measured(*row) for row in rows), None)

    def keep_measured(self, file: File, settings: str, measured: Measured) -> None:
        """Remember it in place of an earlier figure."""
        self._write(
            "INSERT OR REPLACE INTO measurements VALUES (?, ?, ?, ?, ?)",
            file.backend,
            file.identity,
            settings,
            measured.memory_bytes,
            measured.gpu_memory_bytes,
        )

    def keep_seconds(self, file: File, seconds: float, *, is_cold: bool | None) -> None:
        """Remember how long a load took; the oldest ones of the file are forgotten."""
        key = (file.backend, file.identity, is_cold)
        self._write("INSERT INTO load_times VALUES (?, ?, ?, ?, ?)", *key, file.size_bytes, seconds)
        self._write(
            "DELETE FROM load_times WHERE backend = ? AND identity = ? AND cold IS ? AND rowid NOT IN"
            " (SELECT rowid FROM load_times WHERE backend = ? AND identity = ? AND cold IS ?"
            " ORDER BY rowid DESC LIMIT ?)",
            *key,
            *key,
            LAST,
        )

    def seconds(self, file: File, *, is_cold: bool | None) -> float | None:
        """What a load takes by the last ones of this file, else of the one nearest in size; None where nothing tells.

        Only loads that were as cold as this one will be count; where that is not known, all of this file do.
        """
        rows = self._read(
            "SELECT seconds FROM load_times WHERE backend = ? AND identity = ? AND (? IS NULL OR cold IS ?)"
            " ORDER BY rowid DESC LIMIT ?",
            file.backend,
            file.identity,
            is_cold,
            is_cold,
            LAST,
        )
        if rows:
            return _median(seconds for (seconds,) in rows)
        return None if is_cold is None else self._by_the_nearest(file, is_cold=is_cold)

    def keep_dry_run(self, file: File, version: str | None, settings: str, outcome: Need | str) -> None:
        """Remember what the engine laid out, or its refusal."""
        need, refusal = (None, outcome) if isinstance(outcome, str) else (json.dumps(asdict(outcome)), None)
        self._write(
            "INSERT OR REPLACE INTO dry_runs VALUES (?, ?, ?, ?, ?, ?)",
            file.backend,
            version or "",
            file.identity,
            settings,
            need,
            refusal,
        )

    def dry_run(self, file: File, version: str | None, settings: str) -> Need | str | None:
        """What this version of the engine laid out, or its refusal; None where it was not asked."""
        rows = self._read(
            "SELECT need, refusal FROM dry_runs WHERE backend = ? AND version = ? AND identity = ? AND settings = ?",
            file.backend,
            version or "",
            file.identity,
            settings,
        )
        return next((refusal or _need(need) for need, refusal in rows), None)

    def is_known(self, file: File, version: str | None) -> bool:
        """Whether the file was ever loaded here, or laid out by this version of the engine."""
        rows = self._read(
            "SELECT 1 FROM load_times WHERE backend = ? AND identity = ?"
            " UNION ALL SELECT 1 FROM dry_runs WHERE backend = ? AND identity = ? AND version = ? LIMIT 1",
            file.backend,
            file.identity,
            file.backend,
            file.identity,
            version or "",
        )
        return bool(rows)

    def _by_the_nearest(self, file: File, *, is_cold: bool) -> float | None:
        """By the speed at which the file nearest in size was loaded, since small files are slow for their bytes."""
        rows = self._read(
            "SELECT seconds, size_bytes FROM load_times WHERE backend = ? AND cold IS ? AND size_bytes > 0"
            " ORDER BY max(size_bytes, ?) / CAST(min(size_bytes, ?) AS REAL), rowid DESC LIMIT 1",
            file.backend,
            is_cold,
            max(1, file.size_bytes),
            max(1, file.size_bytes),
        )
        return next((seconds * file.size_bytes / size for seconds, size in rows), None)


def _median(seconds: Iterable[float]) -> float:
    """What one odd load does not change; the library's own would bring in all of its mathematics."""
    ordered = sorted(seconds)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def _need(text: str) -> Need:
    """A kept layout, as far as this version knows its parts."""
    known = {field.name for field in fields(Need)}
    return Need(**{name: value for name, value in json.loads(text).items() if name in known})
