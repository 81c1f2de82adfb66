"""Lines of logs: which of them are wanted, and how they read. Pure."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len, chop_cells

from fleetview.present.numbers import count
from fleetview.present.text import DASH, Line, Span, Tone, cut, cut_line, joined, left, plain, spread, width_of
from fleetview_agent.wire import LogLevel, LogLine

LONGEST = 2000
Threshold = Literal["all", "info", "warning", "error"]
THRESHOLDS: tuple[Threshold, ...] = ("all", "info", "warning", "error")
"""The least serious lines that are shown."""
_RANKS: Mapping[LogLevel | None, int] = {"debug": 0, None: 1, "info": 1, "warning": 2, "error": 3}
LEVEL_WORDS: Mapping[LogLevel | None, str] = {
    "debug": "debug",
    "info": "info",
    "warning": "warn",
    "error": "error",
    None: "",
}
_TONES: Mapping[LogLevel | None, Tone] = {"warning": "warm", "error": "hot"}
_AT_LEAST: Mapping[Threshold, str] = {
    "all": "every level",
    "info": "info and above",
    "warning": "warnings and errors",
    "error": "errors",
}
_TOLD_TWICE = re.compile(r"^(?:time=\S+ )?level=\S+ |(?<=\[GIN\] )[\d/]+ - [\d:]+ \| ")
"""Time and level in the forms of Ollama, which stand in columns of their own."""
_MARGIN: Span = (" ", "plain")
_NARROW = 60
"""Columns below which the time gives way."""
_WIDE = 100
"""Columns from which the day has room too: lines of a quiet node are older than the morning."""
_LONGEST_NODE, _LONGEST_SOURCE = 16, 8
_SHORTEST_NODE = 10
"""Cells of a node where there is little room: enough to tell worker-primary from worker-secondary."""


@dataclass(frozen=True)
class Entry:
    """A line, and the node that it came from."""

    node: str
    line: LogLine
    text: str
    """As it can be shown."""


@dataclass(frozen=True)
class Wanted:
    """Which lines are looked for."""

    node: str | None = None
    """None: of every node."""
    source: str | None = None
    """None: of the agent and of every engine."""
    threshold: Threshold = "all"
    filter: str = ""
    """What must stand in a line, without regard to capitals; parts between ` & `, of which one with `!` must not."""


@dataclass(frozen=True)
class Columns:
    """How wide what stands before the text is; 0: left out."""

    node: int = 0
    source: int = 0
    time: int = 0

    @property
    def width(self) -> int:
        """Cells before the text."""
        return 1 + sum(part + 1 for part in (self.time, self.node, self.source) if part) + len("error ")


def entry(node: str, line: LogLine) -> Entry:
    """A line of a node, to be shown."""
    return Entry(node, line, plain(_TOLD_TWICE.sub("", line.text, count=1), LONGEST))


def matches(one: Entry, wanted: Wanted) -> bool:
    """Whether a line is looked for."""
    if wanted.node not in {None, one.node} or wanted.source not in {None, one.line.source}:
        return False
    if not serious(one.line.level, wanted.threshold):
        return False
    text = one.text.casefold()
    return all((part.lstrip("!") in text) != part.startswith("!") for part in _parts(wanted.filter))


def serious(level: LogLevel | None, threshold: Threshold) -> bool:
    """Whether a line is serious enough; one that does not tell counts as info."""
    return threshold == "all" or _RANKS[level] >= _RANKS[threshold]


def _parts(text: str) -> tuple[str, ...]:
    """What must stand in a line, or must not; a lone `!` says nothing yet."""
    parts = (part.strip().casefold() for part in text.split(" & "))
    return tuple(part for part in parts if part.lstrip("!"))


def news(seen: LogLine | None, logged: Sequence[LogLine]) -> Sequence[LogLine]:
    """What was logged after the line that was seen last; everything, where that one is gone."""
    for place in range(len(logged) - 1, -1, -1):
        if logged[place] is seen:
            return logged[place + 1 :]
    return logged


def together(told: Iterable[LogLine], heard: Iterable[LogLine]) -> tuple[LogLine, ...]:
    """What a node told when it was asked, and what was heard of it besides, in the order of time."""
    told = tuple(told)
    known = Counter(told)
    more: list[LogLine] = []
    for line in heard:
        if known[line]:
            known[line] -= 1
        else:
            more.append(line)
    return tuple(sorted((*told, *more), key=lambda line: line.at))


def columns(entries: Iterable[str], wanted: Wanted, width: int) -> Columns:
    """How wide what stands before the text is; `entries` are the names of the nodes."""
    node = 0 if wanted.node else min(_LONGEST_NODE, max((cell_len(plain(name)) for name in entries), default=0))
    if width < _NARROW:
        return Columns(min(node, _SHORTEST_NODE), 0, 0)
    when = "14 Nov 12:00:00" if width >= _WIDE else "12:00:00"
    return Columns(node, 0 if wanted.source else _LONGEST_SOURCE, len(when))


def rows_of(one: Entry, width: int, *, wraps: bool) -> int:
    """How many rows a line takes where its text has so many columns."""
    return len(_chunks(one.text, width)) if wraps and len(one.text) > 0 else 1


def row(one: Entry, before: Columns, width: int, part: int | None) -> Line:
    """A row of the screen: a whole line, cut where it is too long, or one part of it."""
    room = max(1, width - before.width)
    tone = _tone(one.line.level)
    if part is None:
        return (*_before(one, before), *cut_line(((one.text, tone),), room))
    text = _chunks(one.text, room)[part] if one.text else ""
    return (*(_before(one, before) if part == 0 else ((" " * before.width, "plain"),)), (text, tone))


def clock(at: float, width: int) -> str:
    """A time of day as the clocks here would have shown it, with its day where there is room; a dash for neither."""
    try:
        return time.strftime("%d %b %H:%M:%S" if width > len("12:00:00") else "%H:%M:%S", time.localtime(at))
    except (OverflowError, ValueError, OSError):
        return DASH


def _chunks(text: str, width: int) -> list[str]:
    """The text in pieces of at most so many cells."""
    if text.isascii():
        return [text[start : start + width] for start in range(0, len(text), width)] or [""]
    return chop_cells(text, max(2, width)) or [""]


def _tone(level: LogLevel | None) -> Tone:
    """How the text looks."""
    return "dim" if level == "debug" else _TONES.get(level, "plain")


def _before(one: Entry, before: Columns) -> Line:
    """What stands before the text."""
    level, parts = one.line.level, [_MARGIN]
    told: tuple[tuple[Span, int], ...] = (
        ((clock(one.line.at, before.time), "dim"), before.time),
        ((plain(one.node), "plain"), before.node),
        ((plain(one.line.source), "dim"), before.source),
    )
    for span, width in told:
        if width:
            parts += [*left((span,), width), (" ", "plain")]
    return (*parts, *left(((LEVEL_WORDS[level], _TONES.get(level, "dim")),), len("error ")))


def title(wanted: Wanted, shown: int, below: int, width: int, *, paused: bool = False, lack: str | None = None) -> Line:
    """Whose lines are shown, which of them, and whether new ones come into view."""
    of = f"{plain(wanted.node)}" if wanted.node else "all nodes"
    whose: Line = (("Logs of ", "plain"), (of, "strong"))
    parts: list[Line] = [((plain(wanted.source), "plain"),)] if wanted.source else []
    if wanted.threshold != "all":
        parts.append(((_AT_LEAST[wanted.threshold], "accent"),))
    if wanted.filter:
        parts.append(((f"/{plain(wanted.filter)}", "accent"),))
    parts.append(((count(shown, "line"), "dim"),))
    told: Line = (_MARGIN, *joined((whose, *parts)))
    state = plain(lack) if lack else _state(below, paused=paused)
    longer = (_MARGIN, *joined((whose, (("agent and engines", "plain"),), *parts)))
    if not wanted.source and width_of(longer) + cell_len(state) + 3 <= width:
        told = longer
    state = cut(state, max(width // 2, width - width_of(told) - 3))
    tone: Tone = "warm" if below or paused or lack else "dim"
    return cut_line(spread(told, (("  ", "plain"), (state, tone), _MARGIN), width), width)


def _state(below: int, *, paused: bool) -> str:
    """Whether new lines come into view."""
    if below:
        return f"{count(below, 'new line')} below, G follows"
    return "paused" if paused else "follows"


def nothing(wanted: Wanted, others: int, lack: str | None) -> str:
    """Why no line is shown, and what to do about it."""
    whose = plain(wanted.node) if wanted.node else "the nodes"
    if lack:
        return plain(lack)
    if others:
        hidden = f"None of {count(others, 'line')} of {whose} is shown"
        writer = "the agent" if wanted.source == "agent" else plain(wanted.source or "")
        ways = [f"{writer} has written none of them; tab shows another source"] if wanted.source else []
        ways += ["v shows other levels"] if wanted.threshold != "all" else []
        ways += ["esc shows what / hides"] if wanted.filter else []
        return f"{hidden}: {', '.join(ways)}." if ways else f"{hidden}."
    return f"Nothing has been written by {whose} since the agent there began."
