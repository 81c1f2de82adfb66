"""Lines of text with tones: what is drawn, before anyone knows about colours."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from rich.cells import cell_len, get_character_cell_size, set_cell_size, split_text

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
_SHORTEST = 12
"""Cells in which a beginning and an end still say something."""
REPLACEMENT = "�"
SEPARATOR = " · "


_MARKS = 2
"""Marks upon one letter, as the languages that need them have; more would grow over the lines around it."""
_VARIANTS = re.compile("[\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""They choose another picture of the character before, of which terminals disagree how wide it is."""
_TURNERS = re.compile("[\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that turn the writing around, and halves of characters."""
_PICTURES = 0x2400
"""Where Unicode keeps the pictures of the control characters."""
_VISIBLE = {
    **{code: chr(_PICTURES + code) for code in range(32)},
    **dict.fromkeys(range(0x7F, 0xA0), REPLACEMENT),
    ord("\n"): "\n",
    ord("\t"): "\t",
    ord("\r"): None,
    0x2028: "\n",
    0x2029: "\n",
}


def plain(text: str, limit: int = 500) -> str:
    """One line of text from elsewhere, of which every terminal knows the width, and in which it finds no command."""
    short = text if len(text) <= limit else text[: limit - 1] + ELLIPSIS
    if not short.isprintable():
        short = " ".join(short.split())
    elif short.isascii():
        return short
    return _measured(short)


def _measured(text: str) -> str:
    """The text with what cannot be told in cells, or would leave its own cells, replaced."""
    kept: list[str] = []
    marks = _MARKS  # the first mark would stand upon whatever is drawn before this text
    for char in _VARIANTS.sub("", unicodedata.normalize("NFC", text)):
        kind = unicodedata.category(char)
        if kind in {"Mn", "Me"}:
            marks += 1
            if marks <= _MARKS:
                kept.append(char)
            elif kept[-1:] != [REPLACEMENT]:
                kept.append(REPLACEMENT)
            continue
        marks = 0
        kept.append(REPLACEMENT if kind[0] == "C" or not get_character_cell_size(char) else char)
    return "".join(kept)


def visible(text: str) -> str:
    """Text of several lines in which nothing can move the cursor, change a colour or turn the writing around."""
    return _TURNERS.sub(REPLACEMENT, text.translate(_VISIBLE))


def cut(text: str, width: int) -> str:
    """The text in at most `width` cells; an ellipsis says that something is missing."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + ELLIPSIS


def cut_middle(text: str, width: int) -> str:
    """The text in at most `width` cells, with its end, by which names of one family differ."""
    if cell_len(text) <= width or width < _SHORTEST:
        return cut(text, width)
    tail = width // 3
    end = set_cell_size(text[::-1], tail)[::-1]
    return f"{set_cell_size(text, width - tail - 1).rstrip()}{ELLIPSIS}{end.lstrip()}"


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
    done, rest = split_text(text_of(left(line, width)), min(width, max(0, round(ratio * width))))
    return ((done, "fill"), (rest, "plain"))


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
