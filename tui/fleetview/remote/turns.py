"""Who has something to work through waits for a turn, so that keys are heard between any two."""

from __future__ import annotations

import asyncio
from collections import deque

AT_ONCE = 4
"""Who has a turn in one round of the event loop: together about a millisecond."""


class Turns:
    """Lets a few at a time go on, in their order; where hundreds of nodes speak in one instant, the others wait."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._left = AT_ONCE
        """Turns that are left in this round."""

    async def mine(self) -> None:
        """Return when it is the caller's turn."""
        loop = asyncio.get_running_loop()
        if self._left == AT_ONCE:
            loop.call_soon(self._next_round)
        if self._left:
            self._left -= 1
            return
        turn = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _next_round(self) -> None:
        """Everybody else has been heard: let the next few go on."""
        self._left = AT_ONCE
        while self._left and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # whoever waited was cancelled
                turn.set_result(None)
                self._left -= 1
        if self._left < AT_ONCE:
            asyncio.get_running_loop().call_soon(self._next_round)
