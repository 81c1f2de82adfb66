"""Lines that are longer than there is room, told to their end."""

from __future__ import annotations

import re

from rich.cells import cell_len, chop_cells

from fleetview.present.text import ELLIPSIS, Line, Span, cut, joined, text_of, width_of

_FIGURE = r"\d[\d.]* (?:s|ms|min|h|d|W|°C|tok/s|tokens?|J/token)(?![\w/])\S*"
"""A number with its unit, which no line's end comes between."""
_WORD = re.compile(rf"(?:{_FIGURE}|\S+)\s*|\s+")
"""A word, with what separates it from the next one."""


def wrapped(line: Line, width: int, indent: int = 2) -> tuple[Line, ...]:
    """The whole line in as many lines as it takes, further ones indented; words longer than a line are broken."""
    room = max(1, width - indent)
    lines: list[list[Span]] = [[]]
    used = 0
    for text, tone in line:
        for word in _WORD.findall(text):
            for piece in chop_cells(word, room) if cell_len(word.rstrip()) > room else (word,):
                if used + cell_len(piece.rstrip()) > width:
                    lines.append([(" " * indent, "plain")])
                    used = indent
                lines[-1].append((piece, tone))
                used += cell_len(piece)
    return tuple((*one[:-1], (one[-1][0].rstrip(), one[-1][1])) for one in lines if one)


def within(text: str, width: int, rows: int) -> str:
    """The text in so many lines at most; an ellipsis says that it goes on."""
    lines = [text_of(line) for line in wrapped(((text, "plain"),), width, indent=0)]
    if len(lines) <= rows:
        return text
    return "\n".join((*lines[: rows - 1], cut(f"{lines[rows - 1]} {ELLIPSIS}", width)))


def flowing(parts: tuple[Line, ...], width: int, indent: int = 2) -> tuple[Line, ...]:
    """The parts, separated, in as many lines as they take; a part that fits in a line is not broken."""
    lines: list[Line] = []
    for part in parts:
        if lines and width_of(longer := joined((lines[-1], part))) <= width:
            lines[-1] = longer
        else:
            margin = indent if lines else 0
            begun = wrapped(part, width - margin, indent - margin)
            lines += [((" " * margin, "plain"), *line) if margin else line for line in begun]
    return tuple(lines)
