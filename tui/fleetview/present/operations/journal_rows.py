"""The rows of the journal: which columns there is room for, and what stands in each. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from fleetview.present.numbers import age, duration, moment
from fleetview.present.operations.journal import Entry, ending, upshot
from fleetview.present.operations.progress import named, subject
from fleetview.present.text import DASH, Line, cut, left, plain, right, width_of
from fleetview_agent.wire import Operation

_AGE, _NODE, _RESULT, _TOOK, _AUTHOR, _UPSHOT = 6, 16, 13, 6, 16, 30
_WHEN, _WHEN_IN_FULL = len("Tue 22:13"), len("14 Nov 22:13")
_WHAT = 40
"""Cells of verb and model beside what came of it; of what is left, both get half."""
_WEEK_SECONDS = 6 * 86_400.0
"""For so long the name of a day means one day alone."""
_LAYOUTS = (
    (140, ("when", "age", "node", "what", "result", "took", "by", "upshot")),
    (100, ("when", "age", "node", "what", "result", "took", "by")),
    (74, ("when", "age", "node", "what", "result", "took")),
    (56, ("when", "node", "what", "result")),
    (0, ("what", "result")),
)
"""From which width on there is room for which columns."""
_TITLES = {"upshot": "WHAT CAME OF IT"}


@dataclass(frozen=True)
class Layout:
    """Which columns there is room for, and how wide they are."""

    columns: tuple[tuple[str, int], ...]


def layout(width: int, nodes: Iterable[str]) -> Layout:
    """The columns in `width` cells; that of the nodes is there where there are several."""
    names = tuple(nodes)
    shown = next(columns for least, columns in _LAYOUTS if width >= least)
    widths = {"when": _WHEN_IN_FULL if "by" in shown else _WHEN, "age": _AGE, "result": _RESULT, "took": _TOOK}
    widths |= {"by": _AUTHOR, "upshot": _UPSHOT}
    widths["node"] = min(_NODE, max((len(plain(name)) for name in names), default=4))
    columns = [name for name in shown if name != "node" or len(names) > 1]
    fixed = sum(widths.get(name, 0) for name in columns) + len(columns) - 1 + 1  # a margin at the left
    spare = max(8, width - fixed)
    widths["what"] = spare
    if "upshot" in columns:
        widths["what"] = min(spare, max(_WHAT, spare // 2))
        widths["upshot"] += spare - widths["what"]
    return Layout(tuple((name, widths[name]) for name in columns))


def heading(shown: Layout) -> Line:
    """The titles of the columns."""
    cells = (_aligned(name, ((_TITLES.get(name, name.upper()), "heading"),), width) for name, width in shown.columns)
    return _spaced(cells)


def row(entry: Entry, clock: float | None, shown: Layout) -> Line:
    """One operation; `clock` is the time of its node."""
    return _spaced(_aligned(name, _cell(name, entry, clock, width), width) for name, width in shown.columns)


def _spaced(cells: Iterable[Line]) -> Line:
    """The cells with a gap before each."""
    return tuple(span for cell in cells for span in ((" ", "plain"), *cell))


def _aligned(name: str, cell: Line, width: int) -> Line:
    """Numbers stand at the right."""
    return (right if name in {"age", "took"} else left)(cell, width)


def _cell(name: str, entry: Entry, clock: float | None, width: int) -> Line:
    """One cell."""
    operation = entry.operation
    match name:
        case "when":
            return ((when(entry.at, clock, width), "plain"),)
        case "age":
            return ((DASH if clock is None else age(clock - entry.at), "dim"),)
        case "node":
            return ((plain(entry.node), "strong"),)
        case "what":
            return _what(operation, width)
        case "result":
            return (ending(operation),)
        case "took":
            going_on = clock is not None and operation.result is None
            return ((duration(clock - operation.queued_at if going_on and clock else entry.seconds), "plain"),)
        case "by":
            return ((plain(operation.request.author), "dim"),)
        case _:
            return ((upshot(operation), "dim"),)


def _what(operation: Operation, width: int) -> Line:
    """Verb and model; its engine is left out where there is no room."""
    verb = operation.request.verb
    full = named(operation.request)
    name = full if len(verb) + 1 + width_of(((full, "plain"),)) <= width else subject(operation.request)
    return ((f"{verb} ", "plain"), (cut(name, width - len(verb) - 1), "strong"))


def when(at: float, clock: float | None, width: int) -> str:
    """The time of day; of another day its name or date too, and where there is no room for both, its date alone."""
    told = moment(at)
    if told == DASH:
        return DASH
    if clock is not None and moment(clock)[:10] == told[:10]:
        return told[11:]
    day = time.localtime(at)
    if width >= _WHEN_IN_FULL:
        return time.strftime("%d %b %H:%M", day)
    return time.strftime("%a %H:%M" if clock is not None and abs(clock - at) < _WEEK_SECONDS else "%d %b", day)
