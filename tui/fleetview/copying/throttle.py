"""A bound on how fast bytes go, for all that share it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterable

BURST_SECONDS = 0.25
"""What is sent at once, at most."""
LEAST_BYTES = 1024


class Throttle:
    """Lets so many bytes pass in a second; None: as many as can."""

    def __init__(self, bytes_per_second: float | None) -> None:
        self._rate = bytes_per_second
        self._free_at = 0.0

    async def through(self, pieces: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
        """The same bytes, no faster than they may go."""
        async for piece in pieces:
            if self._rate is None:
                yield piece
                continue
            most = max(LEAST_BYTES, int(self._rate * BURST_SECONDS))
            for start in range(0, len(piece), most):
                part = piece[start : start + most]
                await self._turn(len(part) / self._rate)
                yield part

    async def _turn(self, seconds: float) -> None:
        """Wait until everything that was let through before has had its time."""
        now = time.monotonic()
        self._free_at = max(self._free_at, now) + seconds
        await asyncio.sleep(self._free_at - seconds - now)
