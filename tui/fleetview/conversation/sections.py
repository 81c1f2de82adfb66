"""A growing Markdown text in sections of bounded length, so that what is finished is not read again. Pure.

A section ends between two blocks, between two items of a list, or between two lines of a code block, which then goes
on in the next section.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LENGTH = 400
"""Characters after which a section ends before the next block or item of a list."""
LONGEST_CODE = 2000
"""Characters after which a section ends before any line of code, which is then coloured as if it were the first."""
LONGEST_TABLE = 3000
"""The same before a row of a table, whose heading is then repeated."""
_ENOUGH = 12
"""Characters at the start of a line that tell what it is."""
_FENCE = re.compile(r" {0,3}(?P<marks>`{3,}|~{3,})(?P<info>[^`\n]*)$")
_RULE = re.compile(r"\s{0,3}\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_ITEM = re.compile(r"(?:[-*+]|\d{1,9}[.)])\s")


@dataclass(frozen=True)
class Piece:
    """Text that goes to the end of a section."""

    text: str
    begins: bool = False
    """Whether it is the first of a new section."""
    continues: bool = False
    """Whether that section goes on with a code block or a list."""


class Sections:
    """Takes a text as it comes and says which section each part of it belongs to."""

    def __init__(self) -> None:
        self._length = 0
        self._held = ""
        """The start of a line of which it is not known yet whether it begins a section."""
        self._line = ""
        """What has been handed out of the current line."""
        self._after_blank = False
        self._fence: str | None = None
        """The line that opened the code block we are in."""
        self._before = ""
        """The line before this one."""
        self._heading = ""
        """The first two lines of the table we are in."""

    def feed(self, text: str, *, last: bool = False) -> tuple[Piece, ...]:
        """The parts that can be shown now; `last` keeps nothing back."""
        held, start = self._held + text, 0
        pieces: list[Piece] = []
        while start < len(held):
            end = held.find("\n", start)
            line, newline = (held[start:], "") if end < 0 else (held[start:end], "\n")
            if not self._line and self._length >= LENGTH:
                if not (last or newline or len(line) >= _ENOUGH):
                    break
                pieces += self._next_section(line)
            start += len(line) + len(newline)
            pieces.append(Piece(line + newline))
            self._take(line, ended=bool(newline))
        self._held = held[start:]
        return tuple(pieces)

    def _next_section(self, line: str) -> list[Piece]:
        """What ends this section and begins the next one, where `line` may be its first."""
        if self._fence is not None:
            if self._closes(line) or self._length < LONGEST_CODE:
                return []
            marks = _marks(self._fence)
            self._length = 0
            return [Piece(f"{marks}\n"), Piece(f"{self._fence}\n", begins=True, continues=True)]
        if self._heading and "|" in line:
            if self._length < LONGEST_TABLE:
                return []
            self._length = len(self._heading)
            return [Piece(self._heading, begins=True, continues=True)]
        item = _ITEM.match(line) is not None
        block = self._after_blank and line.strip() != "" and not line[0].isspace()
        if not item and not block:
            return []
        self._length = 0
        return [Piece("", begins=True, continues=item and not self._after_blank)]

    def _take(self, part: str, *, ended: bool) -> None:
        """Count what was handed out, and remember what kind of line it was."""
        self._line += part
        self._length += len(part) + ended
        if not ended:
            return
        line, self._line = self._line, ""
        self._after_blank = not line.strip()
        before, self._before = self._before, line
        if self._fence is None:
            if "|" not in line:
                self._heading = ""
            elif not self._heading and "|" in before and _RULE.match(line):
                self._heading = f"{before}\n{line}\n"
            self._fence = line if _FENCE.match(line) else None
        elif self._closes(line):
            self._fence = None

    def _closes(self, line: str) -> bool:
        """Whether the line ends the code block we are in."""
        marks, found = _marks(self._fence or ""), _FENCE.match(line)
        return found is not None and not found["info"].strip() and found["marks"].startswith(marks)


def _marks(fence: str) -> str:
    """The backticks or tildes of a line that opens a code block."""
    found = _FENCE.match(fence)
    return found["marks"] if found else ""
