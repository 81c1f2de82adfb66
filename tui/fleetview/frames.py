"""When what has changed is shown: at once, and what comes right behind it together."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

FRAME_SECONDS = 0.04
"""Changes that come closer together than this are shown together."""

Later = Callable[[float, Callable[[], None]], object]
"""Calls something after so many seconds."""


class Frames:
    """Calls `show` for changes, however many there are, no more often than once a frame."""

    def __init__(self, show: Callable[[], None], later: Later, clock: Callable[[], float] = time.monotonic) -> None:
        self._show = show
        self._later = later
        self._clock = clock
        self._shown_at = -math.inf
        self._due = False

    def changed(self) -> None:
        """Show it now, or with what else comes within the frame."""
        if self._due:
            return
        wait = self._shown_at + FRAME_SECONDS - self._clock()
        if wait <= 0:
            self._show_now()
        else:
            self._due = True
            self._later(wait, self._show_now)

    def _show_now(self) -> None:
        """Show all that has changed until now."""
        self._due = False
        self._shown_at = self._clock()
        self._show()
