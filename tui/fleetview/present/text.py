"""Lines of text with tones: what is drawn, before anyone knows about colours."""

from __future__ import annotations

import unicodedata
from typing import Literal

from rich.cells import cell_len, set_cell_size

Tone = Literal[
    "plain",
    "dim",
    "strong",
    "accent",
    "good",
    "warm",
    "hot",
    "bar",
    "bar-warm",
    "bar-hot",
    "fill",
    "spark",
    "heading",
    "off",
]
"""What a piece of text means; the theme says which colour that is."""
Span = tuple[str, Tone]
Line = tuple[Span, ...]

DASH = "–"
"""Unknown."""
ELLIPSIS = "…"
_WORTH_CUTTING = 14
"""Cells from which the beginning of a part says more than leaving it out."""
REPLACEMENT = "�"
SEPARATOR = " · "


def plain(text: str, limit: int = 500) -> str:
    """Text from a node without what a terminal could obey: every control or format character is replaced."""
    short = text if len(text) <= limit else text[: limit - 1] + ELLIPSIS
    if short.isprintable():
        return short
    return "".join(REPLACEMENT if unicodedata.category(char)[0] == "C" else char for char in " ".join(short.split()))


def cut(text: str, width: int) -> str:
    """The text in at most `width` cells; an ellipsis says that something is missing."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + ELLIPSIS


def width_of(line: Line) -> int:
    """Cells that the line takes."""
    return sum(cell_len(text) for text, _ in line)


def left(line: Line, width: int) -> Line:
    """The line in exactly `width` cells, aligned left."""
    fitted = cut_line(line, width)
    return (*fitted, (" " * (width - width_of(fitted)), "plain"))


def right(line: Line, width: int) -> Line:
    """The line in exactly `width` cells, aligned right."""
    fitted = cut_line(line, width)
    return ((" " * (width - width_of(fitted)), "plain"), *fitted)


def cut_line(line: Line, width: int) -> Line:
    """The line in at most `width` cells; an ellipsis says that something is missing."""
    if width_of(line) <= width:
        return line
    room = width - 1
    kept: list[Span] = []
    for text, tone in line:
        if cell_len(text) > room:
            kept.append((set_cell_size(text, max(room, 0)).rstrip() + ELLIPSIS if width > 0 else "", tone))
            break
        kept.append((text, tone))
        room -= cell_len(text)
    return tuple(kept)


def joined(parts: tuple[Line, ...], separator: str = SEPARATOR) -> Line:
    """The parts that are not empty, with a quiet separator between them."""
    line: list[Span] = []
    for part in parts:
        if part:
            line += [(separator, "dim"), *part] if line else part
    return tuple(line)


def fitting(parts: tuple[Line, ...], width: int) -> Line:
    """As many of the parts as there is room for; an ellipsis says that some are missing."""
    if width_of(line := joined(parts)) <= width or len(parts) == 1:
        return cut_line(line, width)
    kept = parts
    while len(kept) > 1 and width_of(joined(kept)) > width - 2:
        kept = kept[:-1]
    if width - width_of(joined(kept)) >= _WORTH_CUTTING:
        return cut_line(joined(parts), width)
    return cut_line((*joined(kept), (f" {ELLIPSIS}", "dim")), width)


def filled(line: Line, ratio: float, width: int) -> Line:
    """The line in exactly `width` cells, the first part of which is drawn on a bar."""
    text = text_of(left(line, width))
    full = min(width, max(0, round(ratio * width)))
    done = set_cell_size(text, full)
    return ((done, "fill"), *((text[len(done) :], "plain"),))


def spread(start: Line, end: Line, width: int) -> Line:
    """`start` at the left edge and `end` at the right one; `start` gives way."""
    ending = cut_line(end, width)
    return (*left(start, max(0, width - width_of(ending))), *ending)


def text_of(line: Line) -> str:
    """The characters alone."""
    return "".join(text for text, _ in line)


def merged(line: Line) -> Line:
    """The line in fewer pieces: it looks the same, and takes fewer bytes on the way to the terminal."""
    pieces: list[Span] = []
    for text, tone in line:
        if not text:
            continue
        if pieces and (tone == pieces[-1][1] or (text.isspace() and not {tone, pieces[-1][1]} & _PAINTED)):
            pieces[-1] = (pieces[-1][0] + text, pieces[-1][1])
        else:
            pieces.append((text, tone))
    return tuple(pieces)


_PAINTED: frozenset[Tone] = frozenset({"bar", "bar-warm", "bar-hot", "fill"})
"""Tones of which a space can be seen."""


def difference(old: Line, new: Line) -> tuple[int, int]:
    """Where two lines begin to differ, and how many cells that takes."""
    ahead = 0
    while ahead < min(len(old), len(new)) and old[ahead] == new[ahead]:
        ahead += 1
    behind = 0
    aligned = width_of(old) == width_of(new)  # otherwise even equal ends stand in other cells
    while aligned and behind < min(len(old), len(new)) - ahead and old[-1 - behind] == new[-1 - behind]:
        behind += 1
    start = width_of(new[:ahead])
    width = max(width_of(old), width_of(new))
    return start, width - start - width_of(new[len(new) - behind :])
