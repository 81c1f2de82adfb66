"""Channels over a unix socket of this machine."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fleetview.remote.channels import Channel


class _Socket:
    """A connection to the socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @property
    def ended(self) -> bool:
        """Whether nothing can come any more."""
        return self._reader.at_eof() or self._writer.is_closing()

    async def read(self, most: int) -> bytes:
        """What has come; nothing at the end. Raises OSError."""
        return await self._reader.read(most)

    async def write(self, data: bytes) -> None:
        """Send everything. Raises OSError."""
        self._writer.write(data)
        await self._writer.drain()

    def close(self) -> None:
        """End it, in both directions."""
        self._writer.close()


async def open_socket(path: Path) -> Channel:
    """A channel to whoever serves on the socket. Raises OSError."""
    return _Socket(*await asyncio.open_unix_connection(path))
