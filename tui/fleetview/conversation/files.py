"""Files in a prompt: a chip while it is typed and shown, the whole text where a model reads it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fleetview.present.numbers import count

_BLOCK = re.compile(
    r"^(?P<name>[^\n`]+):\n\n(?P<fence>`{3,})[^\n`]*\n(?P<text>.*?)\n?(?P=fence)$", re.MULTILINE | re.DOTALL
)
_MENTION = re.compile(r"(?<!\S)@(?P<path>\"[^\"]+\"|\S+)")


def chip(name: str, lines: int) -> str:
    """What stands for a file."""
    return f"[file {name} {count(lines, 'line')}]"


def packed(prompt: str) -> tuple[str, Mapping[str, str]]:
    """A prompt with chips in place of its files, and what each of them stands for."""
    blocks: dict[str, str] = {}

    def pack(found: re.Match[str]) -> str:
        text = chip(found["name"], len(found["text"].splitlines()))
        blocks[text] = found[0]
        return text

    return _BLOCK.sub(pack, prompt), blocks


def unpacked(text: str, blocks: Mapping[str, str]) -> str:
    """The prompt with the files that its chips stand for, each in lines of its own."""
    for short, block in blocks.items():
        before, found, after = text.partition(short)
        if found:
            start = f"{before.rstrip()}\n\n" if before.strip() else ""
            end = f"\n\n{after.lstrip()}" if after.strip() else ""
            text = f"{start}{block}{end}"
    return text


def mentions(text: str) -> tuple[tuple[str, str], ...]:
    """Words that begin with `@`, and the path that each of them may be."""
    return tuple((found[0], found["path"].strip('"')) for found in _MENTION.finditer(text))
