"""The sha256 of a file, read in a thread and piece by piece, so that it can be told how far it is, and broken off."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import BinaryIO

PIECE_BYTES = 4 << 20


class Sum:
    """One file, whose sum is known once it has been read."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._sum = hashlib.sha256()

    @property
    def hexdigest(self) -> str:
        """Of what has been read."""
        return self._sum.hexdigest()

    async def read(self) -> AsyncGenerator[int, None]:
        """How many bytes have been read, after each piece. Raises OSError."""
        opened = await asyncio.to_thread(self._file.open, "rb")
        with opened:
            done = 0
            while count := await asyncio.to_thread(self._add, opened):
                done += count
                yield done

    def _add(self, opened: BinaryIO) -> int:
        """Read one piece; how long it was."""
        piece = opened.read(PIECE_BYTES)
        self._sum.update(piece)
        return len(piece)
