"""A backend without an engine: loads slowly, echoes what it is told, and fails when asked to."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

from fleetview_agent.backends import Notices, Progress, ServerSteps, ServerVerb
from fleetview_agent.backends.simulated import lines
from fleetview_agent.backends.simulated.engine import Engine
from fleetview_agent.backends.simulated.models import ENGINE_LOG, ENGINE_STATUS, SimulatedModel
from fleetview_agent.backends.simulated.resident import Resident, be_told, count_tokens
from fleetview_agent.backends.simulated.residents import Residents
from fleetview_agent.backends.simulated.store import Store
from fleetview_agent.errors import BackendFailed, BadRequest, ContextExceeded, NotResident, Unusable
from fleetview_agent.gguf import Header
from fleetview_agent.needs import LoadSettings
from fleetview_agent.wire import (
    BackendState,
    ChatChunk,
    ChatRequest,
    CompletionRequest,
    Failure,
    Generation,
    Keep,
    LoadOptions,
    Served,
    Traffic,
    Transfer,
)

ABILITIES = ("start", "stop", "restart", "pin", "unpin", "keep", "pull", "create", "delete")
LOAD_OPTIONS = tuple(name for name in LoadOptions.model_fields if name not in {"context", "keep"})
LOAD_STEPS = 20
BREAKS_AT_STEP = 12
DIE = "/die"
"""The prompt that ends a model as a crash would."""
CRASH = "/crash"
"""The prompt that ends the server as a crash would."""
KILLED = -9
LAST_WORDS = ("simulated: asked to die",)
SLOWED = 0.6
"""How much longer a token takes for each other answer in progress."""


class SimulatedBackend:
    """Models of which nothing is real but the time they take."""

    def __init__(self, engine: Engine, notices: Notices) -> None:
        self.name = engine.name
        self._engine = engine
        self._notices = notices
        self._changed = notices.changed
        self._store = Store(engine)
        self._residents = Residents(engine, notices.changed)
        self._is_running = True

    async def status(self) -> BackendState:
        """Ready unless it was stopped, or its server killed."""
        for resident in self._residents.all:
            if resident.expires_in_seconds == 0.0:
                self._residents.forget(resident)
        return BackendState(
            backend=self.name,
            phase="ready" if self._is_running else "stopped",
            version=self._engine.version,
            supervisor=self._engine.supervisor,
            hint=None if self._is_running else f"start it: fleetview start NODE {self.name}",
            abilities=ABILITIES,
            load_options=LOAD_OPTIONS,
            models=tuple(model.file() for model in self._store.models.values()),
            resident=tuple(resident.state() for resident in self._residents.all),
        )

    async def header(self, model: str) -> Header | None:
        """What the model's file would say. Raises NotFound, Unusable."""
        return self._usable(model).header()

    async def settings(self, model: str, options: LoadOptions, context: int) -> LoadSettings | None:
        """As plain as they can be. Raises NotFound."""
        del options
        self._store.known(model)
        return LoadSettings(context)

    @contextlib.asynccontextmanager
    async def preparing(self) -> AsyncIterator[None]:
        """Nothing needs to be started ahead."""
        yield

    async def load(self, model: str, options: LoadOptions, progress: Progress) -> None:
        """Take `load_seconds`, in steps that can be seen; a broken model fails on its way."""
        usable = self._usable(model)
        context = options.context or usable.default_context
        options = options.model_copy(update={"context": context})
        if self._is_resident(model, options):
            return
        if not self._is_running:
            raise BackendFailed(f"{self.name} is stopped", "start it first")
        resident = self._residents.add(usable, options)
        seconds = self._residents.load_seconds(resident)
        self._notices.logged(self.name, model, lines.loading(model, context))
        self._changed()
        try:
            for step in range(1, LOAD_STEPS + 1):
                await resident.pause(seconds / LOAD_STEPS)
                if usable.breaks and step == BREAKS_AT_STEP:
                    for line in ENGINE_LOG:
                        self._notices.logged(self.name, model, lines.failed(line))
                    raise BackendFailed(
                        f"llama.cpp could not load {self.name}/{model}", log=ENGINE_LOG, exit_status=ENGINE_STATUS
                    )
                resident.progress = step / LOAD_STEPS
                progress(resident.progress)
                self._changed()
            self._residents.settle(resident)
            self._notices.logged(self.name, model, lines.loaded(model))
            self._changed()
        finally:
            if resident.phase != "ready":
                self._residents.forget(resident)

    async def warm(self, model: str) -> None:
        """Generate one token. Raises NotResident."""
        resident = self._ready(model)
        await resident.pause(self._token_seconds(resident))

    async def unload(self, model: str) -> None:
        """Take a tenth of the time that loading takes. Raises NotFound, NotResident."""
        self._store.known(model.partition("#")[0])
        if (resident := self._residents.get(model)) is None:
            raise NotResident(f"{self.name}/{model} is not resident")
        resident.phase = "unloading"
        resident.gone.set()
        self._changed()
        await asyncio.sleep(self._engine.load_seconds(resident.model, False) / 10)
        await be_told()
        self._residents.forget(resident)

    def chat(self, model: str, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        """Say again what was said last, word by word; closing the iterator cancels."""
        return self._answer(model, tuple(message.content for message in request.messages), request)

    def complete(self, model: str, request: CompletionRequest) -> AsyncGenerator[ChatChunk, None]:
        """Say the text again, word by word; closing the iterator cancels."""
        return self._answer(model, (request.prompt,), request)

    def traffic(self) -> tuple[Traffic, ...]:
        """What ready models did since the previous call."""
        return self._residents.traffic(self._answered)

    @property
    def memory_bytes(self) -> int:
        """What its models hold by now."""
        return self._residents.memory_bytes

    @property
    def busy_share(self) -> float:
        """How much of the GPU's time its models take."""
        return self._residents.busy_share

    async def server_steps(self, verb: ServerVerb) -> ServerSteps:
        """What would be done, in a word."""
        return ServerSteps(supervisor=self._engine.supervisor, commands=(f"simulated {verb}",))

    async def start(self) -> None:
        """Answer from now on."""
        self._is_running = True
        self._changed()
        await be_told()

    async def stop(self) -> None:
        """Hold nothing, and answer nobody."""
        self._is_running = False
        await self.close()
        self._changed()
        await be_told()

    async def keep(self, model: str, keep: Keep | None) -> None:
        """Let it stay so long after its last answer; by itself it stays for ever. Raises NotResident."""
        if (resident := self._residents.get(model)) is None:
            raise NotResident(f"{self.name}/{model} is not resident", "load it first")
        resident.keep_seconds = None if keep == "forever" else keep
        self._changed()
        await be_told()

    def pull(self, model: str) -> AsyncGenerator[Transfer, None]:
        """Fetch a model of any name that begins with `sim-`."""
        return self._store.pull(model)

    def create(self, model: str, source: Path | str, options: LoadOptions) -> AsyncGenerator[Transfer, None]:  # noqa: ARG002 - nothing here keeps a context
        """Make a model like the source."""
        return self._store.create(model, source)

    async def delete(self, model: str) -> None:
        """Take it off the list."""
        self._store.delete(model)
        self._changed()

    async def close(self) -> None:
        """Forget everything; answers in progress end."""
        for resident in self._residents.all:
            self._residents.forget(resident)

    def _answered(self, served: Served) -> None:
        """A client past the agent has its answer."""
        self._notices.served(served)
        self._notices.logged(self.name, served.model, lines.answered(served))

    def _token_seconds(self, resident: Resident) -> float:
        """How long one token takes; longer while others are answered."""
        return self._engine.token_seconds(resident.model) * (1 + resident.asked * SLOWED)

    async def _answer(self, model: str, texts: tuple[str, ...], request: Generation) -> AsyncGenerator[ChatChunk, None]:
        """Say the last of these texts again, once it is this request's turn."""
        resident = self._ready(model)
        prompt_tokens = count_tokens(texts)
        if prompt_tokens >= resident.context:
            raise ContextExceeded(
                f"the prompt has {prompt_tokens} tokens, the context of {self.name}/{model} {resident.context}",
                "shorten the prompt, or load the model with a larger context",
            )
        resident.waiting += 1
        try:
            await resident.turn.acquire()
        finally:
            resident.waiting -= 1
        try:
            if (prompt := texts[-1].strip()) == DIE:
                raise self._die(resident)
            if prompt == CRASH:
                raise self._crash()
            said = self._engine.answer(model, texts[-1])
            answer = resident.answer(said, prompt_tokens, request, self._token_seconds(resident))
            async with contextlib.aclosing(answer) as chunks:
                async for chunk in chunks:
                    yield chunk
        finally:
            resident.used_at = time.monotonic()
            resident.turn.release()

    def _usable(self, model: str) -> SimulatedModel:
        """A model that can be loaded."""
        if refusal := (known := self._store.known(model)).refusal:
            raise Unusable(refusal)
        return known

    def _ready(self, model: str) -> Resident:
        """A model that can answer."""
        self._store.known(model)
        resident = self._residents.get(model)
        if resident is None or resident.phase != "ready":
            raise NotResident(f"{self.name}/{model} is not resident", "load it first")
        return resident

    def _is_resident(self, model: str, wanted: LoadOptions) -> bool:
        """Whether it is there as wanted. Raises BadRequest where it is there otherwise."""
        resident = self._residents.get(model)
        if resident is None or resident.phase == "failed":
            return False
        asked = wanted.model_dump(exclude={"keep"}, exclude_none=True)
        if resident.phase != "ready" or asked.items() - resident.options.model_dump().items():
            told = f"{resident.phase} with a context of {resident.context} tokens"
            raise BadRequest(f"{self.name}/{model} is {told} and settings of its own", "unload it first")
        return True

    def _die(self, resident: Resident) -> BackendFailed:
        """Let a model fall out of memory as in a crash; returns what to raise."""
        reason = f"the process of {self.name}/{resident.model.name} was killed"
        resident.phase = "failed"
        resident.failure = Failure(reason=reason, exit_status=KILLED, log=LAST_WORDS)
        resident.gone.set()
        self._changed()
        return BackendFailed(reason, "load it again", log=LAST_WORDS, exit_status=KILLED)

    def _crash(self) -> BackendFailed:
        """End the server as by a signal; its models stay behind as orphans. Returns what to raise."""
        reason = f"the server of {self.name} was killed by signal 9"
        self._is_running = False
        self._residents.orphan()
        self._notices.lost(self.name, reason)
        self._changed()
        return BackendFailed(reason, "it is started again by itself", exit_status=KILLED)
