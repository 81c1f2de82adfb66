"""The matrix of models and nodes: which columns fit, and what stands in a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fleetview.fleet import Fleet, NodeState, condition
from fleetview.models.inventory import Entry
from fleetview.present.measures import memory_free
from fleetview.present.models.matrix_cells import WORDS, Table, cell
from fleetview.present.numbers import age, context, count, size
from fleetview.present.signs import MARK
from fleetview.present.text import (
    DASH,
    Line,
    Span,
    cut,
    cut_line,
    cut_middle,
    fitting,
    joined,
    left,
    plain,
    right,
    spread,
    width_of,
)

_LEAD = 2
"""The selection's mark, and that of a marked row."""
_OLD = frozenset({"down", "stale", "connecting"})
"""Conditions in which what is known is not of now."""
_NARROW, _WIDE, _VERY_WIDE = 60, 110, 150
_CONTEXT = 5
_AIR: Line = ((" ", "plain"),)
"""Between what a model is and what nodes have of it, where the mark of a selected node stands as well."""
_LEAST, _MOST = 9, 18
"""Cells of a node's column."""
_TIGHT = 12
"""Cells for a node, up to which names need all of them but one."""
_SUM = 9
"""Cells for on how many nodes a model is in memory and on the disk, where there is no room for nodes."""


@dataclass(frozen=True)
class Head:
    """What stands before the nodes: name, size, quantisation and trained context, in so many cells."""

    name: int
    quantization: int = 0
    """None where there is no room for it."""
    sums: int = 0
    """For the sums that stand for the nodes."""


@dataclass(frozen=True)
class Grid:
    """Which nodes are shown, and how wide."""

    head: Head
    nodes: tuple[str, ...] = ()
    """Those with a column."""
    first: int = 0
    """The place of the first of them in the fleet."""
    cell: int = 0
    """Cells of a node's column."""
    gap: int = 1


