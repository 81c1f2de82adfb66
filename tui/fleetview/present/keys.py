"""What help says: the keys of a screen, why some do nothing now, and the command line's twin of each."""

from __future__ import annotations

from dataclasses import dataclass

from fleetview.present.text import Line, Span, Tone, cut, left, plain, width_of

_KEYS = 11
_SEVERAL = ", "


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


def help_lines(keys: tuple[HelpKey, ...], width: int) -> tuple[Line, ...]:
    """Keys that work now, then those that do not with the reason."""
    working = tuple(key for key in keys if key.why_not is None)
    idle = tuple(key for key in keys if key.why_not is not None)
    lines: list[Line] = [line for key in working for line in _entry(key, width)]
    if idle:
        lines += [(), (("not just now", "heading"),)]
        lines += [line for key in idle for line in _entry(key, width)]
    return tuple(lines)


def _entry(key: HelpKey, width: int) -> tuple[Line, ...]:
    """One action in a line, and in a second one where there is more to say."""
    tone: Tone = "accent" if key.why_not is None else "off"
    names = left(((cut(_SEVERAL.join(key.keys), _KEYS - 1), tone),), _KEYS)
    room = width - _KEYS
    first: Line = (*names, (cut(key.what, room), "plain"))
    gap: Span = (" " * _KEYS, "plain")
    if key.why_not:
        return (first, (gap, (cut(plain(key.why_not), room), "warm")))
    if key.twin is None:
        return (first,)
    if width_of(first) + len(key.twin) + 3 <= width:
        return ((*left(first, width - len(key.twin)), (key.twin, "dim")),)
    return (first, (gap, (cut(key.twin, room), "dim")))
