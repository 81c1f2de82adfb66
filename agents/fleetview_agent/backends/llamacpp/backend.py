"""llama.cpp, as the agent sees it."""

from __future__ import annotations

import asyncio
import functools
import importlib.metadata
import importlib.util
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from fleetview_agent.backends import Progress
from fleetview_agent.backends.llamacpp import second_file
from fleetview_agent.backends.llamacpp.found import Found
from fleetview_agent.backends.llamacpp.inventory import Inventory
from fleetview_agent.backends.llamacpp.process import Child
from fleetview_agent.backends.llamacpp.resident import Loading, Resident
from fleetview_agent.config import LlamaCppConfig
from fleetview_agent.errors import BadRequest, NotFound, NotResident, Unusable
from fleetview_agent.gguf import Header
from fleetview_agent.wire import BackendState, ChatChunk, ChatRequest, LoadOptions, Traffic

HINT = "install the agent with its extra: pip install 'fleetview-agent[llamacpp]'"


class LlamaCppBackend:
    """Runs GGUF files, each in a process of its own: a crash costs one model, and unloading frees all its memory."""

    def __init__(
        self, config: LlamaCppConfig, changed: Callable[[], None], *, ollama_models: Path | None = None
    ) -> None:
        self._config = config
        self._changed = changed
        self._inventory = Inventory(config.folders, ollama_models)
        self._residents: dict[str, Resident] = {}
        self._spare: Child | None = None
        self._making: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """What stands before the slash in BACKEND/MODEL."""
        return "llamacpp"

    async def status(self) -> BackendState:
        """Whether llama.cpp is installed, the files it could load, and what is in memory."""
        if not is_installed():
            return BackendState(backend=self.name, phase="missing", hint=HINT, supervisor="fleetview-agent")
        if self._making is None:
            self._making = asyncio.create_task(self._make_second_file(), name="llamacpp second file")
        files = await self._inventory.files()
        return BackendState(
            backend=self.name,
            phase="ready",
            version=_version(),
            supervisor="fleetview-agent",
            models=tuple(file.row(name) for name, file in files.items()),
            resident=tuple(resident.row() for resident in self._residents.values()),
        )

    async def header(self, model: str) -> Header | None:
        """The header of the model's file. Raises NotFound, Unusable."""
        return (await self._usable(model))[1]

    @asynccontextmanager
    async def preparing(self) -> AsyncIterator[None]:
        """While held, a process is there that has imported llama.cpp already; the next load takes it."""
        if self._spare is None and is_installed():
            self._spare = await Child.start()
        try:
            yield
        finally:
            spare, self._spare = self._spare, None
            if spare is not None:
                spare.kill()
                await spare.ended()

    async def load(self, model: str, options: LoadOptions, progress: Progress) -> None:
        """Return when it can answer. Cancelling it ends its process."""
        file, header = await self._usable(model)
        context = options.context or file.default_context
        if self._is_resident(model, context):
            return
        loading = Loading(
            model=model,
            path=str(file.path),
            context=context,
            quantization=header.quantization,
            threads=self._config.threads or max(1, (os.cpu_count() or 2) - 1),
            gpu_layers=self._config.gpu_layers,
        )
        resident = self._residents[model] = Resident(loading, self._changed)
        self._changed()
        try:
            await resident.load(self._take_spare(), progress)
        finally:
            if resident.phase != "ready" and self._residents.get(model) is resident:
                del self._residents[model]
                self._changed()

    async def warm(self, model: str) -> None:
        """Generate one token, really, which also brings the weights into memory."""
        await self._resident(model).warm()

    async def unload(self, model: str) -> None:
        """Return when its process is gone; answers in progress end with an error. Clears a failed model."""
        resident = self._resident(model)
        await resident.unload()
        if self._residents.get(model) is resident:
            del self._residents[model]
            self._changed()

    async def chat(self, model: str, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        """Answer a prompt; closing the iterator cancels. Raises ContextExceeded before the first chunk."""
        async with aclosing(self._resident(model).stream(request)) as chunks:
            async for chunk in chunks:
                yield chunk

    def traffic(self) -> tuple[Traffic, ...]:
        """What resident models did since the previous call."""
        residents = self._residents.values()
        return tuple(resident.traffic(self.name) for resident in residents if resident.phase == "ready")

    async def close(self) -> None:
        """End every process of its own."""
        if self._making is not None:
            self._making.cancel()
            await asyncio.wait({self._making})
        if self._spare is not None:
            self._spare.kill()
            await self._spare.ended()
        await asyncio.gather(*(resident.unload() for resident in self._residents.values()))
        self._residents.clear()

    def _resident(self, model: str) -> Resident:
        """The model in memory. Raises NotResident."""
        if (resident := self._residents.get(model)) is None:
            raise NotResident(f"{self.name}/{model} is not resident", "load it first")
        return resident

    def _is_resident(self, model: str, context: int) -> bool:
        """Whether it is there as wanted. Raises BadRequest where it is there otherwise."""
        resident = self._residents.get(model)
        if resident is None or resident.phase == "failed":
            return False
        if resident.phase != "ready":
            raise BadRequest(f"{self.name}/{model} is {resident.phase} just now", "wait until that is over")
        if resident.context != context:
            raise BadRequest(
                f"{self.name}/{model} is resident with a context of {resident.context} tokens, not {context}",
                "unload it first",
            )
        return True

    async def _usable(self, model: str) -> tuple[Found, Header]:
        """The file of a model. Raises NotFound, Unusable."""
        if (file := await self._inventory.find(model)) is None:
            raise NotFound(f"there is no model {model} for {self.name} on this node", "`fleetview models` lists them")
        if file.header is None or file.refusal is not None:
            raise Unusable(file.refusal or f"{file.path.name} cannot be read", "get the file again, or another one")
        return file, file.header

    async def _take_spare(self) -> Child:
        """The process that was started ahead, or a new one. Raises BackendFailed."""
        spare, self._spare = self._spare, None
        return await Child.start() if spare is None or spare.has_ended else spare

    async def _make_second_file(self) -> None:
        """Make the second file of a first run, in the background."""
        if await second_file.make():
            await self._inventory.files(afresh=True)
            self._changed()


def is_installed() -> bool:
    """Whether llama-cpp-python is there; it is never imported here."""
    return importlib.util.find_spec("llama_cpp") is not None


@functools.cache
def _version() -> str | None:
    """Of llama-cpp-python."""
    try:
        return importlib.metadata.version("llama-cpp-python")
    except importlib.metadata.PackageNotFoundError:
        return None
