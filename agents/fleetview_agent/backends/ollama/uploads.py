"""A file on its way into Ollama's own store."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

from fleetview_agent.backends.ollama.http import Http
from fleetview_agent.backends.ollama.refusals import refusal
from fleetview_agent.errors import Unusable
from fleetview_agent.speed import Speed, transfer
from fleetview_agent.wire import Transfer

PIECE_BYTES = 4 << 20
TELL_SECONDS = 0.25
"""How often it is told how far it is."""


class Upload:
    """One file: first read through for its digest, then sent, unless the store has it already."""

    def __init__(self, http: Http, file: Path) -> None:
        self._http = http
        self._file = file
        self._sent = 0
        self.size_bytes = 0
        self.digest = ""
        """As Ollama writes it, once the file has been read through."""

    async def run(self) -> AsyncGenerator[Transfer, None]:
        """How far it is, until it is there. Raises Unusable for a file that cannot be read."""
        async with AsyncExitStack() as stack:
            try:
                opened = await asyncio.to_thread(self._file.open, "rb")
                stack.callback(opened.close)
                async for step in self._hash(opened):
                    yield step
                path = f"/api/blobs/{self.digest}"
                status, _ = await self._http.request("HEAD", path, timeout=60.0)
                if status == HTTPStatus.OK:
                    return
                async for step in self._send(opened, path):
                    yield step
            except OSError as problem:
                raise Unusable(f"{self._file} cannot be read: {problem.strerror or problem}") from problem

    async def _hash(self, opened: BinaryIO) -> AsyncGenerator[Transfer, None]:
        """Read it through."""
        digest, speed, done, told = hashlib.sha256(), Speed(), 0, 0.0
        self.size_bytes = self._file.stat().st_size
        while piece := await asyncio.to_thread(opened.read, PIECE_BYTES):
            await asyncio.to_thread(digest.update, piece)
            done += len(piece)
            rate = speed.measure(done)
            if time.monotonic() - told >= TELL_SECONDS:
                told = time.monotonic()
                yield transfer(done, self.size_bytes, rate, "hashing")
        self.size_bytes = done
        self.digest = f"sha256:{digest.hexdigest()}"

    async def _send(self, opened: BinaryIO, path: str) -> AsyncGenerator[Transfer, None]:
        """Send it, and tell how far it is meanwhile; closing this breaks it off."""
        opened.seek(0)
        speed = Speed()
        posting = asyncio.create_task(
            self._http.request("POST", path, content=self._pieces(opened), length=self.size_bytes)
        )
        try:
            while not posting.done():
                yield transfer(self._sent, self.size_bytes, speed.measure(self._sent), "uploading")
                await asyncio.wait((posting,), timeout=TELL_SECONDS)
        finally:
            posting.cancel()
            await asyncio.gather(posting, return_exceptions=True)
        status, answer = posting.result()
        if status >= HTTPStatus.MULTIPLE_CHOICES:
            raise refusal(status, answer, path, self._http.address)

    async def _pieces(self, opened: BinaryIO) -> AsyncIterator[bytes]:
        """The file, as fast as it is taken."""
        while piece := await asyncio.to_thread(opened.read, PIECE_BYTES):
            yield piece
            self._sent += len(piece)
