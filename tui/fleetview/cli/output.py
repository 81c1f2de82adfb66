"""What is written where: results to standard output, everything else to standard error."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from itertools import accumulate

from fleetview.present.text import Line, left, plain, right, text_of, visible, width_of
from fleetview.present.wrapping import wrapped

CLEAR_LINE = "\r\x1b[K"
GAP = "  "
_WRAPPED = 30
"""Cells from which a last column can be wrapped."""
_UNSEEN = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""What JSON lets stand as it is, and a terminal may obey, or not show."""


def put(text: str) -> None:
    """A result, for people."""
    sys.stdout.write(f"{visible(text)}\n")
    sys.stdout.flush()


def put_json(value: object) -> None:
    """A result, for programs: one JSON value on one line. What JSON cannot say of a number is null."""
    from pydantic_core import to_json  # the dashboard, which prints no JSON, does not wait for it

    line = to_json(value, inf_nan_mode="null").decode()
    put(_UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", line))


def say(sentence: str) -> None:
    """Something that is no result; names that came from a node cannot move the cursor."""
    sys.stderr.write(f"fleetview: {plain(sentence, 2000)}\n")
    sys.stderr.flush()


def table(rows: Sequence[Sequence[str]], numbers: frozenset[int] = frozenset(), width: int | None = None) -> str:
    """The rows with their cells below each other; columns in `numbers` are aligned right.

    Where that is wider than `width`, the last column is wrapped; without room for that, further columns stand in lines
    below.
    """
    cells: list[list[Line]] = [[((plain(cell), "plain"),) for cell in row] for row in rows]
    widths = [max(map(width_of, column)) for column in zip(*cells, strict=True)]
    aligned = [
        [
            text_of((right if place in numbers else left)(cell, widths[place])) + (GAP if place < len(row) - 1 else "")
            for place, cell in enumerate(row)
        ]
        for row in cells
    ]
    ends = list(accumulate(len(GAP) + cells_wide for cells_wide in widths))
    if width is None or ends[-1] - len(GAP) <= width:
        return "\n".join("".join(row).rstrip() for row in aligned)
    indent = ends[-2] if len(ends) > 1 else 0
    if width - indent >= _WRAPPED:
        return "\n".join(line for row in aligned for line in _beside(row, indent, width))
    first = max(1, sum(end - len(GAP) <= width for end in ends))
    return "\n".join(line for row in aligned for line in _below(row, first, width))


def _beside(row: Sequence[str], indent: int, width: int) -> Iterator[str]:
    """The last column wrapped where it begins."""
    *before, last = row
    first, *further = _in_lines(last, width - indent)
    yield f"{''.join(before)}{first}".rstrip()
    yield from (f"{' ' * indent}{line}" for line in further)


def _below(row: Sequence[str], first: int, width: int) -> Iterator[str]:
    """The columns from `first` on in lines below the others."""
    yield "".join(row[:first]).rstrip()
    yield from (f"{GAP}{line}" for line in _in_lines("".join(row[first:]), width - len(GAP)) if line)


def _in_lines(text: str, width: int) -> list[str]:
    """Text in as many lines as it takes, one at least."""
    return [text_of(line).rstrip() for line in wrapped(((text.rstrip(), "plain"),), width, 0)] or [""]


def screen_width() -> int | None:
    """Cells of a line where somebody looks; None where it goes elsewhere, and lines may be as long as they are."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def quote(line: str) -> None:
    """A line of somebody else's, such as an engine's log."""
    sys.stderr.write(f"  {plain(line)}\n")


class Progress:
    """One line on standard error that is written anew; where nobody watches, a line for each step."""

    def __init__(self) -> None:
        self._watched = sys.stderr.isatty()
        self._step = ""

    def show(self, step: str, detail: str = "") -> None:
        """Tell how far it has come; `detail` is for watchers alone."""
        if self._watched:
            sys.stderr.write(f"{CLEAR_LINE}{plain(' '.join(filter(None, (step, detail))))}")
        elif step != self._step:
            sys.stderr.write(f"{plain(step)}\n")
        self._step = step
        sys.stderr.flush()

    def clear(self) -> None:
        """Leave the line empty for what comes now."""
        if self._watched and self._step:
            sys.stderr.write(CLEAR_LINE)
            sys.stderr.flush()
