"""The form of the file of chats, and how each version of it is made out of the one before. SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

MIGRATIONS = (
    (
        """CREATE TABLE chats (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            title TEXT NOT NULL,
            begun_at REAL NOT NULL,
            changed_at REAL NOT NULL,
            targets TEXT NOT NULL,
            settings TEXT NOT NULL
        ) STRICT""",
        "CREATE INDEX chats_by_time ON chats (changed_at)",
        """CREATE TABLE turns (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            chat INTEGER NOT NULL,
            prompt TEXT NOT NULL,
            at REAL NOT NULL,
            replaced INTEGER NOT NULL DEFAULT 0
        ) STRICT""",
        "CREATE INDEX turns_of_chats ON turns (chat)",
        """CREATE TABLE replies (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            turn INTEGER NOT NULL,
            node TEXT NOT NULL,
            backend TEXT NOT NULL,
            model TEXT NOT NULL,
            text TEXT NOT NULL DEFAULT '',
            thinking TEXT NOT NULL DEFAULT '',
            state TEXT NOT NULL DEFAULT 'writing',
            failure TEXT,
            figures TEXT NOT NULL DEFAULT '{}',
            writer TEXT NOT NULL
        ) STRICT""",
        "CREATE INDEX replies_of_turns ON replies (turn)",
        "CREATE INDEX replies_in_hand ON replies (writer) WHERE state = 'writing'",
        """CREATE TABLE pieces (
            reply INTEGER NOT NULL,
            place INTEGER NOT NULL,
            text TEXT NOT NULL,
            thinking TEXT NOT NULL,
            PRIMARY KEY (reply, place)
        ) STRICT, WITHOUT ROWID""",
    ),
)
"""Each version's statements; those that were released stay as they are."""
_INDEX = (
    "CREATE VIRTUAL TABLE turn_words USING fts5(prompt, content='turns', content_rowid='id', tokenize='trigram')",
    "CREATE VIRTUAL TABLE reply_words USING fts5(text, content='replies', content_rowid='id', tokenize='trigram')",
    "INSERT INTO turn_words (turn_words) VALUES ('rebuild')",
    "INSERT INTO reply_words (reply_words) VALUES ('rebuild')",
)
"""Of what was said, for an SQLite that can search parts of words."""
_PROBE = "CREATE VIRTUAL TABLE temp.probe USING fts5(text, tokenize='trigram')"


class NewerFile(sqlite3.DatabaseError):
    """The file was made by a fleetview that is newer than this one."""


def in_one(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], Result]) -> Result:
    """Make all changes of `work`, or none of them. Raises sqlite3.Error."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite ends one by itself where the disk is full
            connection.execute("ROLLBACK")
        raise
    return result


def prepare(connection: sqlite3.Connection) -> bool:
    """Bring the file to the newest form; whether it can be searched by its index. Raises sqlite3.Error."""
    if _version(connection) < len(MIGRATIONS):
        in_one(connection, _migrate)
    if _version(connection) > len(MIGRATIONS):
        raise NewerFile("it was made by a newer fleetview")
    return _can_search(connection) and in_one(connection, _index)


def _version(connection: sqlite3.Connection) -> int:
    """How many migrations the file has had."""
    ((version,),) = connection.execute("PRAGMA user_version")
    return int(version)


def _migrate(connection: sqlite3.Connection) -> None:
    """What the file lacks; another dashboard may have been faster."""
    for statements in MIGRATIONS[_version(connection) :]:
        for statement in statements:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _can_search(connection: sqlite3.Connection) -> bool:
    """Whether this SQLite can."""
    try:
        connection.execute(_PROBE)
        connection.execute("DROP TABLE temp.probe")
    except sqlite3.OperationalError:
        return False
    return True


def _index(connection: sqlite3.Connection) -> bool:
    """Index what was said, unless that was done."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'turn_words'").fetchone():
        for statement in _INDEX:
            connection.execute(statement)
    return True
