"""What can be done to nodes beside what has a key of its own: their engines, the connection, what is wrong."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import App

from fleetview.present import plain
from fleetview.screens import flows
from fleetview.screens.choose import Choose
from fleetview.screens.desk import Desk
from fleetview.screens.node_keys import action
from fleetview.verbs import VERBS
from fleetview.wishes.changes import serving
from fleetview.wishes.possible import why_none
from fleetview.wishes.subject import Subject
from fleetview_agent.wire import Order

SERVE_ALL = "serve"
"""In place of an action: start, stop or restart an engine of every row."""
FURTHER = (("retry", "reconnect now, without waiting"),)
"""Actions of the screen that the menu has too."""
OF_ONE = (
    ("health", "health: what is wrong, and what to do"),
    ("why", "why: what is known of the last failure"),
)
"""The same where they tell of a single node."""
KEYLESS = tuple(
    (action(verb), f"{verb.label}: {verb.summary[0].lower()}{verb.summary[1:-1]}")
    for verb in VERBS
    if verb.about and not verb.keys
)
"""Verbs about a model in memory that have no key of their own."""


async def menu(
    app: App[None], subjects: tuple[Subject, ...], desk: Desk, works: Callable[[str], bool]
) -> Order | str | None:
    """What was chosen: a request that was agreed to, an action of the screen, or SERVE_ALL; `works`: just now."""
    offered: tuple[tuple[str, str], ...] = (*KEYLESS, *FURTHER, *(OF_ONE if len(subjects) == 1 else ()))
    further = tuple((name, label) for name, label in offered if works(name))
    served = why_none(subjects, "serve") is None
    if len(subjects) > 1:
        engines = ((SERVE_ALL, f"start, stop or restart an engine on the {len(subjects)} marked"),) if served else ()
        return await _action(app, f"On {len(subjects)} marked", (*engines, *further))
    node = subjects[0].node
    wishes = serving(node, desk.author) if served else ()
    labels = (*(wish.label for wish in wishes), *(label for _, label in further))
    place = await app.push_screen_wait(Choose(f"On {plain(node.name)}", labels))
    if place is None:
        return None
    if place < len(wishes):
        return await flows.serve(app, node, desk, wishes[place])
    return further[place - len(wishes)][0]


async def _action(app: App[None], title: str, offered: tuple[tuple[str, str], ...]) -> str | None:
    """The action that was chosen."""
    place = await app.push_screen_wait(Choose(title, tuple(label for _, label in offered)))
    return None if place is None else offered[place][0]
