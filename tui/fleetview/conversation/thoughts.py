"""Thoughts that a model writes into its answer, told apart from it while they come. Pure."""

from __future__ import annotations

import re

_BEGIN = re.compile(r"\s*<(think|thinking)>")
_BEGINNINGS = ("<think>", "<thinking>")


class Thoughts:
    """Takes an answer piece by piece and says which part of each piece is thought.

    Only an answer that begins with the mark has thoughts in it; anywhere else the mark is text like any other.
    """

    def __init__(self) -> None:
        self._held = ""
        """The end of what came, which may be a part of a mark."""
        self._mark: str | None = None
        """What ends the thoughts; None while there are none."""
        self._begun = False
        """Whether it is known if the answer begins with thoughts."""

    def feed(self, piece: str) -> tuple[str, str]:
        """Text of the answer, and thoughts, that are certain now."""
        text = self._held + piece
        self._held = ""
        if not self._begun:
            found = _BEGIN.match(text)
            if found is None and _may_begin(text):
                self._held = text
                return "", ""
            self._begun = True
            if found is not None:
                self._mark = f"</{found[1]}>"
                text = text[found.end() :]
        if self._mark is None:
            return text, ""
        return self._within(text, self._mark)

    def end(self) -> tuple[str, str]:
        """What was held back; nothing more comes."""
        held, self._held = self._held, ""
        return ("", held) if self._mark else (held, "")

    def _within(self, text: str, mark: str) -> tuple[str, str]:
        """Thoughts up to their end, and the text after it."""
        thoughts, found, rest = text.partition(mark)
        if found:
            self._mark = None
            return rest, thoughts
        kept = _overlap(text, mark)
        self._held = text[len(text) - kept :]
        return "", text[: len(text) - kept]


def _may_begin(text: str) -> bool:
    """Whether more text may make it begin with a mark."""
    start = text.lstrip()
    return any(mark.startswith(start) for mark in _BEGINNINGS)


def _overlap(text: str, mark: str) -> int:
    """How many characters at the end may be the beginning of the mark."""
    longest = min(len(text), len(mark) - 1)
    return next((length for length in range(longest, 0, -1) if mark.startswith(text[-length:])), 0)
