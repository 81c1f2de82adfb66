"""A server on loopback that answers as it is told, byte by byte."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parent / "recorded"


def recorded(name: str) -> bytes:
    """What a real server answered."""
    return (RECORDED / name).read_bytes()


@dataclass(frozen=True)
class Reply:
    """One answer."""

    body: bytes = b""
    status: int = 200
    hangs: bool = False
    """Whether it says nothing more after the body, and does not end."""
    breaks: bool = False
    """Whether the connection ends without the end of the answer."""


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        return json.loads(self.body)


@dataclass
class Scripted:
    """The server, and what was asked of it."""

    replies: Mapping[str, Reply]
    address: str = ""
    asked: list[Asked] = field(default_factory=list)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when something was asked."""
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client has gone from an answer that hangs."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read(reader)
            self.asked.append(request)
            self.reached.set()
            reply = self.replies.get(f"{request.method} {request.path}", Reply(b"404 page not found", 404))
            head = f"HTTP/1.1 {reply.status} x\r\nConnection: close\r\n"
            if reply.hangs or reply.breaks:
                chunk = b"%x\r\n%s\r\n" % (len(reply.body), reply.body) if reply.body else b""
                writer.write(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk)
            else:
                writer.write(f"{head}Content-Length: {len(reply.body)}\r\n\r\n".encode() + reply.body)
            await writer.drain()
            if reply.hangs:
                await reader.read()
                self.left.set()
        except asyncio.IncompleteReadError:
            pass  # someone only wanted to know whether anybody listens
        finally:
            writer.close()


@asynccontextmanager
async def scripted(replies: Mapping[str, Reply]) -> AsyncIterator[Scripted]:
    """A server with an answer for each `METHOD /path`."""
    script = Scripted(replies)
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    script.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield script
    finally:
        server.close()
        await server.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Asked:
    """One request with its body."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, path, headers, body)
