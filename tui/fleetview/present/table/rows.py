"""The table of nodes: what stands over its columns, and what in its rows."""

from __future__ import annotations

from fleetview.fleet import NodeState, condition
from fleetview.present.absence import absence_in, staleness
from fleetview.present.signs import MARK, SYMBOLS, dimmed
from fleetview.present.table.layout import LEAD, Choice, Placed, layout, margin
from fleetview.present.table.sorting import Sort
from fleetview.present.text import SEPARATOR, Line, Span, cut, left, right, width_of

__all__ = ["Choice", "Placed", "ages", "heading", "layout", "row"]

_RISING, _FALLING = "▲", "▼"


def heading(columns: tuple[Placed, ...], width: int, sort: Sort | None = None) -> Line:
    """What stands over the columns, and which of them gives the order."""
    line: list[Span] = [(" " * LEAD, "heading")]
    for place in columns:
        align = right if place.numeric else left
        sorts = sort is not None and sort.column == place.column.name
        arrow = "" if sort is None or not sorts else _FALLING if sort.descending else _RISING
        title = _title(place, arrow)
        line += [(" " * place.gap, "heading"), *align(((title, "accent" if sorts else "heading"),), place.width)]
    return left(tuple(line), width)


def _title(place: Placed, arrow: str) -> str:
    """The title with its arrow, or the short one where there is no room for both."""
    room = place.width - len(arrow)
    title = place.title if len(place.title) <= room or not place.column.short else place.column.short
    first, _, last = title.rpartition(" ")
    if place.bars and first and last == place.column.short:  # that word is about the number behind the bar
        title = f"{first}{last:>{room - len(first)}}"
    return cut(title, room) + arrow


def row(
    node: NodeState,
    now: float,
    columns: tuple[Placed, ...],
    width: int,
    *,
    selected: bool,
    marked: bool = False,
    fresh: bool = False,
) -> Line:
    """One node; where its figures are not known, the reason takes their place. What is `fresh` is bright."""
    state = condition(node, now)
    first, *others = columns
    mark: Span = ((MARK if marked else " ") + " " * (first.gap - 1), "accent")
    name = left(first.column.cell(node, now, first.width), first.width)
    start: Line = (("▸" if selected else " ", "accent"), SYMBOLS[state], mark)
    if state in {"down", "connecting"}:
        room = width - LEAD - first.gap - first.width - 1 - margin(width)
        return left((*start, *name, (" ", "plain"), *absence_in(node, now, room)), width)
    if state == "stale":
        return _stale((*start, *dimmed(name)), node, now, tuple(others), width)
    line: list[Span] = [*start, *name]
    for place in others:
        cell = place.column.cell(node, now, place.width)
        line += _set(place, _bright(cell) if fresh and place.column.name in _CHANGING else cell)
    return left(tuple(line), width)


def _stale(start: Line, node: NodeState, now: float, others: tuple[Placed, ...], width: int) -> Line:
    """Old figures, with their age before what stands in the last column, or in place of what is at the end."""
    age: Span = (staleness(node, now), "warm")
    room = width_of((age,))
    line: list[Span] = [*start]
    inside = bool(others) and others[-1].width >= room + _WORTH_SEEING
    end = width - margin(width) - (0 if inside else room + 1)
    for place in others:
        cell = dimmed(place.column.cell(node, now, place.width))
        told = _set(place, (age, (SEPARATOR, "warm"), *cell) if inside and place is others[-1] else cell)
        if width_of((*line, *told)) > end:
            break
        line += told
    return left(tuple(line) if inside else (*left(tuple(line), end), (" ", "plain"), age), width)


def _set(place: Placed, cell: Line) -> Line:
    """The cell where it belongs, after its gap."""
    align = right if place.numeric else left
    return ((" " * place.gap, "plain"), *align(cell, place.width))


_WORTH_SEEING = 7
"""Cells that what stands beside an age gets at least."""
_CHANGING = frozenset({"model", "models", "state"})
"""Columns that a change of a model's or operation's phase can be seen in."""


def _bright(line: Line) -> Line:
    """The line as what has just changed."""
    return tuple((text, "strong" if tone in {"plain", "dim"} else tone) for text, tone in line)


def ages(node: NodeState, then: float, now: float, columns: tuple[Placed, ...] = ()) -> bool:
    """Whether the node's row may say something else now, though nothing was heard."""
    calm = condition(node, now) == condition(node, then) == "up" and not node.ended
    return not calm or any(place.column.name == "age" for place in columns)