def grid(fleet: Fleet, selected: str | None, before: Grid | None, width: int, scrollbar: int = 0) -> Grid:
    """The columns that fit into `width` cells: the selected node among them, and the others where they were.

    For the cells of a scrollbar the names of the models give way.
    """
    if width < _NARROW:
        return Grid(Head(max(8, width - scrollbar - _LEAD - _SUM - 13), sums=_SUM))
    names = tuple(fleet)
    name, quantization = (34, 8) if width >= _VERY_WIDE else (26, 8) if width >= _WIDE else (18, 7)
    head = Head(name - scrollbar, quantization)
    room = width - scrollbar - taken(head)
    step = room // max(1, len(names))
    gap = 2 if step > _TIGHT else 1
    cell = min(max(step - gap, _LEAST), _MOST)
    shown = min(max(1, room // (cell + gap)), len(names))
    place = names.index(selected) if selected in names else 0
    first = before.first if before else 0
    first = min(max(first, place - shown + 1, 0), place, max(0, len(names) - shown))
    return Grid(head, names[first : first + shown], first, cell, gap)


def taken(head: Head) -> int:
    """Cells before the first node."""
    wide = head.quantization + 1 if head.quantization else 0
    return _LEAD + head.name + 1 + 5 + 1 + wide + 5 + (head.sums + 1 if head.sums else 0)


def heading(shown: Grid, selected: str | None, width: int) -> Line:
    """What stands over the columns."""
    head = shown.head
    titles = [left(((" " * _LEAD + "MODEL", "heading"),), head.name + _LEAD), right((("SIZE", "heading"),), 6)]
    if head.quantization:
        titles.append(((" ", "heading"), *left((("QUANT", "heading"),), head.quantization)))
    titles.append((*right((("CTX", "heading"),), _CONTEXT), *_AIR))
    if head.sums:
        titles.append(right((("NODES", "heading"),), head.sums + 1))
    for name in shown.nodes:
        tone: Span = (_short(name, shown.cell), "strong" if name == selected else "heading")
        titles.append(((" " * shown.gap, "heading"), *left((tone,), shown.cell)))
    return left(tuple(span for title in titles for span in title), width)


def _short(name: str, width: int) -> str:
    """The name of a node; of one that is too long, the first words give way to their letters."""
    text = plain(name)
    *words, last = text.split("-")
    if len(text) <= width or not words:
        return cut(text, width)
    return cut("-".join((*(word[:1] for word in words), last)), width)


def standing(shown: Grid, fleet: Fleet, now: float, width: int, *, high: bool = True) -> Line | None:
    """Under the names of the nodes, how much memory is free, or since when what stands there is old.

    None where there is no room for the first and no reason for the second.
    """
    states = {name: condition(node, now) for name, node in fleet.items()}
    if not (high and shown.nodes) and not any(state in _OLD for state in states.values()):
        return None
    old = [name for name, state in states.items() if state in _OLD and name not in shown.nodes]
    words = "connecting" if all(states[name] == "connecting" for name in old) else "old or down"
    beyond = f"{plain(old[0])} {states[old[0]]}" if len(old) == 1 and len(fleet) > 1 else f"{len(old)} more {words}"
    line: list[Span] = [*left(((" " * _LEAD + beyond if old else "", "warm"),), taken(shown.head))]
    for name in shown.nodes:
        told = _age(fleet[name], states[name], now, shown.cell) if states[name] in _OLD else _free(fleet[name])
        line += [(" " * shown.gap, "plain"), *left(told, shown.cell)]
    return cut_line(tuple(line), width)


def _age(node: NodeState, state: str, now: float, width: int) -> Line:
    """Since when what is known of a node is old."""
    since = node.link_since if node.link == "down" else node.heard_at
    word = {"down": "down", "stale": "old", "connecting": "…"}[state]
    if state == "connecting" or since is None:
        return ((word, "dim"),)
    told = f"{word} {age(now - since)}"
    short = told.replace(" min", "m").replace(" s", "s").replace(" h", "h").replace(" d", "d")
    return ((told if len(told) <= width else short, "hot" if state == "down" else "warm"),)


def _free(node: NodeState) -> Line:
    """How much a further model could take."""
    return ((DASH if (free := memory_free(node)) is None else f"{size(free)} free", "dim"),)


@dataclass(frozen=True)
class Mark:
    """How a row stands out."""

    selected: str | None = None
    """The node whose cell is selected in it; None in rows that are not."""
    marked: frozenset[str] = frozenset()
    """The nodes whose cells are marked in it."""


def row(entry: Entry, shown: Grid, table: Table, mark: Mark) -> Line:
    """One model: what it is, and what each node has of it."""
    head = shown.head
    line: list[Span] = [
        ("▸" if mark.selected else " ", "accent"),
        (MARK if mark.marked else " ", "accent"),
        *left(((_name(entry, head.name), "strong" if mark.selected else "plain"),), head.name),
        *right(((size(entry.size_bytes), "plain"),), 6),
    ]
    if head.quantization:
        quantization = plain(entry.quantization or DASH)
        line += [(" ", "plain"), *left(((quantization, "dim"),), head.quantization)]
    line += right(((context(entry.trained), "plain" if entry.trained else "dim"),), _CONTEXT)
    line += _AIR
    if head.sums:
        line += right(sums(entry), head.sums + 1)
    for name in shown.nodes:
        sign = "▸" if name == mark.selected else MARK if name in mark.marked else " "
        line.append((sign.rjust(shown.gap), "accent"))
        line += left(cell(table.fleet[name], entry, table, shown.cell), shown.cell)
    return tuple(line)


def _name(entry: Entry, width: int) -> str:
    """The name, and how many others the same file has."""
    name = plain(entry.name)
    more = f" +{len(entry.names) - 1}" if len(entry.names) > 1 else ""
    return cut_middle(name, width - len(more)) + more


def sums(entry: Entry) -> Line:
    """On how many nodes it is in memory, and on how many it lies on the disk alone."""
    parts: list[Line] = []
    if entry.resident:
        parts.append((("●", "good"), (str(entry.resident), "plain")))
    if entry.nodes > entry.resident:
        parts.append((("○", "plain"), (str(entry.nodes - entry.resident), "plain")))
    return joined(tuple(parts), " ")


def legend(letters: Mapping[str, str], shown: Grid, width: int) -> Line:
    """What the signs mean."""
    short = width < _NARROW
    disk = "○ disk" if short else "○ on disk"
    if shown.nodes and shown.cell < WORDS and letters:
        disk += f" ({', '.join(f'{letter} {name}' for name, letter in letters.items())})"
    words: list[Line] = [
        (("● ", "good"), ("memory" if short else "in memory", "dim")),
        (("◐ ", "accent"), ("busy" if short else "in hand", "dim")),
        (("! ", "hot"), ("failed", "dim")),
        ((disk, "dim"),),
    ]
    if shown.nodes:
        words.append((("· absent", "dim"),))
    return cut_line(((" ", "plain"), *joined(tuple(words), "  ")), width)


@dataclass(frozen=True)
class Look:
    """How the models are looked at just now."""

    shown: int
    total: int
    filter: str = ""
    sort: str = "name"
    reverse: bool = False
    marked: int = 0
    hidden: int = 0
    """How many of them the filter hides: nothing is done to those."""
    signs: tuple[str, ...] = ()
    """Paused, read-only, DEMO."""


def title(look: Look, shown: Grid, fleet: Fleet, width: int) -> Line:
    """How many models there are, in which order, and which nodes have a column."""
    models = count(look.total, "model")
    parts: list[Line] = [
        (("Models", "strong"),),
        ((models if look.shown == look.total else f"{look.shown} of {look.total}", "plain"),),
    ]
    if look.filter:
        parts.append((("/", "accent"), (plain(look.filter, 60), "plain")))
    if look.marked:
        hidden = f", {look.hidden} hidden: not acted on" if look.hidden else ""
        parts.append(((f"{look.marked} marked{hidden}", "accent"),))
    parts.append(((f"by {look.sort} {'▼' if look.reverse else '▲'}", "dim"),))
    end: list[Line] = [((sign, "accent" if sign == "DEMO" else "warm"),) for sign in look.signs]
    if shown.nodes and len(shown.nodes) < len(fleet):
        last = shown.first + len(shown.nodes)
        end.append((("nodes ", "dim"), (f"{shown.first + 1}–{last} of {len(fleet)}", "plain"), (" ←→", "accent")))
    else:
        end.append(((count(len(fleet), "node"), "plain"),))
    ending: Line = ((" ", "plain"), *joined(tuple(end)), (" ", "plain"))
    start = fitting(tuple(parts), max(1, width - width_of(ending) - 1))
    return cut_line(spread(((" ", "plain"), *start), ending, width), width)
