"""Runners for tests: one that says what it is told to, and a real llama-server."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fleetview_agent.backends.ollama.processes import Runner

BLOB = "/models/blobs/sha256-5af0"


def a_runner(port: int, pid: int | None = None) -> Runner:
    """A runner as the process table tells it."""
    return Runner(
        pid=pid or os.getpid(),
        parent_pid=1,
        created_at=time.time(),
        model=BLOB,
        port=port,
        context=2048,
        parallel=1,
        memory_bytes=None,
        orphaned=False,
    )


def a_slot(slot: int = 0, **told: int) -> dict[str, Any]:
    """A slot in an answer of `/slots`; one with tokens decoded or to be read is busy."""
    if not told:
        return {"id": slot, "is_processing": False}
    decoded = told.pop("decoded", 0)
    busy = bool(told.pop("busy", 1))
    return {"id": slot, "is_processing": busy, **told, "next_token": [{"n_decoded": decoded}]}


@dataclass
class FakeRunner:
    """Answers GET by path: what is to be sent as it is, or JSON."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    """Nothing is answered until it is set."""
    port: int = 0

    def __post_init__(self) -> None:
        self.held.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split()[1].decode()
            self.asked.append(path)
            await self.held.wait()
            answer = self.answers.get(path)
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            status = b"501 Not Implemented" if answer is None else b"200 OK"
            writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(body)) + body)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[FakeRunner]:
        """Listen until left."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            self.held.set()
            server.close()
            await server.wait_closed()
