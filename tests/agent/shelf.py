"""A backend whose models are files in a folder, as copies bring and fetch them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from fleetview_agent.agent import Agent
from fleetview_agent.backends import Notices
from fleetview_agent.backends.simulated.backend import SimulatedBackend
from fleetview_agent.backends.simulated.engine import plain_engine
from fleetview_agent.backends.simulated.models import MODELS
from fleetview_agent.config import SimulatedConfig
from fleetview_agent.errors import BadRequest, NotFound
from fleetview_agent.operations.disk_work import Waits
from fleetview_agent.serving.api import build_app
from fleetview_agent.wire import CopyRequest, ModelPart
from tests.agents import a_running_agent
from tests.builders import AUTHOR

NEW = "sim-new"
PIECE = 1 << 20


class Shelf(SimulatedBackend):
    """Keeps the files of each model in a folder of its name."""

    def __init__(self, folder: Path) -> None:
        super().__init__(plain_engine(SimulatedConfig(enabled=True, load_seconds=0)), Notices(lambda: None))
        self.folder = folder
        self.refusal: str | None = None
        self.manifests: dict[str, str | None] = {}
        self.sums: dict[str, ModelPart] = {}
        """What is known of files by their names without reading them."""

    def put(self, model: str, **files: bytes) -> None:
        """Have a model of these files."""
        (self.folder / model).mkdir(parents=True)
        for name, content in files.items():
            (self.folder / model / name).write_bytes(content)

    def content(self, model: str) -> dict[str, bytes]:
        """What a model consists of."""
        return {file.name: file.read_bytes() for file in (self.folder / model).iterdir()}

    async def parts(self, model: str) -> tuple[tuple[Path, ModelPart | None], ...]:
        if not (self.folder / model).is_dir():
            raise NotFound(f"there is no {model}")
        return tuple((file, self.sums.get(file.name)) for file in sorted((self.folder / model).iterdir()))

    async def manifest(self, model: str) -> str | None:
        return f"about {model}"

    async def room_for(self, model: str, parts: tuple[ModelPart, ...]) -> Path:
        del model, parts
        if self.refusal:
            raise BadRequest(self.refusal)
        return self.folder

    async def take_in(self, model: str, parts: tuple[tuple[Path, ModelPart], ...], manifest: str | None) -> None:
        (self.folder / model).mkdir(parents=True)
        for file, part in parts:
            shutil.move(file, self.folder / model / part.name)
        self.manifests[model] = manifest
        self._store.models[model] = replace(MODELS[0], name=model)


@asynccontextmanager
async def a_node(folder: Path, *, wait_seconds: float = 10.0) -> AsyncIterator[tuple[Agent, Shelf, httpx.AsyncClient]]:
    """An agent with a shelf, and a client of it."""
    async with a_running_agent(folder) as agent:
        shelf = Shelf(folder / "shelf")
        agent.backends["simulated"] = shelf
        agent.operator._disk_work._waits = Waits(delete=0, copy=wait_seconds)  # type: ignore[attr-defined]  # short
        transport = httpx.ASGITransport(build_app(agent), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
            yield agent, shelf, client


def a_part(content: bytes, name: str = "weights") -> ModelPart:
    """A file of a model."""
    return ModelPart(sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content), name=name)


def a_copy(*parts: ModelPart, model: str = NEW) -> CopyRequest:
    """A wish to have a model."""
    return CopyRequest(author=AUTHOR, backend="simulated", model=model, source="far", parts=parts, manifest="about it")


async def sent(
    client: httpx.AsyncClient, part: ModelPart, content: bytes, first: int = 0, *, total: int | None = None
) -> httpx.Response:
    """What the agent answers to some bytes of a file."""
    span = f"bytes {first}-{first + len(content) - 1}/{part.size_bytes if total is None else total}"
    return await client.put(f"/api/blobs/{part.sha256}", content=content, headers={"content-range": span})


async def there(client: httpx.AsyncClient, part: ModelPart) -> tuple[str, int]:
    """How much of a file is on the node."""
    told = (await client.head(f"/api/blobs/{part.sha256}")).headers
    return told["blob-state"], int(told["blob-size-bytes"])
