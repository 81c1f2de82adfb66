"""Charts of a node: what its figures were over minutes, an hour or two days, and what was done to it meanwhile.

A line is made of means. A live chart tells the lowest and the highest reading. Of the node's history the lowest mean of
a step is told, and the highest reading; what was heard in the last two minutes counts for both.
"""

from __future__ import annotations

from fleetview.fleet import NodeState
from fleetview.present.figures import sparkline
from fleetview.present.node.curves import STRETCHES, Curve, Past, Stretch, Values, known
from fleetview.present.node.events_on_charts import Event, legend, row, seen
from fleetview.present.numbers import age, count
from fleetview.present.text import Line, Span, Tone, cut_line, joined, left, plain, right, width_of
from fleetview.present.wrapping import wrapped
from fleetview_agent.wire import Sample

_LABEL = 13
_FIGURE = 8
_WIDE = 144
"""Cells from which there are two columns."""
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
        return (_head(past, width), *((("  ", "plain"), *line) for line in why))
    half = column_width(width)
    room = max(0, half - _LABEL - _FIGURE * len(_headings(half)) - 1)
    drawn = tuple(_drawn(node.samples[-1], curve, values, half) for curve, values in known(node, past, room))
    placed = seen(node, past, room)
    below = (*_marked(placed, room), _axis(past.stretch, room))
    height = len(drawn) if half == width else (len(drawn) + 1) // 2
    lines = (_top(_head(past, half - _FIGURE * len(_headings(half))), half), *drawn[:height], *below)
    if half != width:
        empty: tuple[Line, ...] = ((),) * (2 * height - len(drawn))
        lines = beside(lines, (_top((), half), *drawn[height:], *empty, *below), half)
    return (*lines, *legend(placed, past, node.samples[-1].at, width))


def column_width(width: int) -> int:
    """How wide one of two columns is; as wide as the whole where there is room for one alone."""
    return (width - _GAP) // 2 if width >= _WIDE else width


def _headings(width: int) -> tuple[str, ...]:
    """What is told beside a picture."""
    return _HEADINGS if width >= _ROOM_FOR_EXTREMES else _HEADINGS[:1]


def beside(first: tuple[Line, ...], second: tuple[Line, ...], width: int) -> tuple[Line, ...]:
    """Two columns of lines in one."""
    return tuple((*left(one, width), (" " * _GAP, "plain"), *other) for one, other in zip(first, second, strict=True))


def _no_history(past: Past) -> Span | None:
    """What to say in place of charts; None where there is something to draw."""
    if past.stretch.step_seconds is None or (past.history and past.history.figures):
        return None
    if past.history:
        return "no history: its agent could not write it down, and says why in its log", "warm"
    return (f"no history: {plain(past.lack)}", "warm") if past.lack else ("asking for its history …", "dim")


def _top(head: Line, width: int) -> Line:
    """What stands over a column of charts."""
    words = _headings(width)
    figures = (span for word in words for span in right(((word, "heading"),), _FIGURE))
    return (*left(head, width - _FIGURE * len(words)), *figures)


def _head(past: Past, width: int) -> Line:
    """Which stretch of time is shown, which others there are, and how to see those where there is room for that."""
    others = STRETCHES if past.keys else (past.stretch,)
    names: list[Line] = [((one.name, "strong" if one == past.stretch else "dim"),) for one in others]
    line: Line = (("last ", "heading"), *joined(tuple(names)))
    told: Line = (*line, (f"  {past.keys}", "accent"))
    return told if past.keys and width_of(told) <= width else cut_line(line, width)


def _marked(placed: tuple[tuple[int, Event], ...], width: int) -> tuple[Line, ...]:
    """The events of the stretch, each under its time; nothing where there was none."""
    if not placed:
        return ()
    return ((*left(((f"  {count(len(placed), 'event')}", "dim"),), _LABEL), *row(placed, width)),)


def _axis(stretch: Stretch, width: int) -> Line:
    """When the left edge was, the middle, and the right one; what there is no room for is left out."""
    begin, middle, end = f"{stretch.name} ago", f"{_half(stretch)} ago", "now"
    half = width // 2
    if len(begin) < half and len(middle) + len(end) < width - half:
        begin += " " * (half - len(begin)) + middle
    if len(begin) + len(end) >= width:
        begin = ""
    return ((" " * _LABEL, "plain"), (begin + end.rjust(max(0, width - len(begin))), "dim"))


def _half(stretch: Stretch) -> str:
    """Half as long, in the same unit."""
    amount, unit = stretch.name.split()
    return f"{int(amount) // 2} {unit}" if int(amount) > 1 else age(stretch.seconds / 2)


def _drawn(now: Sample, curve: Curve, values: Values, width: int) -> Line:
    """Label, picture, and the figures now, lowest and highest."""
    top = curve.top or max((value for value in values.columns if value is not None), default=0.0)
    told = (curve.reading(now), values.low, values.high)[: len(_headings(width))]
    tones: tuple[Tone, ...] = ("strong", "dim", "dim")
    numbers = (
        span for value, tone in zip(told, tones, strict=False) for span in right(((curve.word(value), tone),), _FIGURE)
    )
    picture = left(
        ((sparkline(values.columns, top).rjust(len(values.columns)), "spark"),), width - _LABEL - _FIGURE * len(told)
    )
    return (*left(((f"  {curve.label}", "dim"),), _LABEL), *picture, *numbers)
