"""Agents for tests: one that answers what a script says, and a real one with simulated parts, both on a socket."""

from __future__ import annotations

import asyncio
import socket as sockets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import uvicorn

from fleetview.config import NodeConfig
from fleetview.remote.client import AgentClient
from fleetview.remote.connect import connect
from fleetview_agent.agent import Agent
from fleetview_agent.serving.api import build_app
from tests.agents import a_running_agent

LIMIT_SECONDS = 10.0
HOLD = b""
"""In place of a part: say nothing more, and keep the connection."""


def answer(body: bytes, status: str = "200 OK") -> bytes:
    """A whole HTTP answer."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def streamed(*lines: bytes) -> tuple[bytes, ...]:
    """An HTTP answer that ends when the connection does, in parts."""
    return (b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n", *(line + b"\n" for line in lines))


class Script:
    """What the scripted agent was asked, and whether a client has left it in the midst of an answer."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.left = asyncio.Event()

    async def serve(self, parts: tuple[bytes, ...], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close."""
        try:
            await self._answer(parts, reader, writer)
        finally:
            writer.close()

    async def _answer(
        self, parts: tuple[bytes, ...], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"), 0)
        self.requests.append(head + await reader.readexactly(length))
        for part in parts:
            if part == HOLD:
                await reader.read()
                self.left.set()
            writer.write(part)


@asynccontextmanager
async def a_scripted_agent(socket: Path, *parts: bytes) -> AsyncIterator[Script]:
    """Answer every request with the same parts."""
    script = Script()
    serving: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(script.serve(parts, reader, writer))
        serving.add(task)

    socket.unlink(missing_ok=True)  # noqa: ASYNC240 - a test may wait for it
    server = await asyncio.start_unix_server(accept, socket)
    try:
        yield script
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        await server.wait_closed()


@asynccontextmanager
async def a_real_agent(socket: Path, load_seconds: float = 0.0) -> AsyncIterator[Agent]:
    """An agent with simulated parts, serving in this process."""
    with _listener(socket) as listener:
        async with a_running_agent(socket.parent, load_seconds=load_seconds) as agent:
            server = _Server(
                uvicorn.Config(build_app(agent), log_config=None, timeout_graceful_shutdown=1, lifespan="off")
            )
            serving = asyncio.create_task(server.serve([listener]))
            try:
                yield agent
            finally:
                server.should_exit = True
                await serving


class _Server(uvicorn.Server):
    """uvicorn that leaves signals to the tests."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def _listener(socket: Path) -> Iterator[sockets.socket]:
    """A bound socket, gone afterwards."""
    with sockets.socket(sockets.AF_UNIX) as listener:
        listener.bind(str(socket))
        listener.listen()  # before the server starts, so that whoever connects meanwhile waits for it
        try:
            yield listener
        finally:
            socket.unlink(missing_ok=True)


def a_local_node(socket: Path, name: str = "here") -> NodeConfig:
    """A node that is only connected to."""
    return NodeConfig(name=name, local=True, socket=socket)


@asynccontextmanager
async def a_client(socket: Path) -> AsyncIterator[AgentClient]:
    """A client of whatever serves."""
    async with connect(a_local_node(socket)) as client:
        yield client


async def until(held: Callable[[], bool], what: str) -> None:
    """Return when it holds."""
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            while not held():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"waited {LIMIT_SECONDS:g} s for {what}") from None
