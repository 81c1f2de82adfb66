"""Files of models on their way to this node: each grows as `SHA256.part` in a folder of the agent's own."""

from __future__ import annotations

import asyncio
import errno
import math
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from fleetview_agent.copying.sums import Sum
from fleetview_agent.errors import AgentError, BadRequest, Conflict, DiskFull
from fleetview_agent.paths import private_folder
from fleetview_agent.speed import Speed, transfer
from fleetview_agent.wire import BlobState, ModelPart, Transfer

KEPT_SECONDS = 7 * 86_400
"""How long a file that did not come to its end waits for the rest."""
WRITE_BYTES, WRITE_SECONDS = 1 << 20, 0.5
"""Written at once, and how long what has come is held back for that."""
SILENT_SECONDS = 5.0
"""Whoever sends a file and has been silent for so long gives way to somebody else."""


@dataclass(frozen=True)
class Span:
    """Which bytes of a file are sent, the last one included."""

    first: int
    last: int
    total: int


class Arrival:
    """The files that one operation waits for, and how far they have come."""

    def __init__(self, parts: tuple[ModelPart, ...], came: Callable[[ModelPart], int]) -> None:
        self.parts = {part.sha256: part for part in parts}
        self._came = came
        self._total_bytes = sum(part.size_bytes for part in parts)
        self._before_bytes = self._done_bytes()
        self._speed = Speed()
        self._news = asyncio.Event()
        self._problem: AgentError | None = None

    @property
    def is_complete(self) -> bool:
        """Whether every byte is there."""
        return self._done_bytes() == self._total_bytes

    def transfer(self) -> Transfer:
        """How far it is; what an earlier copy has brought is no speed."""
        done = self._done_bytes()
        return transfer(done, self._total_bytes, self._speed.measure(done - self._before_bytes), None)

    async def news(self) -> None:
        """Return when more has come. Raises what keeps the rest from coming."""
        await self._news.wait()
        self._news.clear()
        if self._problem is not None:
            raise self._problem

    def tell(self, problem: AgentError | None = None) -> None:
        """More has come, or nothing can."""
        self._problem = problem or self._problem
        self._news.set()

    def _done_bytes(self) -> int:
        return sum(map(self._came, self.parts.values()))


@dataclass(eq=False)
class _Writer:
    """Somebody who sends a file."""

    heard_at: float
    """Never too long ago while its bytes go to the disk: somebody else's would come between them."""


