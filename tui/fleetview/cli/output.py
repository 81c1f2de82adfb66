"""What is written where: results to standard output, everything else to standard error."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

from pydantic_core import to_json

from fleetview.present.text import Line, left, plain, right, text_of, visible, width_of

CLEAR_LINE = "\r\x1b[K"
GAP = "  "
_UNSEEN = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""What JSON lets stand as it is, and a terminal may obey, or not show."""


def put(text: str) -> None:
    """A result, for people."""
    sys.stdout.write(f"{visible(text)}\n")
    sys.stdout.flush()


def put_json(value: object) -> None:
    """A result, for programs: one JSON value on one line. What JSON cannot say of a number is null."""
    line = to_json(value, inf_nan_mode="null").decode()
    put(_UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", line))


def say(sentence: str) -> None:
    """Something that is no result; names that came from a node cannot move the cursor."""
    sys.stderr.write(f"fleetview: {plain(sentence, 2000)}\n")
    sys.stderr.flush()


def table(rows: Sequence[Sequence[str]], numbers: frozenset[int] = frozenset()) -> str:
    """The rows with their cells below each other; columns in `numbers` are aligned right."""
    cells: list[list[Line]] = [[((plain(cell), "plain"),) for cell in row] for row in rows]
    widths = [max(map(width_of, column)) for column in zip(*cells, strict=True)]
    lines = (
        GAP.join(
            text_of((right if place in numbers else left)(cell, width))
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    )
    return "\n".join(line.rstrip() for line in lines)


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
