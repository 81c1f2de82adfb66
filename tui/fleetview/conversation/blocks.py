"""The blocks of code in a text, and a prompt whose files are folded away. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fleetview.present.numbers import count

_FENCE = re.compile(r" {0,3}(?P<marks>`{3,}|~{3,})\s*(?P<info>[^`\n]*)$")


@dataclass(frozen=True)
class Block:
    """A block of code."""

    language: str
    text: str

    @property
    def summary(self) -> str:
        """How a menu names it: what it is written in, how long it is, how it begins."""
        lines = self.text.splitlines()
        first = next((line.strip() for line in lines if line.strip()), "")
        return f"{self.language or 'code'}, {count(len(lines), 'line')}: {first}"


def code_blocks(text: str) -> tuple[Block, ...]:
    """The fenced blocks of a text in their order; one that was not closed goes to its end."""
    blocks: list[Block] = []
    marks: str | None = None
    language = ""
    lines: list[str] = []
    for line in text.splitlines():
        found = _FENCE.match(line)
        if marks is None:
            if found is not None:
                marks, language, lines = found["marks"], found["info"].strip().split(" ")[0], []
        elif found is not None and not found["info"].strip() and found["marks"].startswith(marks):
            blocks.append(Block(language, "\n".join(lines)))
            marks = None
        else:
            lines.append(line)
    if marks is not None and lines:
        blocks.append(Block(language, "\n".join(lines)))
    return tuple(blocks)
