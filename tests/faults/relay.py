"""What stands in front of an agent and passes on what it says, or half of it, or something else altogether."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

LONGEST_BYTES = 1 << 24
NDJSON = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\nconnection: close\r\n\r\n"
HTML = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n"

Spoil = Callable[[int, bytes], bytes | None]
"""The number of an event in its stream, and its line, become what is said instead; None: half of it, and the end."""


class Relay:
    """One unix socket in front of another."""

    def __init__(self, agent: Path) -> None:
        self.instead: bytes | None = None
        """What everybody is told who asks, whatever they ask; None: what the agent says."""
        self.endless: bytes | None = None
        """What is said after that, again and again."""
        self.spoil: Spoil = lambda _, line: line
        self._agent = agent
        self._serving: set[asyncio.Task[None]] = set()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Somebody has come."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def drop(self) -> None:
        """End every connection; new ones are welcome."""
        serving = tuple(self._serving)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                request = await reader.readuntil(b"\r\n\r\n")
                if self.instead is None:
                    await self._pass_on(request, writer)
                else:
                    await self._say(writer, self.instead)
                    while self.endless:
                        await self._say(writer, self.endless)
        finally:
            writer.close()

    async def _pass_on(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        """A stream of events, each a chunk of its own, as the agent has it."""
        events, asking = await asyncio.open_unix_connection(self._agent, limit=LONGEST_BYTES)
        try:
            asking.write(request)
            await self._say(writer, await events.readuntil(b"\r\n\r\n"))
            number = 0
            async for line in events:
                if not line.startswith(b"{"):
                    continue  # where a chunk begins or ends
                number += 1
                told = self.spoil(number, line)
                if told is None:
                    await self._say(writer, b"%x\r\n" % len(line) + line[: len(line) // 2])
                    return
                await self._say(writer, b"%x\r\n" % len(told) + told + b"\r\n")
        finally:
            asking.close()

    async def _say(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        writer.write(data)
        await writer.drain()


@asynccontextmanager
async def a_relay(socket: Path, agent: Path) -> AsyncIterator[Relay]:
    """Serve at `socket` in front of the agent."""
    relay = Relay(agent)
    server = await asyncio.start_unix_server(relay.accept, socket)
    try:
        yield relay
    finally:
        server.close()
        await relay.drop()
        await server.wait_closed()
