"""A connection that tests can cut: a socket whose clients talk to an agent behind it, as long as it is open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path


class Relay:
    """Hands bytes on in both directions."""

    def __init__(self, socket: Path, target: Path) -> None:
        self.socket = socket
        self.target = target
        self._server: asyncio.Server | None = None
        self._pipes: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Let clients through."""
        self._server = await asyncio.start_unix_server(self._accept, self.socket)

    async def cut(self) -> None:
        """Break every connection, and let nobody through."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self.socket.unlink()
        pipes = tuple(self._pipes)
        for pipe in pipes:
            pipe.cancel()
        await asyncio.gather(*pipes, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pipe = asyncio.ensure_future(self._serve(reader, writer))
        self._pipes.add(pipe)
        pipe.add_done_callback(self._pipes.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(self.target)
        with suppress(OSError):
            try:
                await asyncio.gather(_pump(reader, back), _pump(there, writer))
            finally:
                back.transport.abort()
                writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand on what comes, until it ends."""
    while chunk := await reader.read(1 << 16):
        writer.write(chunk)
        await writer.drain()
    writer.write_eof()


@asynccontextmanager
async def a_relay(socket: Path, target: Path) -> AsyncIterator[Relay]:
    """An open one."""
    relay = Relay(socket, target)
    await relay.open()
    try:
        yield relay
    finally:
        await relay.cut()
