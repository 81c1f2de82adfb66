"""llama.cpp, as the agent sees it."""

from __future__ import annotations

import asyncio
import functools
import importlib.metadata
import importlib.util
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from fleetview_agent.backends import Progress
from fleetview_agent.backends.llamacpp import second_file
from fleetview_agent.backends.llamacpp.arrivals import parts_of, put_in_place, require_room, targets
from fleetview_agent.backends.llamacpp.asking import chat_command, completion_command
from fleetview_agent.backends.llamacpp.calls import with_calls
from fleetview_agent.backends.llamacpp.dry_run import dry_run
from fleetview_agent.backends.llamacpp.found import Found
from fleetview_agent.backends.llamacpp.inventory import Inventory
from fleetview_agent.backends.llamacpp.options import OPTIONS, difference, in_full, require_readable, settings
from fleetview_agent.backends.llamacpp.places import landing
from fleetview_agent.backends.llamacpp.process import Child
from fleetview_agent.backends.llamacpp.removal import remove
from fleetview_agent.backends.llamacpp.resident import NO_METAL, Loading, Resident
from fleetview_agent.config import LlamaCppConfig
from fleetview_agent.errors import BadRequest, NotFound, NotResident, Unusable
from fleetview_agent.gguf import Header
from fleetview_agent.needs import LoadSettings, Need
from fleetview_agent.wire import (
    BackendState,
    ChatChunk,
    ChatRequest,
    CompletionRequest,
    LoadOptions,
    ModelPart,
    Traffic,
)

ABILITIES = ("delete", "copy")
HINT = "install the agent with its extra: pip install 'fleetview-agent[llamacpp]'"


