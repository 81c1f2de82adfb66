"""How long to wait before the next try."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 30.0


def delays(spread: Callable[[float, float], float] = random.uniform) -> Iterator[float]:
    """Ever longer waits, each somewhere in the upper half of its length, so that nodes do not come back all at once."""
    longest = FIRST_SECONDS
    while True:
        yield spread(longest / 2, longest)
        longest = min(longest * 2, LONGEST_SECONDS)
