"""Copies something of a row: its name, what is known of it, or a command line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable

from pydantic import BaseModel
from textual.app import App

from fleetview.present import plain
from fleetview.present.operations.command_lines import command_line
from fleetview.screens.choose import Choose
from fleetview.screens.copied import copied
from fleetview.verbs.twins import TWINS
from fleetview.wishes.subject import Subject

_ACTIONS = (
    "node.swap",
    "model.unload",
    "model.keep",
    "chat.open",
    "logs.open",
    "model.pull",
    "model.delete",
    "node.undo",
    "node.health",
    "node.describe",
    "node.bench",
)


async def copy_row(app: App[None], about: Subject) -> None:
    """Ask what is meant, copy it, and say so."""
    texts = {f"the name: {_name(about)}": _name(about), "the row as JSON": row_as_json(about)}
    if about.node.last is not None:
        line = command_line(about.node.name, about.node.last.operation.request)
        texts[f"the last operation: {line}"] = line
    labels = (*texts, "the command line of an action …")
    title = f"Copy of {plain(about.node.name)}"
    place = await app.push_screen_wait(Choose(title, labels))
    if place is None:
        return
    text = tuple(texts.values())[place] if place < len(texts) else await _of_an_action(app, about)
    if text is not None:
        await copied(app, text, f"copied: {plain(text, 100)}")


async def _of_an_action(app: App[None], about: Subject) -> str | None:
    """The command line of an action that is chosen."""
    lines = tuple(filled(TWINS[action], about) for action in _ACTIONS)
    place = await app.push_screen_wait(Choose("Copy which command line?", lines))
    return None if place is None else lines[place]


def filled(twin: str, about: Subject) -> str:
    """A command line with the names of the row in place of what stands for them."""
    names = {"NODE": about.node.name, "MODEL": _model(about) or "MODEL"}
    return " ".join(shlex.quote(names[word]) if word in names else word for word in twin.split())


def row_as_json(about: Subject) -> str:
    """What the node has told of itself, or of one model, as it stands on the wire."""
    node = about.node
    if about.model is not None:
        states = [state for name, state in node.backends.items() if about.backend in {None, name}]
        files = [one.model_dump(mode="json") for state in states for one in state.models if one.name == about.model]
        resident = [
            one.model_dump(mode="json") for state in states for one in state.resident if one.name == about.model
        ]
        known = {"node": node.name, "model": _model(about), "files": files, "resident": resident}
        return json.dumps(known, ensure_ascii=False)
    row: dict[str, object] = {
        "name": node.name,
        "machine": node.machine.model_dump(mode="json") if node.machine else None,
        "sample": node.sample.model_dump(mode="json") if node.sample else None,
        "backends": _dumped(node.backends.values()),
        "operations": _dumped(node.operations),
    }
    return json.dumps(row, ensure_ascii=False)


def _dumped(values: Iterable[BaseModel]) -> list[object]:
    """Values of the wire, as they are there."""
    return [one.model_dump(mode="json") for one in values]


def _name(about: Subject) -> str:
    """What the row is called."""
    return _model(about) or about.node.name


def _model(about: Subject) -> str | None:
    """The model as the command line names it."""
    return f"{about.backend}/{about.model}" if about.backend and about.model else about.model
