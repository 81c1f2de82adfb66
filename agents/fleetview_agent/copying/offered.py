"""Files of this node's models that other nodes may fetch: those of models that somebody has asked about, no others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from fleetview_agent.backends import Backend, Receiving
from fleetview_agent.copying.sums import Sum
from fleetview_agent.errors import AgentError, BadRequest, Conflict, NotFound, Unusable
from fleetview_agent.wire import BlobState, ModelPart, ModelParts, PartsFound

PIECE_BYTES = 1 << 20
TELL_SECONDS = 0.25
"""How often it is told how far a reading is."""


@dataclass(frozen=True)
class Offer:
    """A file as it was when it was looked at."""

    path: Path
    size_bytes: int
    changed_at: int
    """In nanoseconds."""


class Offered:
    """Tells what a model consists of, and gives its files out."""

    def __init__(self, backends: Mapping[str, Backend]) -> None:
        self._backends = backends
        self._sums: dict[Offer, str] = {}
        """The sha256 of files that were read through, for as long as they do not change."""
        self._offers: dict[str, Offer] = {}
        """By sha256."""

    async def parts(self, backend: str, model: str) -> AsyncGenerator[PartsFound, None]:
        """How far the reading of a model's files is, and in the end what they are. Raises NotFound, Unusable."""
        owner = self.receiving(backend)
        files = [(await _look(path), path, part) for path, part in await owner.parts(model)]
        unread = [offer for offer, _, part in files if part is None and offer not in self._sums]
        total, done = sum(offer.size_bytes for offer in unread), 0
        yield PartsFound(done_bytes=0, total_bytes=total)
        for offer in unread:
            async with aclosing(self._read(offer)) as counts:
                async for count in counts:
                    yield PartsFound(done_bytes=done + count, total_bytes=total)
            done += offer.size_bytes
        parts = tuple(part or self._part(offer, path) for offer, path, part in files)
        self._offers |= {part.sha256: offer for part, (offer, _, _) in zip(parts, files, strict=True)}
        found = ModelParts(backend=backend, model=model, parts=parts, manifest=await owner.manifest(model))
        yield PartsFound(done_bytes=total, total_bytes=total, found=found)

    async def offer(self, sha256: str) -> Offer:
        """The file with this sum. Raises NotFound, and Conflict where it is no longer what it was."""
        if (offer := self._offers.get(sha256)) is None:
            raise NotFound("no model that was asked about here has such a file", "ask what the model consists of")
        if await _look(offer.path) != offer:
            del self._offers[sha256]
            raise Conflict(f"{offer.path.name} has changed since it was looked at", "copy it again")
        return offer

    async def state(self, sha256: str) -> BlobState:
        """Whether the file with this sum can be had here."""
        try:
            return BlobState(state="complete", size_bytes=(await self.offer(sha256)).size_bytes)
        except AgentError:
            return BlobState(state="missing")

    def receiving(self, name: str) -> Receiving:
        """The backend, where it can do such things. Raises NotFound, BadRequest."""
        if (backend := self._backends.get(name)) is None:
            raise NotFound(f"there is no backend {name} on this node", f"it has {', '.join(self._backends)}")
        if not isinstance(backend, Receiving):
            raise BadRequest(f"{name} has no models that could be copied")
        return backend

    async def _read(self, offer: Offer) -> AsyncGenerator[int, None]:
        """Read a file through, and remember its sum. Raises Unusable."""
        told_at = time.monotonic()
        sha256 = Sum(offer.path)
        try:
            async for count in sha256.read():
                if time.monotonic() - told_at >= TELL_SECONDS:
                    told_at = time.monotonic()
                    yield count
        except OSError as problem:
            raise Unusable(f"{offer.path} cannot be read: {problem.strerror or problem}") from problem
        self._sums[offer] = sha256.hexdigest

    def _part(self, offer: Offer, path: Path) -> ModelPart:
        """A file that has been read through."""
        return ModelPart(sha256=self._sums[offer], size_bytes=offer.size_bytes, name=path.name)


async def pieces(offer: Offer, first: int, last: int) -> AsyncGenerator[bytes, None]:
    """The bytes of a file from `first` to `last`, that one included. Raises Unusable."""
    try:
        opened = await asyncio.to_thread(offer.path.open, "rb")
    except OSError as problem:
        raise Unusable(f"{offer.path} cannot be read: {problem.strerror or problem}") from problem
    with opened:
        opened.seek(first)
        left = last - first + 1
        while left and (piece := await asyncio.to_thread(opened.read, min(PIECE_BYTES, left))):
            left -= len(piece)
            yield piece


async def _look(path: Path) -> Offer:
    """A file as it is now; a link stands for what it leads to. Raises Unusable."""
    try:
        real = await asyncio.to_thread(path.resolve, strict=True)
        status = await asyncio.to_thread(real.stat)
    except (OSError, RuntimeError) as problem:
        told = problem.strerror if isinstance(problem, OSError) else problem
        raise Unusable(f"{path} cannot be read: {told}") from problem
    return Offer(real, status.st_size, status.st_mtime_ns)
