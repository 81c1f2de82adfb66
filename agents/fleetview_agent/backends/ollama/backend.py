"""Ollama, as the agent sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Literal

from fleetview_agent.backends import Notices, Progress, ServerSteps, ServerVerb
from fleetview_agent.backends.ollama.api import OllamaApi
from fleetview_agent.backends.ollama.asking import Asking
from fleetview_agent.backends.ollama.figures import Figure, Figures
from fleetview_agent.backends.ollama.http import Http, Unreachable
from fleetview_agent.backends.ollama.inventory import Inventory
from fleetview_agent.backends.ollama.load_settings import load_settings
from fleetview_agent.backends.ollama.loads import Loads
from fleetview_agent.backends.ollama.looks import Looks, Sight
from fleetview_agent.backends.ollama.memory import Memory
from fleetview_agent.backends.ollama.processes import Processes, ProcessTable, Server
from fleetview_agent.backends.ollama.receiving import folder_for, manifest_of, parts_of, put_in
from fleetview_agent.backends.ollama.residents import Residents, Seen, orphan_rows
from fleetview_agent.backends.ollama.server import ServerControl
from fleetview_agent.backends.ollama.supervise import Supervisor
from fleetview_agent.backends.ollama.traffic import Observer
from fleetview_agent.config import OllamaConfig
from fleetview_agent.errors import AgentError, BadRequest
from fleetview_agent.gguf import Header
from fleetview_agent.needs import LoadSettings
from fleetview_agent.wire import (
    BackendState,
    ChatChunk,
    ChatRequest,
    CompletionRequest,
    EmbeddingRequest,
    Embeddings,
    Failure,
    Keep,
    LoadOptions,
    ModelPart,
    Traffic,
    Transfer,
)

NAME = "ollama"
INSTALL_HINT = "install Ollama (https://ollama.com/download), or name its program in agent.toml under [ollama]"
HUNG_HINT = "fleetview restart NODE ollama, if that lasts"
STATUS_SECONDS = 4.0
"""How long the server may take for all that is asked of it in one look."""
START_HINT = "fleetview start NODE ollama"
ABILITIES = ("keep", "pin", "unpin", "pull", "create", "copy", "delete")
"""Of a server that answers."""
SERVER_VERBS: tuple[ServerVerb, ...] = ("start", "stop", "restart")


class OllamaBackend:
    """Drives the Ollama of this machine, whoever runs its server, and sees what other clients do with it."""

    def __init__(self, config: OllamaConfig, notices: Notices, look: Callable[[], Processes] | None = None) -> None:
        self._config = config
        self._notices = notices
        self._http = Http(config.address)
        self._api = OllamaApi(self._http)
        self._looks = Looks(config.address, config.models, look or ProcessTable().look)
        self._supervisor = Supervisor(config, self._lost)
        self._server = ServerControl(self._api, self._looks, self._supervisor, notices.changed)
        self._observer = Observer(NAME, notices.served, partial(notices.logged, NAME, None))
        self._memory = Memory()
        self._inventory = Inventory(self._api, lambda: self._looks.folder)
        self._residents = Residents(self._api, self._looks, self._memory, self._inventory.names)
        self._loads = Loads(
            self._api,
            self._inventory,
            self._residents,
            self._memory,
            self._looks,
            changed=notices.changed,
            log_file=lambda: self._supervisor.log_file,
        )
        self._asking = Asking(self._api, self._loads, self._observer)
        self._figures = Figures(self._loads.answering, self._observer)
        self._seen: Seen | None = None
        """The last look; None while the server does not answer."""
        self._told: tuple[Figure, ...] = ()
        """The figures that went with it."""
        self._version: tuple[Server | None, str] | None = None

    @property
    def name(self) -> str:
        """What stands before the slash in BACKEND/MODEL."""
        return NAME

    async def status(self) -> BackendState:
        """Whether Ollama is installed and runs, its models, and which of them are resident."""
        sight = await self._looks.look()
        await self._supervisor.look(sight.processes)
        try:
            async with asyncio.timeout(STATUS_SECONDS):
                return await self._ready(sight)
        except TimeoutError:
            self._seen = None
            failure = Failure(reason=f"the server at {self._config.address} takes requests and does not answer them")
            return self._state(sight, "failed").model_copy(update={"failure": failure, "hint": HUNG_HINT})
        except Unreachable:
            self._seen = None
            self._memory.lose_server()
            self._version = None
            if sight.orphans:
                await self._inventory.look_at_disk()
            return self._silent(sight)
        except AgentError as problem:
            self._seen = None
            failure = Failure(reason=problem.message)
            return self._state(sight, "failed").model_copy(update={"failure": failure, "hint": problem.hint})

    async def header(self, model: str) -> Header | None:
        """The header of the model's file; None where this account cannot read it. Raises NotFound, Unusable."""
        return (await self._loads.usable(model)).header

    async def settings(self, model: str, options: LoadOptions, context: int) -> LoadSettings | None:
        """How the server would load it; None for a model that is no GGUF file. Raises NotFound, Unusable."""
        del options  # of these it takes the context alone; the rest is what the server was told
        entry, sight = await self._loads.usable(model), await self._looks.look()
        return await asyncio.to_thread(load_settings, entry, sight.settings, context)

    @asynccontextmanager
    async def preparing(self) -> AsyncIterator[None]:
        """Nothing can be started ahead: the server starts its runners itself."""
        yield

    async def load(self, model: str, options: LoadOptions, progress: Progress) -> None:
        """Return when it can answer. Cancelling it leaves the model out of memory."""
        del progress  # the engine tells none
        await self._loads.load(model, options)

    async def warm(self, model: str) -> None:
        """Generate one token, really; or one vector, where the model makes those."""
        await self._asking.warm(model)

    async def unload(self, model: str) -> None:
        """Return when the memory is free; our answers in progress end with an error, other clients' are waited for."""
        await self._loads.unload(model)

    def chat(self, model: str, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        """Answer a prompt; closing the iterator cancels. Raises NotResident: a chat never loads a model."""
        return self._asking.chat(model, request)

    def complete(self, model: str, request: CompletionRequest) -> AsyncGenerator[ChatChunk, None]:
        """Go on with a text, without any template; otherwise as `chat`."""
        return self._asking.complete(model, request)

    async def embed(self, model: str, request: EmbeddingRequest) -> Embeddings:
        """One vector for each text. Raises NotResident, BadRequest."""
        return await self._asking.embed(model, request)

    def traffic(self) -> tuple[Traffic, ...]:
        """What resident models do for all of their clients."""
        return self._observer.rows()

    async def observe(self) -> None:
        """Look at what clients ask of the engine past this agent."""
        held = {place.name: place.runner for place in self._seen.places if place.runner} if self._seen else {}
        await self._observer.observe(
            tuple(held.values()),
            {runner.model: name for name, runner in held.items()},
            server_address=self._config.address,
            log_file=self._supervisor.log_file,
            log_unit=self._supervisor.log_unit,
        )

    async def has_moved(self) -> bool:
        """Whether processes or figures say that `status` has something else to tell; the server is not asked."""
        seen = self._seen
        if seen is None or not self._memory.is_settled:
            return True
        return not seen.holds(await self._looks.look()) or self._told != self._figures.of(
            place.name for place in seen.places
        )

    async def keep(self, model: str, keep: Keep | None) -> None:
        """From now on; None is what the server was told to do with every model. Raises NotResident."""
        usual = (await self._looks.look()).settings.keep
        await self._loads.keep(model, keep, usual if keep is None else keep)

    def pull(self, model: str) -> AsyncGenerator[Transfer, None]:
        """Fetch a model; one that was broken off goes on where it was. Raises NotFound, BackendFailed."""
        return self._storing(self._api.pull(model))

    def create(self, model: str, source: Path | str, options: LoadOptions) -> AsyncGenerator[Transfer, None]:
        """Make a model from a GGUF file (a Path) or from another model (its name)."""
        if isinstance(source, Path):
            return self._storing(self._api.create_from_file(model, source, context=options.context))
        return self._storing(self._api.create_from_model(model, source, context=options.context))

    async def delete(self, model: str) -> None:
        """Delete it from the disk. Raises NotFound, BadRequest, BackendFailed."""
        seen = await self._residents.look()
        if seen.find(model) is not None:
            raise BadRequest(f"{NAME}/{model} is resident", "unload it first")
        await self._api.delete(model)
        await self._changed_on_disk()

    async def parts(self, model: str) -> tuple[tuple[Path, ModelPart | None], ...]:
        """Its blobs; the sum of each is its name. Raises NotFound, Unusable."""
        return await asyncio.to_thread(parts_of, (await self._looks.look()).folder, model)

    async def manifest(self, model: str) -> str | None:
        """The manifest as it is. Raises NotFound, Unusable."""
        return await asyncio.to_thread(manifest_of, (await self._looks.look()).folder, model)

    async def room_for(self, model: str, parts: tuple[ModelPart, ...]) -> Path:
        """The models folder; BadRequest where nothing can be put there."""
        del parts  # whatever they are, they go to one place
        return await asyncio.to_thread(folder_for, (await self._looks.look()).folder, model)

    async def take_in(self, model: str, parts: tuple[tuple[Path, ModelPart], ...], manifest: str | None) -> None:
        """Put the blobs where Ollama finds them, and then the manifest. Raises BackendFailed, BadRequest."""
        await asyncio.to_thread(put_in, (await self._looks.look()).folder, model, parts, manifest)
        await self._changed_on_disk()

    async def server_steps(self, verb: ServerVerb) -> ServerSteps:
        """What the verb would do; nothing happens."""
        return await self._server.steps(verb)

    async def start(self) -> None:
        """Return when the server answers; at once if it does already. Raises BackendFailed, BadRequest."""
        await self._server.start()

    async def stop(self) -> None:
        """Return when the server and its runners are gone. Raises BackendFailed, BadRequest."""
        await self._server.stop()
        self._memory.forget_all()

    async def close(self) -> None:
        """Stop looking. The server goes on: it is not ours, or it is to outlive this agent."""
        self._seen = None
        await self._observer.close()
        await self._supervisor.close()
        await self._http.close()

    async def _ready(self, sight: Sight) -> BackendState:
        """The state of a server that answers. Raises what it answers instead."""
        version = await self._version_of(sight.server)
        entries = await self._inventory.entries()
        seen = self._seen = await self._residents.look()
        self._told = self._figures.of(place.name for place in seen.places)
        usual = seen.sight.settings.context
        return self._state(seen.sight, "ready").model_copy(
            update={
                "version": version,
                "models": tuple(entry.row(usual) for entry in entries.values()),
                "resident": self._residents.rows(seen, self._figures),
            }
        )

    def _silent(self, sight: Sight) -> BackendState:
        """The state where nothing answers."""
        if failure := self._supervisor.failure:
            return self._state(sight, "failed").model_copy(update={"failure": failure, "hint": START_HINT})
        if not self._supervisor.installed:
            return self._state(sight, "missing").model_copy(update={"hint": self._supervisor.conflict or INSTALL_HINT})
        return self._state(sight, "stopped").model_copy(update={"hint": self._supervisor.conflict or START_HINT})

    def _state(self, sight: Sight, phase: Literal["ready", "stopped", "missing", "failed"]) -> BackendState:
        """What is true in every phase: who runs it, what can be done about it, and processes that nobody runs."""
        verbs = tuple(verb for verb in SERVER_VERBS if self._supervisor.steps(verb).refusal is None)
        return BackendState(
            backend=NAME,
            phase=phase,
            supervisor=self._supervisor.name,
            address=self._config.address,
            hint=self._supervisor.conflict,
            abilities=(*verbs, *ABILITIES) if phase == "ready" else verbs,
            resident=orphan_rows(sight, self._inventory.names()),
        )

    async def _version_of(self, server: Server | None) -> str:
        """Of the server, asked for once where its process can be seen."""
        if self._version is None or server is None or self._version[0] != server:
            self._version = (server, await self._api.version())
        return self._version[1]

    async def _storing(self, transfers: AsyncGenerator[Transfer, None]) -> AsyncGenerator[Transfer, None]:
        """Pass on what changes the disk, and look at it when that has ended."""
        async with aclosing(transfers):
            async for transfer in transfers:
                yield transfer
        await self._changed_on_disk()

    async def _changed_on_disk(self) -> None:
        """Ask for the list anew."""
        await self._inventory.entries(afresh=True)
        self._notices.changed()

    def _lost(self, reason: str) -> None:
        """Our own child has ended unasked."""
        self._notices.lost(NAME, reason)
        self._notices.changed()
