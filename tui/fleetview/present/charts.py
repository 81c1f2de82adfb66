"""Charts of a node: what its figures were over minutes, an hour or two days, and what was done to it meanwhile.

A line is made of means. A live chart tells the lowest and the highest reading. Of the node's history the lowest mean of
a step is told, and the highest reading; what was heard in the last two minutes counts for both.
"""

from __future__ import annotations

from fleetview.fleet import NodeState
from fleetview.present.curves import LIVE, STRETCHES, Curve, Past, Stretch, Values, known
from fleetview.present.events_on_charts import legend, row, seen
from fleetview.present.figures import sparkline
from fleetview.present.numbers import age, count
from fleetview.present.text import Line, Span, Tone, cut_line, joined, left, plain, right, width_of
from fleetview.present.wrapping import wrapped
from fleetview_agent.wire import Sample

__all__ = ["LIVE", "STRETCHES", "Past", "Stretch", "charts"]

_LABEL = 13
_FIGURE = 8
_WIDE = 144
"""Cells from which two charts stand beside each other."""
_GAP = 4
_ROOM_FOR_EXTREMES = 56
"""Cells from which the lowest and the highest value are told."""
_HEADINGS = ("now", "low", "high")


def charts(node: NodeState, past: Past, width: int) -> tuple[Line, ...]:
    """A line for every figure of which anything is known, marks for events, the axis of time, the events in words."""
    if not node.samples:
        return ((("no figures yet", "dim"),),)
    if (told := _no_history(past)) is not None:
        why = wrapped((told,), width - 2)
        return (cut_line(_head(past), width), *((("  ", "plain"), *line) for line in why))
    half = (width - _GAP) // 2 if width >= _WIDE else width
    room = _room(half)
    drawn = known(node, past, room)
    placed = seen(node, past, room)
    now = node.samples[-1]
    below: list[Line] = []
    if placed:
        told_count = left(((f"  {count(len(placed), 'event')}", "dim"),), _LABEL)
        below.append((*told_count, *row(placed, room)))
    below.append(_axis(past.stretch, room))
    middle = len(drawn) if half == width else (len(drawn) + 1) // 2
    first = _block(_head(past), drawn[:middle], below, now, half)
    lines = first
    if half != width:
        lines = _beside(first, _block((), drawn[middle:], below, now, half), half)
    return (*lines, *legend(placed, past, now.at, width))


def _room(width: int) -> int:
    """Cells for the picture itself."""
    return max(0, width - _LABEL - _FIGURE * len(_figures(width)) - 1)


def _figures(width: int) -> tuple[str, ...]:
    """What is told beside a picture."""
    return _HEADINGS if width >= _ROOM_FOR_EXTREMES else _HEADINGS[:1]


def _block(
    head: Line, drawn: tuple[tuple[Curve, Values], ...], below: list[Line], now: Sample, width: int
) -> tuple[Line, ...]:
    """A column of charts, with what stands under it."""
    headings = _figures(width)
    figures = tuple(span for word in headings for span in right(((word, "heading"),), _FIGURE))
    top = (*left(head, width - _FIGURE * len(headings)), *figures)
    return (top, *(_drawn(now, curve, values, width) for curve, values in drawn), *below)


def _beside(first: tuple[Line, ...], second: tuple[Line, ...], width: int) -> tuple[Line, ...]:
    """Two columns in one; the second one ends where the first one ends, and leaves out what it has less."""
    filler: tuple[Line, ...] = ((),) * (len(first) - len(second))
    fixed = len(first) - len(second)
    below = 1 + sum(1 for line in first[1:] if line in second[1:])
    del below
    rows = (*second, *filler) if not fixed else second
    return tuple(
        (*left(a, width), (" " * _GAP, "plain"), *b) for a, b in zip(first, rows, strict=False)
    )
