"""What help says: the keys of a screen, why some do nothing now, and the command line's twin of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fleetview.present.text import Line, Span, Tone, left, plain, width_of
from fleetview.present.wrapping import wrapped

Group = Literal["rows", "this view", "everywhere", "moving"]
GROUPS: tuple[Group, ...] = ("rows", "this view", "everywhere", "moving")
IDLE = "not just now"
_SEVERAL = ", "
_WITH_IDS = 80
"""Cells from which there is room for the ids that `[keys]` of the fleet file takes."""
_WITH_TWINS = 130
"""Cells from which the command line's twins have a column of their own."""


@dataclass(frozen=True)
class HelpKey:
    """One action with its keys."""

    keys: tuple[str, ...]
    what: str
    """What it does, in a sentence."""
    why_not: str | None = None
    """Why it does nothing now; None for one that works."""
    twin: str | None = None
    """The command line that does the same."""
    id: str = ""
    """For `[keys]` of the fleet file."""
    group: Group = "this view"

    def matches(self, words: str) -> bool:
        """Whether every word stands somewhere in what is said of it."""
        told = " ".join((*self.keys, self.what, self.twin or "", self.id)).casefold()
        return all(word in told for word in words.casefold().split())


@dataclass(frozen=True)
class _Columns:
    """How wide each part of an entry is; 0: left out, or without a column of its own."""

    keys: int
    ids: int
    what: int
    twins: int

    @property
    def before_twins(self) -> int:
        """Cells before the column of the twins."""
        return self.keys + self.ids + self.what + 2


def help_lines(keys: tuple[HelpKey, ...], width: int, words: str = "") -> tuple[Line, ...]:
    """Keys that work now, group by group, then those that do not with the reason; all or those that match."""
    found = tuple(key for key in keys if key.matches(words))
    if not found:
        return ((("no key matches; esc shows all", "dim"),),)
    working = {group: tuple(key for key in found if key.why_not is None and key.group == group) for group in GROUPS}
    idle = tuple(key for key in found if key.why_not is not None)
    rows, *others = ((str(group), some) for group, some in working.items())
    sections = (rows, (IDLE, idle), *others)  # who looks for a key on a row finds it in one of the first two
    columns = _columns(found, width)
    return tuple(line for title, some in sections for line in _section(title, some, columns))[1:]


def _columns(keys: tuple[HelpKey, ...], width: int) -> _Columns:
    """Columns as wide as what stands in them; what does not fit beside the sentence stands below it."""
    names = max(width_of(((_SEVERAL.join(key.keys), "plain"),)) for key in keys) + 2
    ids = max(len(key.id) for key in keys) + 2 if width >= _WITH_IDS else 0
    twins = max(len(key.twin or "") for key in keys) if width >= _WITH_TWINS else 0
    return _Columns(names, ids, width - names - ids - (twins + 2 if twins else 0), twins)


def _section(title: str, keys: tuple[HelpKey, ...], columns: _Columns) -> tuple[Line, ...]:
    """A heading with its keys; nothing where there are none."""
    if not keys:
        return ()
    return ((), ((title, "heading"),), *(line for key in keys for line in _entry(key, columns)))


def _entry(key: HelpKey, columns: _Columns) -> tuple[Line, ...]:
    """One action, its sentence to the end; below it why it does nothing now, or its twin where that has no column."""
    tone: Tone = "accent" if key.why_not is None else "off"
    names = (*left(((_SEVERAL.join(key.keys), tone),), columns.keys), *left(((key.id, "dim"),), columns.ids))
    gap: Span = (" " * (columns.keys + columns.ids), "plain")
    told = wrapped(((key.what, "plain"),), columns.what, indent=0)
    if key.why_not:
        told += wrapped(((plain(key.why_not), "warm"),), columns.what, indent=0)
    elif key.twin and not columns.twins:
        told += wrapped(((key.twin, "dim"),), columns.what, indent=2)
    first: Line = (*names, *told[0])
    if key.twin and columns.twins and not key.why_not:
        first = (*left(first, columns.before_twins), (key.twin, "dim"))
    return (first, *((gap, *line) for line in told[1:]))