class Incoming:
    """Takes in the files that operations in hand wait for, and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._arrivals: dict[str, Arrival] = {}
        """By the sha256 of each of their files."""
        self._writers: dict[str, _Writer] = {}

    def clean(self) -> None:
        """Remove files for which nobody will come back."""
        with suppress(OSError):
            for file in self.folder.glob("*.part"):
                if file.stem not in self._arrivals and time.time() - file.stat().st_mtime > KEPT_SECONDS:
                    file.unlink()

    def file(self, part: ModelPart) -> Path:
        """Where a file grows."""
        return self._file(part.sha256)

    def came(self, part: ModelPart) -> int:
        """How many of its bytes are there."""
        return self._size(part.sha256) or 0

    @contextmanager
    def expecting(self, parts: tuple[ModelPart, ...]) -> Iterator[Arrival]:
        """While held, these files are taken in. Raises DiskFull, AgentError."""
        self.clean()
        try:
            private_folder(self.folder)
            for part in parts:
                if self.came(part) > part.size_bytes:
                    self.file(part).unlink()
                _append(self.file(part), b"")
        except OSError as problem:
            raise _cannot_write(problem) from problem
        arrival = Arrival(parts, self.came)
        wanted = dict.fromkeys(arrival.parts, arrival)
        self._arrivals |= wanted
        try:
            yield arrival
        finally:
            for sha256 in wanted:
                del self._arrivals[sha256]

    def state(self, sha256: str) -> BlobState:
        """How much of a file is here."""
        size = self._size(sha256)
        if size is None:
            return BlobState(state="missing")
        arrival = self._arrivals.get(sha256)
        complete = arrival is not None and size == arrival.parts[sha256].size_bytes
        return BlobState(state="complete" if complete else "partial", size_bytes=size)

    async def receive(self, sha256: str, span: Span, pieces: AsyncIterator[bytes]) -> BlobState:
        """Append what comes; when that breaks off, what came stays. Raises Conflict, BadRequest, DiskFull."""
        if (arrival := self._arrivals.get(sha256)) is None:
            raise Conflict("no copy that is in hand here waits for this file", "fleetview copy begins one")
        part = arrival.parts[sha256]
        if span.total != part.size_bytes or not span.first <= span.last < span.total:
            raise BadRequest(f"bytes {span.first}-{span.last}/{span.total} are no part of {part.size_bytes} bytes")
        if (writer := self._writers.get(sha256)) and time.monotonic() - writer.heard_at < SILENT_SECONDS:
            raise Conflict(f"somebody else is sending {part.name} just now", "wait for the end of that copy")
        if span.first != (there := self.came(part)):
            raise Conflict(f"{there} bytes of {part.name} are here, and these begin at {span.first}", "send the rest")
        writer = self._writers[sha256] = _Writer(time.monotonic())
        try:
            await self._write(arrival, part, writer, pieces, span.last - span.first + 1)
        finally:
            if self._writers.get(sha256) is writer:
                del self._writers[sha256]
        return self.state(sha256)

    async def verify(self, part: ModelPart, told: Callable[[int], None]) -> None:
        """Read a file that has come through; one that is not what it should be is deleted, and AgentError raised."""
        file, sha256 = self.file(part), Sum(self.file(part))
        try:
            async for done in sha256.read():
                told(done)
            if sha256.hexdigest != part.sha256:
                file.unlink()
                raise AgentError(
                    f"{part.name} came damaged, for its sha256 is {sha256.hexdigest} and not {part.sha256}; "
                    "it was deleted here, so copy it again"
                )
        except OSError as problem:
            raise AgentError(f"{file} cannot be read: {problem.strerror or problem}") from problem

    def forget(self, parts: tuple[ModelPart, ...]) -> None:
        """Remove what is left of files that nobody waits for any more."""
        for part in parts:
            with suppress(OSError):
                self.file(part).unlink(missing_ok=True)

    async def _write(
        self, arrival: Arrival, part: ModelPart, writer: _Writer, pieces: AsyncIterator[bytes], most: int
    ) -> None:
        """Append at most so many bytes."""
        held, written_at = bytearray(), time.monotonic()
        async for piece in pieces:
            writer.heard_at = time.monotonic()
            held += piece
            most -= len(piece)
            if most < 0:
                raise BadRequest("more bytes came than their Content-Range says")
            if len(held) >= WRITE_BYTES or writer.heard_at - written_at >= WRITE_SECONDS:
                await self._flush(arrival, part, writer, held)
                written_at = time.monotonic()
        await self._flush(arrival, part, writer, held)

    async def _flush(self, arrival: Arrival, part: ModelPart, writer: _Writer, held: bytearray) -> None:
        """Put to the disk what is held, unless its writer is no longer the one."""
        if self._writers.get(part.sha256) is not writer or self._arrivals.get(part.sha256) is not arrival:
            raise Conflict(
                f"nobody waits for {part.name} from here any more", "its copy has ended, or goes on elsewhere"
            )
        writer.heard_at = math.inf
        try:
            await asyncio.to_thread(_append, self.file(part), bytes(held))
        except OSError as problem:
            failure = _cannot_write(problem)
            arrival.tell(failure)
            raise failure from problem
        writer.heard_at = time.monotonic()
        held.clear()
        arrival.tell()

    def _file(self, sha256: str) -> Path:
        return self.folder / f"{sha256}.part"

    def _size(self, sha256: str) -> int | None:
        """How long a file is; None where there is none."""
        try:
            return self._file(sha256).stat().st_size
        except OSError:
            return None


def _append(file: Path, data: bytes) -> None:
    """Write at the end of a file that is ours alone; what fits stays when the disk is full."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab", buffering=0) as opened:
        rest = memoryview(data)
        while rest:
            rest = rest[opened.write(rest) :]


def _cannot_write(problem: OSError) -> AgentError:
    """Why a file cannot be kept, in words."""
    if problem.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFull("the node's disk is full; free some space there, and copy it again to go on where it was")
    return AgentError(f"the node cannot keep the file: {problem.strerror or problem}")
