"""The choices of the command line, as lines."""

from __future__ import annotations

from dataclasses import dataclass

from fleetview.present.text import Line, Tone, cut, left, plain, width_of

_NARROW = 36
"""Cells that the words get at most where what is said of them would else be cut."""


@dataclass(frozen=True)
class Candidate:
    """A word that can be typed."""

    word: str
    summary: str = ""


@dataclass(frozen=True)
class Completion:
    """What can stand in place of the end of a line."""

    start: int
    """Where in the line the word begins that is being typed."""
    candidates: tuple[Candidate, ...] = ()

    def common(self, typed: str) -> str:
        """What all that begin as it was typed have in common; what was typed where that is no more."""
        begun = [one.word for one in self.candidates if one.word.startswith(typed)]
        if not begun:
            return typed
        first, last = min(begun), max(begun)
        same = next((place for place, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), None)
        return first[:same] if same is not None else first


def choice_lines(completion: Completion, at: int | None, height: int, width: int) -> tuple[Line, ...]:
    """As many choices as there is room for, around the one that is taken just now; the last line counts the others."""
    some = completion.candidates
    if not some or height < 1:
        return ()
    shown = height if len(some) <= height else max(1, height - 1)
    first = min(max(0, (at or 0) - shown + 1), len(some) - shown) if len(some) > shown else 0
    longest = max(width_of(((plain(one.word), "plain"),)) for one in some)
    beside = max(width_of(((plain(one.summary), "plain"),)) for one in some)
    widest = min(longest, max(_NARROW if width >= 2 * _NARROW else width // 2, width - beside - 4))
    lines: list[Line] = []
    for place, one in enumerate(some[first : first + shown], first):
        chosen = place == at
        tone: Tone = "accent" if chosen else "plain"
        word = left(((cut(plain(one.word), widest), tone),), widest)
        told = cut(plain(one.summary), max(0, width - widest - 4))
        lines.append((("▸ " if chosen else "  ", "accent"), *word, ("  ", "plain"), (told, "dim")))
    if height > 1 and (more := len(some) - shown) > 0:
        lines.append(((f"  {more} more; tab goes on, letters narrow", "dim"),))
    return tuple(lines)
