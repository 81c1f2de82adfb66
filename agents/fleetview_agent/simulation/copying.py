"""Copies between made-up machines: their files have no bytes, and still take their time on the way."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from fleetview_agent.backends.simulated import SimulatedBackend, SimulatedModel
from fleetview_agent.copying.incoming import Arrival, Incoming
from fleetview_agent.copying.offered import Offered
from fleetview_agent.errors import BackendFailed
from fleetview_agent.simulation import catalog
from fleetview_agent.wire import BackendState, BlobState, ModelPart, ModelParts, PartsFound

STEP_SECONDS = 0.25
"""How often more has come."""
READ_BYTES_PER_SECOND = 2.4e9
"""How fast what has come is read through."""


class MadeUpBackend(SimulatedBackend):
    """A simulated backend whose models can go to other made-up machines."""

    async def status(self) -> BackendState:
        """What it can do besides."""
        state = await super().status()
        return state.model_copy(update={"abilities": (*state.abilities, "copy")})

    async def parts(self, model: str) -> tuple[tuple[Path, ModelPart | None], ...]:
        """One file. Raises NotFound."""
        part = _part(self._store.known(model))
        return ((Path(part.name), part),)

    async def manifest(self, model: str) -> str | None:
        """Which model of the catalogue it is. Raises NotFound."""
        known = self._store.known(model)
        return known.content or known.name

    async def room_for(self, model: str, parts: tuple[ModelPart, ...]) -> Path:
        """Anywhere: nothing is written."""
        del model, parts
        return Path("/")

    async def take_in(self, model: str, parts: tuple[tuple[Path, ModelPart], ...], manifest: str | None) -> None:
        """Put it on the list. Raises BackendFailed for a model that is not made up."""
        del parts
        if (origin := catalog.MODELS.get(manifest or "")) is None:
            raise BackendFailed(f"{model} is not made up, and {self.name} of a made-up machine runs nothing else")
        self._store.models[model] = replace(origin, name=model, content=origin.content or origin.name)
        self._changed()


class MadeUpOffered(Offered):
    """Tells what a model consists of without looking for its files."""

    async def parts(self, backend: str, model: str) -> AsyncGenerator[PartsFound, None]:
        """What it is, at once. Raises NotFound."""
        owner = self.receiving(backend)
        parts = tuple([part for _, part in await owner.parts(model) if part is not None])
        found = ModelParts(backend=backend, model=model, parts=parts, manifest=await owner.manifest(model))
        yield PartsFound(done_bytes=0, total_bytes=0, found=found)


class MadeUpIncoming(Incoming):
    """Files that come by themselves; whoever brings them is told that they are there already."""

    def __init__(self, folder: Path, bytes_per_second: float, clock: Callable[[], float]) -> None:
        super().__init__(folder)
        self._bytes_per_second = bytes_per_second
        self._clock = clock
        self._there: dict[str, int] = {}
        """Bytes that have come, by the sha256 of their file; what was broken off goes on from there."""
        self._awaited: dict[str, ModelPart] = {}

    def clean(self) -> None:
        """Nothing lies anywhere."""

    def came(self, part: ModelPart) -> int:
        """All of it: it takes no room on the disk."""
        return part.size_bytes

    @contextmanager
    def expecting(self, parts: tuple[ModelPart, ...]) -> Iterator[Arrival]:
        """While held, these files come."""
        arrival = Arrival(parts, lambda part: self._there.get(part.sha256, 0))
        awaited = {part.sha256: part for part in parts}
        self._awaited |= awaited
        coming = asyncio.create_task(self._come(parts, arrival))
        try:
            yield arrival
        finally:
            coming.cancel()
            for sha256 in awaited:
                del self._awaited[sha256]

    def state(self, sha256: str) -> BlobState:
        """Nothing of what is awaited needs to be sent."""
        part = self._awaited.get(sha256)
        return BlobState(state="complete", size_bytes=part.size_bytes) if part else BlobState(state="missing")

    async def verify(self, part: ModelPart, told: Callable[[int], None]) -> None:
        """Take the time that reading it would take."""
        step_bytes = int(READ_BYTES_PER_SECOND * STEP_SECONDS)
        for done in range(step_bytes, part.size_bytes, step_bytes):
            await asyncio.sleep(STEP_SECONDS)
            told(done)

    def forget(self, parts: tuple[ModelPart, ...]) -> None:
        """They are the engine's now."""
        for part in parts:
            self._there.pop(part.sha256, None)

    async def _come(self, parts: tuple[ModelPart, ...], arrival: Arrival) -> None:
        """Let one file after the other come."""
        at = self._clock()
        for part in parts:
            while (there := self._there.get(part.sha256, 0)) < part.size_bytes:
                await asyncio.sleep(STEP_SECONDS)
                at, before = self._clock(), at
                self._there[part.sha256] = min(part.size_bytes, there + int((at - before) * self._bytes_per_second))
                arrival.tell()


def _part(model: SimulatedModel) -> ModelPart:
    """The only file of a model."""
    sha256 = hashlib.sha256(model.identity.encode()).hexdigest()
    return ModelPart(sha256=sha256, size_bytes=model.weights_bytes, name=f"{model.name.replace('/', '-')}.gguf")
