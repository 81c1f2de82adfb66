"""What a node has of a model, in one cell: a sign, and a word, a number or a letter beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fleetview.fleet import Fleet, NodeState, condition
from fleetview.models.inventory import Entry, Held, Inventory, Shelf
from fleetview.present.models.brief import PIN
from fleetview.present.numbers import context, percent
from fleetview.present.operations.progress import done_ratio
from fleetview.present.signs import dimmed
from fleetview.present.text import DASH, Line, cut, plain
from fleetview_agent.wire import Operation, ResidentModel, ServerRequest

ABSENT: Line = (("·", "dim"),)
UNKNOWN: Line = ((DASH, "dim"),)
WORDS = 12
"""Cells from which engines are named and not told by a letter."""


@dataclass(frozen=True)
class Table:
    """What rows are made of."""

    fleet: Fleet
    inventory: Inventory
    letters: Mapping[str, str]
    """As of `engines`."""
    now: float


def cell(node: NodeState, entry: Entry, table: Table, width: int) -> Line:
    """What a node has of a model; each sign has a word, a number or a letter beside it."""
    held = table.inventory.held(node.name, entry.key)
    if node.machine is None and not held:
        return UNKNOWN
    line = _in_hand(node, entry, width) if node.operations else None
    line = line or _held(held, table.letters, width)
    return dimmed(line) if condition(node, table.now) in {"down", "stale", "connecting"} else line


def _in_hand(node: NodeState, entry: Entry, width: int) -> Line | None:
    """The operation that changes the model on the node just now, and how far it is."""
    operation = operation_of(node, entry)
    if operation is None:
        return None
    ratio = done_ratio(operation)
    told = operation.phase.replace("_", " ") if ratio is None else percent(ratio)
    if ratio is not None and width >= WORDS:
        told = f"{operation.phase.replace('_', ' ')} {told}"
    return (("◐ ", "accent"), (cut(told, width - 2), "accent"))


def operation_of(node: NodeState, entry: Entry) -> Operation | None:
    """The operation in hand on the node that is about the model."""
    names = set(entry.names)
    return next(
        (one for one in node.operations if not isinstance(one.request, ServerRequest) and one.request.model in names),
        None,
    )


_ORDER = ("failed", "loading", "unloading", "ready")


def first_of(held: Iterable[Held]) -> Held | None:
    """The way of running it that says the most: failed, on its way, in memory, else the first on the disk."""
    ways = tuple(held)
    for phase in _ORDER:
        for one in ways:
            if one.resident is not None and one.resident.phase == phase:
                return one
    return ways[0] if ways else None


def _held(held: tuple[Held, ...], letters: Mapping[str, str], width: int) -> Line:
    """What stands for a model that is on the node, and does not change."""
    if (first := first_of(held)) is None:
        return ABSENT
    if first.resident is not None:
        return _resident(first.resident, width)
    names = [one.backend for one in held]
    if width >= WORDS:
        more = f" +{len(names) - 1}" if len(names) > 1 else ""
        return (("○ ", "plain"), (cut(plain(names[0]), width - 2 - len(more)) + more, "plain"))
    return (("○ ", "plain"), (cut("".join(letters.get(name, "?") for name in names), width - 2), "plain"))


def _resident(model: ResidentModel, width: int) -> Line:
    """What stands for a model in memory, or on its way there."""
    match model.phase:
        case "failed" | "orphaned" as phase:
            return (("! ", "hot"), (cut(phase, width - 2), "hot"))
        case "loading":
            told = "load" if model.progress is None else percent(model.progress)
            if model.progress is not None and width >= WORDS:
                told = f"load {told}"
            return (("◐ ", "accent"), (told, "accent"))
        case "unloading":
            return (("◐ ", "accent"), ("leaves", "accent"))
    pin: Line = ((PIN, "accent"),) if model.pinned else ()
    return (("● ", "good"), (context(model.context), "plain"), *pin)


def engines(shelves: Iterable[Shelf]) -> Mapping[str, str]:
    """Engines of the fleet → the letters that stand for them: as few as tell them apart."""
    names = sorted({plain(name) for shelf in shelves for name in shelf.backends})
    return {name: _shortest(name, names) for name in names}


def _shortest(name: str, names: Iterable[str]) -> str:
    """The shortest beginning that no other name has."""
    others = [other for other in names if other != name]
    return next(
        (name[:end] for end in range(1, len(name)) if not any(other.startswith(name[:end]) for other in others)), name
    )
