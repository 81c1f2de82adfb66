"""What help says: the keys of a screen, why some do nothing now, and the command line's twin of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fleetview.present.text import Line, Span, Tone, cut, left, plain, width_of
from fleetview.present.wrapping import wrapped

Group = Literal["rows", "this view", "everywhere", "moving"]
GROUPS: tuple[Group, ...] = ("rows", "this view", "everywhere", "moving")
IDLE = "not just now"
_KEYS = 11
_ID = 20
_SEVERAL = ", "
_WITH_IDS = 80
"""Cells from which there is room for the ids that `[keys]` of the fleet file takes."""


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


def help_lines(keys: tuple[HelpKey, ...], width: int, words: str = "") -> tuple[Line, ...]:
    """Keys that work now, group by group, then those that do not with the reason; all or those that match."""
    found = tuple(key for key in keys if key.matches(words))
    if not found:
        return ((("no key matches; esc shows all", "dim"),),)
    working = {group: tuple(key for key in found if key.why_not is None and key.group == group) for group in GROUPS}
    idle = tuple(key for key in found if key.why_not is not None)
    rows, *others = ((str(group), some) for group, some in working.items())
    sections = (rows, (IDLE, idle), *others)  # who looks for a key on a row finds it in one of the first two
    return tuple(line for title, some in sections for line in _section(title, some, width))[1:]


def _section(title: str, keys: tuple[HelpKey, ...], width: int) -> tuple[Line, ...]:
    """A heading with its keys; nothing where there are none."""
    if not keys:
        return ()
    return ((), ((title, "heading"),), *(line for key in keys for line in _entry(key, width)))


def _entry(key: HelpKey, width: int) -> tuple[Line, ...]:
    """One action in a line, and in a second one where there is more to say."""
    tone: Tone = "accent" if key.why_not is None else "off"
    names = left(((cut(_SEVERAL.join(key.keys), _KEYS - 1), tone),), _KEYS)
    if width >= _WITH_IDS:
        names = (*names, *left(((cut(key.id, _ID - 1), "dim"),), _ID))
    margin = width_of(names)
    room = width - margin
    gap: Span = (" " * margin, "plain")
    told = wrapped(((key.what, "plain"),), room, indent=0)
    first: Line = (*names, *told[0])
    rest = tuple((gap, *line) for line in told[1:])
    if key.why_not:
        reason = wrapped(((plain(key.why_not), "warm"),), room, indent=0)
        return (first, *rest, *((gap, *line) for line in reason))
    if key.twin is None:
        return (first, *rest)
    if not rest and width_of(first) + len(key.twin) + 3 <= width:
        return ((*left(first, width - len(key.twin)), (key.twin, "dim")),)
    return (first, *rest, (gap, (cut(key.twin, room), "dim")))
