"""What was typed into a search, as conditions for SQLite: every word must be a part of what is found. Pure."""

from __future__ import annotations

from dataclasses import dataclass

LEAST = 3
"""Characters of a word that the index can find."""


@dataclass(frozen=True)
class Condition:
    """A part of a question, with what is bound in it."""

    sql: str
    values: tuple[str, ...]


def in_prompts(search: str, *, indexed: bool) -> Condition:
    """Turns whose prompt has every word."""
    return _all([_part(word, "prompt", "turn_words", "id", indexed=indexed) for word in search.split()])


def in_chats(search: str, *, indexed: bool) -> Condition:
    """Chats that have every word somewhere: in the title, a prompt or an answer."""
    return _all([_anywhere(word, indexed=indexed) for word in search.split()])


def _anywhere(word: str, *, indexed: bool) -> Condition:
    """Chats that have the word."""
    title = _like(word, "chats.title")
    prompt = _part(word, "turns.prompt", "turn_words", "turns.id", indexed=indexed)
    answer = _part(word, "replies.text", "reply_words", "replies.id", indexed=indexed)
    sql = (
        f"({title.sql} OR chats.id IN (SELECT chat FROM turns WHERE NOT replaced AND {prompt.sql})"  # noqa: S608 -- what was typed is bound
        f" OR chats.id IN (SELECT turns.chat FROM replies JOIN turns ON turns.id = replies.turn"
        f" WHERE NOT turns.replaced AND {answer.sql}))"
    )
    return Condition(sql, (*title.values, *prompt.values, *answer.values))


def _part(word: str, column: str, index: str, key: str, *, indexed: bool) -> Condition:
    """Rows that have the word, by the index where it can tell."""
    if not indexed or len(word) < LEAST:
        return _like(word, column)
    quoted = word.replace('"', '""')
    return Condition(f"{key} IN (SELECT rowid FROM {index} WHERE {index} MATCH ?)", (f'"{quoted}"',))  # noqa: S608 -- what was typed is bound


def _like(word: str, column: str) -> Condition:
    """Rows that have the word, by looking at all of them."""
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return Condition(f"{column} LIKE ? ESCAPE '\\'", (f"%{escaped}%",))


def _all(conditions: list[Condition]) -> Condition:
    """All of them; nothing typed finds everything."""
    values = tuple(value for condition in conditions for value in condition.values)
    return Condition(" AND ".join(condition.sql for condition in conditions) or "TRUE", values)
