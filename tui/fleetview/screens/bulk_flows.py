"""Dialogs that lead from a key to what is asked of every marked row; each hands back None where the operator leaves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from textual.app import App

from fleetview.fleet import keepable
from fleetview.models.picking import choices
from fleetview.present import count, plain
from fleetview.present.operations.dialogs import deleting_many, pulling_many
from fleetview.screens.bulk import Bulk, Make
from fleetview.screens.choose import Choose
from fleetview.screens.desk import Desk
from fleetview.screens.flows import EVERYTHING, PULLED, can_name, one_of
from fleetview.screens.type_name import TypeName
from fleetview.wishes import targets
from fleetview.wishes.batch import Target, nodes_of
from fleetview.wishes.changes import DEFAULT, KEEPS, PIN, UNPIN, serving
from fleetview.wishes.possible import Residents, deletable
from fleetview.wishes.subject import Subject
from fleetview.wishes.targets import names_in

IN_MEMORY = "everything that is in memory"


@dataclass(frozen=True)
class Marked:
    """The rows that a verb is for, and what asking needs."""

    app: App[None]
    subjects: tuple[Subject, ...]
    desk: Desk
    at: float
    """Monotonic, for ages."""

    @property
    def where(self) -> str:
        """Which node that is, or how many."""
        names = {subject.node.name for subject in self.subjects}
        return plain(min(names)) if len(names) == 1 else count(len(names), "node")

    @property
    def all_named(self) -> bool:
        """Whether every row says which model is meant."""
        return all(subject.model is not None for subject in self.subjects)


Agreed = tuple[Target, ...] | None
Flow = Callable[[Marked], Awaitable[Agreed]]


async def swap(marked: Marked) -> Agreed:
    """Put one model into memory on every row."""
    name = None
    if not marked.all_named:
        loadable = lambda row: (one.file.name for one in choices(row.node) if one.refusal is None)  # noqa: E731 -- one line
        name = await _name(marked, f"Swap in on {marked.where}", names_in(marked.subjects, loadable))
        if name is None:
            return None
    author = marked.desk.author

    def make(evict: str) -> tuple[Target, ...]:
        return tuple(targets.swap(row, name, evict, author) for row in marked.subjects)

    return await _agreed(marked, f"Swap in {name or 'models'} on {marked.where}", make, evicts=True)


async def unload(marked: Marked) -> Agreed:
    """Take a model out of memory on every row, or everything."""
    found = await _resident(marked, f"Unload from {marked.where}", lambda row: row.node.resident)
    return None if found is None else await _unloaded(marked, found)


async def unload_everything(marked: Marked) -> Agreed:
    """Take everything out of memory on every row."""
    return await _unloaded(marked, Found(None, IN_MEMORY))


async def _unloaded(marked: Marked, found: Found) -> Agreed:
    """Take it out of memory on every row."""
    return await _each(marked, "unload", found, f"Unload {found.called} from {marked.where}")


async def about_resident(verb: str, marked: Marked) -> Agreed:
    """Do to a model in memory what the verb does, on every row."""
    asked = verb.capitalize()
    found = await _resident(marked, f"{asked} on {marked.where}", lambda row: row.node.resident)
    return None if found is None else await _each(marked, verb, found, f"{asked} {found.called} on {marked.where}")


async def keep(marked: Marked) -> Agreed:
    """Say how long models stay on every row."""
    found = await _resident(marked, f"Keep on {marked.where}", lambda row: keepable(row.node))
    if found is None:
        return None
    kinds = (PIN, UNPIN, *(label for label, _ in KEEPS), DEFAULT)
    title = f"Keep {found.called} on {marked.where}"
    place = await marked.app.push_screen_wait(Choose(title, kinds))
    if place is None:
        return None
    kind = kinds[place]
    rows = tuple(one for row in marked.subjects for one in targets.keep(row, found.name, kind, marked.desk.author))
    return await _agreed(marked, f"{title}: {kind}", lambda _: rows)


async def serve(marked: Marked) -> Agreed:
    """Start, stop or restart an engine on every row."""
    offered = names_in(marked.subjects, lambda row: (wish.label for wish in serving(row.node, marked.desk.author)))
    label = await _name(marked, f"On {marked.where}", offered, always=True)
    if label is None:
        return None
    rows = tuple(targets.serve(row, label, marked.desk.author) for row in marked.subjects)
    return await _agreed(marked, f"{label.capitalize()} on {marked.where}", lambda _: rows)


async def pull(marked: Marked) -> Agreed:
    """Fetch a model to every row by its name."""
    engines = names_in(marked.subjects, lambda row: (state.backend for state in row.node.able("pull")))
    backend = await _name(marked, f"Pull on {marked.where} with", engines)
    if backend is None:
        return None
    name = None
    if not marked.all_named:
        name = await marked.app.push_screen_wait(TypeName(f"Pull to {marked.where}", pulling_many(backend), PULLED))
        if name is None or not can_name(marked.app, backend, name):
            return None
    author = marked.desk.author
    rows = tuple(targets.pull(row, backend, name or row.model or "", author) for row in marked.subjects)
    return await _agreed(marked, f"Pull {name or 'models'} to {marked.where}", lambda _: rows)


async def delete(marked: Marked) -> Agreed:
    """Delete one model on every row, after its name was typed."""
    named = {row.model for row in marked.subjects}
    name = named.pop() if marked.all_named and len(named) == 1 else None
    if name is None:
        files = names_in(marked.subjects, lambda row: (file.name for _, file in deletable(row)))
        name = await _name(marked, f"Delete on {marked.where}", files, always=True)
    if name is None:
        return None
    rows = tuple(targets.delete(row, name, marked.desk.author) for row in marked.subjects if row.model in {None, name})
    title = f"Delete {name} from {marked.where}"
    agreed = await _agreed(marked, title, lambda _: rows)
    if agreed is None:
        return None
    lines = deleting_many(nodes_of(agreed))
    typed = await marked.app.push_screen_wait(TypeName(title, lines, "its name", name.strip()))
    return None if typed is None else agreed


async def undo(marked: Marked) -> Agreed:
    """Take back the last operation of every node."""
    once = {row.node.name: row for row in marked.subjects}.values()
    rows = tuple(targets.undo(row, marked.desk.author) for row in once)
    return await _agreed(marked, f"Undo on {marked.where}", lambda _: rows)


BULK: Mapping[str, Flow] = {
    "swap": swap,
    "unload": unload,
    EVERYTHING: unload_everything,
    "keep": keep,
    "serve": serve,
    "pull": pull,
    "delete": delete,
    "undo": undo,
}
"""Names of keys' actions → what they ask before they change anything on several rows, where that is their own."""


