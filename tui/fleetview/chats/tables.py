"""What is done to the tables of chats, turns and answers, each within one change. SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from fleetview.chats.records import Ending, Reply, Target, Turn
from fleetview.chats.rows import (
    INTERRUPTED,
    OF_PIECE,
    OF_REPLY,
    OF_TURN,
    Row,
    figures_text,
    reply_of,
    sound,
    storable,
    targets_text,
    title_of,
)
from fleetview.chats.writers import Writers

EMPTY_SECONDS = 86_400.0
"""After which a chat in which nothing was asked is forgotten."""
_UNINDEX = (
    "INSERT INTO turn_words (turn_words, rowid, prompt) SELECT 'delete', id, prompt FROM turns WHERE chat = ?",
    """INSERT INTO reply_words (reply_words, rowid, text) SELECT 'delete', replies.id, text FROM replies
        JOIN turns ON turns.id = replies.turn WHERE chat = ? AND state <> 'writing'""",
)
_DELETE = (
    """DELETE FROM pieces WHERE reply IN
        (SELECT replies.id FROM replies JOIN turns ON turns.id = replies.turn WHERE chat = ?)""",
    "DELETE FROM replies WHERE turn IN (SELECT id FROM turns WHERE chat = ?)",
    "DELETE FROM turns WHERE chat = ?",
    "DELETE FROM chats WHERE id = ?",
)


@dataclass(frozen=True)
class Tables:
    """The tables of one connection."""

    database: sqlite3.Connection
    indexed: bool
    """Whether there is an index of what was said."""

    def insert(self, statement: str, *values: object) -> int:
        """One more row; its id."""
        number = self.database.execute(statement, values).lastrowid
        assert number is not None  # SQLite has one for each row that was inserted
        return number

    def ask(self, chat: int, prompt: str, at: float, targets: Sequence[Target], writer: str) -> tuple[int, ...]:
        """A turn and its empty answers; also in a chat that another dashboard has deleted meanwhile."""
        self.database.execute(
            "INSERT INTO chats VALUES (?, ?, ?, ?, ?, '{}') ON CONFLICT (id) DO UPDATE SET"
            " changed_at = excluded.changed_at, targets = excluded.targets,"
            " title = CASE title WHEN '' THEN excluded.title ELSE title END",
            (chat, title_of(prompt), at, at, targets_text(targets)),
        )
        turn = self.insert("INSERT INTO turns (chat, prompt, at) VALUES (?, ?, ?)", chat, prompt, at)
        if self.indexed:
            self.insert("INSERT INTO turn_words (rowid, prompt) VALUES (?, ?)", turn, prompt)
        return self.ask_again(turn, targets, writer)

    def ask_again(self, turn: int, targets: Sequence[Target], writer: str) -> tuple[int, ...]:
        """Further empty answers to a turn."""
        reply = "INSERT INTO replies (turn, node, backend, model, writer) VALUES (?, ?, ?, ?, ?)"
        names = ((storable(one.node), storable(one.backend), storable(one.model)) for one in targets)
        return tuple(self.insert(reply, turn, *one, writer) for one in names)

    def end(self, reply: int, ending: Ending, at: float) -> None:
        """Make one text of an answer's pieces, which can be searched; one that has ended stays as it is."""
        pieces = self.pieces(reply)
        self.database.execute("DELETE FROM pieces WHERE reply = ?", (reply,))
        changed = self.database.execute(
            "UPDATE replies SET text = ?, thinking = ?, state = ?, failure = ?, figures = ?"
            " WHERE id = ? AND state = 'writing'",
            (
                "".join(text for text, _ in pieces),
                "".join(thinking for _, thinking in pieces),
                ending.state,
                ending.failure and storable(ending.failure),
                figures_text(ending.figures),
                reply,
            ),
        )
        if not changed.rowcount:
            return
        if self.indexed:
            self.insert("INSERT INTO reply_words (rowid, text) SELECT id, text FROM replies WHERE id = ?", reply)
        self.database.execute(
            "UPDATE chats SET changed_at = ? WHERE id ="
            " (SELECT chat FROM turns JOIN replies ON replies.turn = turns.id WHERE replies.id = ?)",
            (at, reply),
        )

    def interrupt(self, writers: Writers, at: float) -> None:
        """End the answers of dashboards that ended before them."""
        rows = self.database.execute("SELECT DISTINCT writer FROM replies WHERE state = 'writing'").fetchall()
        for writer in writers.gone(name for (name,) in rows):
            cut_short = self.database.execute(
                "SELECT id FROM replies WHERE state = 'writing' AND writer = ?", (writer,)
            ).fetchall()
            for (reply,) in cut_short:
                self.end(reply, Ending("interrupted", INTERRUPTED), at)

    def forget_empty(self, at: float) -> None:
        """Chats in which nothing was ever asked go."""
        self.database.execute(
            "DELETE FROM chats WHERE begun_at < ? AND id NOT IN (SELECT chat FROM turns)", (at - EMPTY_SECONDS,)
        )

    def delete(self, chat: int) -> None:
        """All rows of a chat, and what the index has of them."""
        for statement in (*(_UNINDEX if self.indexed else ()), *_DELETE):
            self.database.execute(statement, (chat,))

    def turns(self, chat: int, *, replaced: bool) -> tuple[Turn, ...]:
        """What was said in a chat, oldest first."""
        rows = self.database.execute(
            "SELECT id, prompt, at, replaced FROM turns WHERE chat = ? AND (? OR NOT replaced) ORDER BY id",
            (chat, replaced),
        )
        found = sound(rows, OF_TURN)
        return tuple(Turn(turn, prompt, at, self.replies(turn), bool(old)) for turn, prompt, at, old in found)

    def replies(self, turn: int) -> tuple[Reply, ...]:
        """What each target answered, as far as it came."""
        rows = self.database.execute(
            "SELECT id, node, backend, model, text, thinking, state, failure, figures FROM replies"
            " WHERE turn = ? ORDER BY id",
            (turn,),
        )
        return tuple(reply_of(row, self.pieces(row[0])) for row in sound(rows, OF_REPLY))

    def pieces(self, reply: int) -> list[Row]:
        """Text and thinking of an answer as they came, oldest first."""
        rows = self.database.execute("SELECT text, thinking FROM pieces WHERE reply = ? ORDER BY place", (reply,))
        return sound(rows, OF_PIECE)
