"""What stands between an agent and its Ollama, and lets one request go wrong on its way."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["unload", "load", "warm", "chat", "other"]
LONGEST_BYTES = 1 << 20
_LENGTH = re.compile(rb"(?im)^content-length: *(\d+)\r$")
_CONNECTION = re.compile(rb"(?im)^connection:.*\r\n")
_LINE_ENDS = b"}\n"
_REFUSAL = b'{"error":"sabotage"}'
REFUSED = b"HTTP/1.1 500 No\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (
    len(_REFUSAL),
    _REFUSAL,
)


@dataclass(frozen=True)
class Asked:
    """A request, read to its end."""

    head: bytes
    body: bytes

    @property
    def kind(self) -> Kind:
        """What the agent is about."""
        path = self.head.split(b" ", 2)[1]
        if path == b"/api/chat":
            return "chat"
        if path != b"/api/generate":
            return "other"
        said: dict[str, Any] = json.loads(self.body)
        if said.get("prompt"):
            return "warm"
        return "unload" if said.get("keep_alive") == 0 else "load"


class Exchange:
    """One request on its way to the server, and the answer on its way back."""

    def __init__(self, asked: Asked, client: asyncio.StreamWriter, server: str) -> None:
        self._asked = asked
        self._client = client
        self._server = server

    async def say(self, answer: bytes) -> None:
        """Answer in the place of the server."""
        self._client.write(answer)
        await self._client.drain()

    async def pass_on(self, *, back: bool = True) -> None:
        """Ask the server, and pass on what it answers, or keep it back."""
        async with aclosing(self._answer()) as pieces:
            async for piece in pieces:
                if back:
                    await self.say(piece)

    async def pass_on_haltingly(self, until: asyncio.Event) -> None:
        """Ask the server, and pass on what follows the first line of its answer once `until` is set."""
        async with aclosing(self._answer()) as pieces:
            async for piece in pieces:
                line, end, rest = piece.partition(_LINE_ENDS)
                await self.say(line + end)
                if end:
                    await until.wait()
                await self.say(rest)

    async def _answer(self) -> AsyncGenerator[bytes, None]:
        """What the server answers, as it comes."""
        host, _, port = self._server.rpartition(":")
        answer, asking = await asyncio.open_connection(host, int(port))
        try:
            head = _CONNECTION.sub(b"", self._asked.head).replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
            asking.write(head + self._asked.body)
            while piece := await answer.read(1 << 16):
                yield piece
        finally:
            asking.close()


Strike = Callable[[Exchange], Awaitable[None]]


class OllamaRelay:
    """Passes every request on, but for the one that is to go wrong."""

    def __init__(self, server: str) -> None:
        self.address = ""
        self.struck: list[Kind] = []
        """What has gone wrong since the last order, in this sequence."""
        self._server = server
        self._orders: dict[Kind, Strike] = {}
        self._serving: set[asyncio.Task[None]] = set()

    def strike(self, kind: Kind, how: Strike) -> None:
        """Let the next request of that kind go wrong, and no other."""
        self._orders = {kind: how}
        self.struck = []

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The agent has connected."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def close(self) -> None:
        """End every connection."""
        serving = tuple(self._serving)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """See one request through."""
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                asked = Asked(head, await reader.readexactly(int(length[1])) if length else b"")
                exchange = Exchange(asked, writer, self._server)
                passing = asyncio.ensure_future(self._see_through(asked.kind, exchange))
                leaving = asyncio.ensure_future(reader.read(1))  # the agent gives up
                try:
                    await asyncio.wait({passing, leaving}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for task in (passing, leaving):
                        task.cancel()
                    await asyncio.gather(passing, leaving, return_exceptions=True)
        finally:
            writer.close()

    async def _see_through(self, kind: Kind, exchange: Exchange) -> None:
        if (how := self._orders.pop(kind, None)) is None:
            await exchange.pass_on()
        else:
            self.struck.append(kind)
            await how(exchange)


@asynccontextmanager
async def an_ollama_relay(server: str) -> AsyncIterator[OllamaRelay]:
    """Stand in front of the server, at an address of its own."""
    relay = OllamaRelay(server)
    listening = await asyncio.start_server(relay.accept, "127.0.0.1", 0, limit=LONGEST_BYTES)
    relay.address = f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield relay
    finally:
        listening.close()
        await relay.close()
        await listening.wait_closed()