def flow(action: str) -> Flow:
    """What an action asks before it changes anything on several rows."""
    return BULK.get(action) or partial(about_resident, action)


@dataclass(frozen=True)
class Found:
    """Which models in memory are meant."""

    name: str | None
    """`BACKEND/MODEL`; None: all that the rows are about."""
    called: str
    """The same for a title."""


async def _resident(marked: Marked, title: str, models: Callable[[Subject], Residents]) -> Found | None:
    """The model in memory that is meant on every row; asked for where the rows do not say."""
    if marked.all_named:
        return Found(None, "models")
    names = names_in(marked.subjects, lambda row: (f"{backend}/{model.name}" for backend, model in models(row)))
    if len(names) <= 1:
        return Found(names[0][0], names[0][0]) if names else None
    labels = (*_labels(marked, names), IN_MEMORY)
    place = await marked.app.push_screen_wait(Choose(title, labels))
    if place is None:
        return None
    return Found(None, IN_MEMORY) if place == len(names) else Found(names[place][0], names[place][0])


async def _each(marked: Marked, verb: str, found: Found, title: str) -> Agreed:
    """The verb for these models in memory, on every row."""
    author = marked.desk.author
    rows = tuple(one for row in marked.subjects for one in targets.resident(row, verb, found.name, author))
    return await _agreed(marked, title, lambda _: rows)


async def _name(marked: Marked, title: str, names: Sequence[tuple[str, int]], *, always: bool = False) -> str | None:
    """One of the names that rows have; asked for where there are several."""
    labels = _labels(marked, names)
    place = await (marked.app.push_screen_wait(Choose(title, labels)) if always else one_of(marked.app, title, labels))
    return None if place is None else names[place][0]


def _labels(marked: Marked, names: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    """The names; where not all rows have all of them, how many have each stands before it, so that it stays in line."""
    amount = len(marked.subjects)
    if all(rows == amount for _, rows in names):
        return tuple(plain(name) for name, _ in names)
    return tuple(f"on {rows:>{len(str(amount))}} of {amount}  {plain(name)}" for name, rows in names)


async def _agreed(marked: Marked, title: str, make: Make, *, evicts: bool = False) -> Agreed:
    """What the operator agrees to of what the dialog lists."""
    nodes = {row.node.name: row.node for row in marked.subjects}
    return await marked.app.push_screen_wait(Bulk(title, make, marked.desk.plan, nodes, marked.at, evicts=evicts))