class LlamaCppBackend:
    """Runs GGUF files, each in a process of its own: a crash costs one model, and unloading frees all its memory."""

    def __init__(
        self,
        config: LlamaCppConfig,
        changed: Callable[[], None],
        *,
        ollama_models: Path | None = None,
        logged: Callable[[str, str | None, str], None] = lambda _backend, _model, _line: None,
    ) -> None:
        self._config = config
        self._changed = changed
        self._logged = logged
        self._inventory = Inventory(config.folders, ollama_models)
        self._residents: dict[str, Resident] = {}
        self._spare: Child | None = None
        self._making: asyncio.Task[None] | None = None
        self._lacks_metal = False
        self._is_installed = False

    @property
    def name(self) -> str:
        """What stands before the slash in BACKEND/MODEL."""
        return "llamacpp"

    async def status(self) -> BackendState:
        """Whether llama.cpp is installed, the files it could load, and what is in memory."""
        self._is_installed = self._is_installed or is_installed()  # all of Python's folders are looked through
        if not self._is_installed:
            return BackendState(backend=self.name, phase="missing", hint=HINT, supervisor="fleetview-agent")
        if self._making is None:
            self._making = asyncio.create_task(self._make_second_file(), name="llamacpp second file")
        files = await self._inventory.files()
        return BackendState(
            backend=self.name,
            phase="ready",
            version=_version(),
            supervisor="fleetview-agent",
            hint=NO_METAL if self._lacks_metal else None,
            abilities=ABILITIES,
            load_options=OPTIONS,
            models=tuple(file.row(name) for name, file in files.items()),
            resident=tuple(resident.row() for resident in self._residents.values()),
        )

    async def header(self, model: str) -> Header | None:
        """The header of the model's file. Raises NotFound, Unusable."""
        return (await self._usable(model))[1]

    async def settings(self, model: str, options: LoadOptions, context: int) -> LoadSettings:
        """How it would load the model with this context. Raises NotFound, Unusable for a template that is damaged."""
        await self._find(model)
        require_readable(options.chat_template)
        return settings(in_full(options, self._config, context))

    async def dry_run(self, model: str, options: LoadOptions) -> Need:
        """What the engine itself says it would take. Raises NotFound, Unusable, BackendFailed."""
        file, _ = await self._usable(model)
        context = options.context or file.default_context
        return await dry_run(file.path, settings(in_full(options, self._config, context)))

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
        if self._is_resident(model, options, context):
            return
        how = in_full(options, self._config, context)
        loading = Loading(model=model, path=str(file.path), quantization=header.quantization, options=how)
        resident = self._residents[model] = Resident(
            loading, self._changed, functools.partial(self._logged, self.name, model)
        )
        self._changed()
        try:
            await resident.load(self._take_spare(), progress)
            self._lacks_metal = resident.lacks_metal
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
        answer = self._resident(model).stream(chat_command(request))
        async with aclosing(with_calls(answer, request)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def complete(self, model: str, request: CompletionRequest) -> AsyncGenerator[ChatChunk, None]:
        """Go on with a text; closing the iterator cancels. Raises ContextExceeded before the first chunk."""
        async with aclosing(self._resident(model).stream(completion_command(request))) as chunks:
            async for chunk in chunks:
                yield chunk

    async def delete(self, model: str) -> None:
        """Delete all its files. Raises NotFound, BadRequest for one that is not ours, BackendFailed."""
        file = await self._find(model)
        if file.undeletable:
            raise BadRequest(file.undeletable)
        await asyncio.to_thread(remove, model, file.files)
        await self._look_again()

    async def parts(self, model: str) -> tuple[tuple[Path, ModelPart | None], ...]:
        """Its files, with what is known of them. Raises NotFound, Unusable."""
        file, _ = await self._usable(model)
        return await asyncio.to_thread(parts_of, file)

    async def manifest(self, model: str) -> str | None:
        """None: the files are all there is. Raises NotFound."""
        await self._find(model)
        return None

    async def room_for(self, model: str, parts: tuple[ModelPart, ...]) -> Path:
        """The folder to which the model will go. Raises BadRequest where its place is taken."""
        folder = landing(self._config.folders)
        await asyncio.to_thread(require_room, targets(folder, model, len(parts)), parts)
        return folder

    async def take_in(self, model: str, parts: tuple[tuple[Path, ModelPart], ...], manifest: str | None) -> None:
        """Make verified files a model of that name. Raises BadRequest where its place is taken, BackendFailed."""
        if manifest is not None:
            raise BadRequest(f"{model} comes from another engine", "copy it to that engine of this node")
        files = targets(landing(self._config.folders), model, len(parts))
        await asyncio.to_thread(put_in_place, files, parts)
        await self._look_again()

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

    def _is_resident(self, model: str, options: LoadOptions, context: int) -> bool:
        """Whether it is there as wanted. Raises BadRequest where it is there otherwise."""
        resident = self._residents.get(model)
        if resident is None or resident.phase == "failed":
            return False
        if resident.phase != "ready":
            raise BadRequest(f"{self.name}/{model} is {resident.phase} just now", "wait until that is over")
        other = difference(options, resident.options)
        if resident.options.context != context:
            other = f"a context of {resident.options.context} tokens, not {context}"
        if other:
            raise BadRequest(f"{self.name}/{model} is resident with {other}", "unload it first")
        return True

    async def _usable(self, model: str) -> tuple[Found, Header]:
        """The file of a model. Raises NotFound, Unusable."""
        file = await self._find(model)
        if file.header is None or file.refusal is not None:
            raise Unusable(file.refusal or f"{file.path.name} cannot be read", "get the file again, or another one")
        return file, file.header

    async def _find(self, model: str) -> Found:
        """The file of a model, whatever it is worth. Raises NotFound."""
        if (file := await self._inventory.find(model)) is None:
            raise NotFound(f"there is no model {model} for {self.name} on this node", "`fleetview models` lists them")
        return file

    async def _take_spare(self) -> Child:
        """The process that was started ahead, or a new one. Raises BackendFailed."""
        spare, self._spare = self._spare, None
        return await Child.start() if spare is None or spare.has_ended else spare

    async def _make_second_file(self) -> None:
        """Make the second file of a first run, in the background."""
        if await second_file.make():
            await self._look_again()

    async def _look_again(self) -> None:
        """Notice that files have come or gone."""
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
