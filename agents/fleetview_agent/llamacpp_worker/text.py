"""From the bytes of tokens to text that may be shown: whole characters only, and no part of a stop string."""

from __future__ import annotations

import codecs
from collections.abc import Iterable


class TextStream:
    """Takes an answer piece by piece; the work for a piece does not grow with the answer."""

    def __init__(self, stops: Iterable[str]) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stops = tuple(filter(None, stops))
        self._held = ""
        """Could be the beginning of a stop string."""
        self.stopped = False
        """A stop string came; what follows it is no part of the answer."""

    def feed(self, piece: bytes) -> str:
        """The text that is certain after these further bytes."""
        text = self._decoder.decode(piece)
        if not self._stops or self.stopped:
            return "" if self.stopped else text
        text = self._held + text
        ends = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        if ends:
            self.stopped = True
            self._held = ""
            return text[: min(ends)]
        certain = len(text) - max(_overlap(text, stop) for stop in self._stops)
        self._held = text[certain:]
        return text[:certain]

    def finish(self) -> str:
        """What was held back, now that nothing follows; half a character is dropped."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that is a beginning of `stop`."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
