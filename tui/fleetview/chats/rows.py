"""Rows of the file of chats as records, and back. Pure; what only a newer version understands is left out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from typing import Any, cast, get_args

from fleetview.chats.records import Figures, FormerChat, Reply, Settings, State, Target

TITLE_CHARACTERS = 80
INTERRUPTED = "the dashboard ended before the answer did"
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_NOTEWORTHY: tuple[State, ...] = ("writing", "failed", "interrupted", "stopped", "done")
"""Which of several states is told for all."""

Row = tuple[Any, ...]  # Any: what SQLite holds; each function knows its columns

Number = (int, float)
Perhaps = (str, type(None))
OF_CHAT = (str, Number, Number, str, str)
OF_FORMER_CHAT = (int, str, Number, Number, str, int, Perhaps)
OF_TURN = (int, str, Number, int)
OF_REPLY = (int, str, str, str, str, str, str, Perhaps, str)
OF_PIECE = (str, str)
OF_PROMPT = (str, Number, int)
"""What each column of such rows must be."""


def sound(rows: Iterable[Row], kinds: tuple[Any, ...]) -> list[Row]:  # Any: kinds as isinstance takes them
    """The rows that are what they should be; those that a failing disk has changed are left out."""
    return [row for row in rows if all(map(isinstance, row, kinds))]


def storable(text: str) -> str:
    """The text without zeros and halves of characters, at which SQLite or UTF-8 would stop."""
    if "\0" in text:
        text = text.replace("\0", _REPLACEMENT)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text


def title_of(prompt: str) -> str:
    """The first line with something in it, cut."""
    line = next((" ".join(line.split()) for line in prompt.splitlines() if line.strip()), "")
    return line if len(line) <= TITLE_CHARACTERS else f"{line[: TITLE_CHARACTERS - 1].rstrip()}…"


def settings_text(settings: Settings) -> str:
    """Settings as they are kept."""
    return storable(json.dumps({"system": settings.system, **settings.asked}))


def settings_of(text: str) -> Settings:
    """Settings as they were kept."""
    kept = _known(Settings, text)
    return Settings(**{**kept, "stop": tuple(kept.get("stop") or ())})


def figures_text(figures: Figures) -> str:
    """Figures as they are kept."""
    return json.dumps({name: value for name, value in asdict(figures).items() if value is not None})


def targets_text(targets: Iterable[Target]) -> str:
    """Targets as they are kept."""
    return storable(json.dumps([[target.node, target.backend, target.model] for target in targets]))


def targets_of(text: str) -> tuple[Target, ...]:
    """Targets as they were kept."""
    try:
        return tuple(Target(*map(str, parts[:3])) for parts in json.loads(text))
    except (ValueError, TypeError):  # damaged, in a file that is sound otherwise
        return ()


def reply_of(row: Row, pieces: Iterable[Row]) -> Reply:
    """An answer: id, node, backend, model, text, thinking, state, failure, figures; and what came since."""
    number, node, backend, model, text, thinking, state, failure, figures = row
    came = tuple(pieces)
    return Reply(
        number,
        Target(node, backend, model),
        text + "".join(piece for piece, _ in came),
        thinking + "".join(piece for _, piece in came),
        _state(state),
        failure,
        Figures(**_known(Figures, figures)),
    )


def former_chat_of(row: Row) -> FormerChat:
    """A line of the list: id, title, begun, changed, targets, number of turns, states of the last answers."""
    number, title, begun_at, changed_at, targets, turns, states = row
    told = frozenset((states or "done").split(","))
    state: State = next((state for state in _NOTEWORTHY if state in told), "done")
    return FormerChat(number, title, begun_at, changed_at, targets_of(targets), turns, state)


def _state(text: str) -> State:
    """A state that we know."""
    return cast("State", text) if text in get_args(State) else "interrupted"  # mypy does not follow get_args


def _known(kind: type[Settings | Figures], text: str) -> Mapping[str, Any]:  # Any: each field has its own kind
    """The fields that we know; none of what is damaged in a file that is sound otherwise."""
    try:
        kept = json.loads(text)
    except ValueError:
        return {}
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in kept.items() if name in names} if isinstance(kept, dict) else {}
