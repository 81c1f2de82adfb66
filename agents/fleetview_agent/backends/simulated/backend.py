"""A backend without an engine: loads slowly, echoes what it is told, and fails when asked to."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path

from fleetview_agent import __version__
from fleetview_agent.backends import Progress, ServerSteps, ServerVerb
from fleetview_agent.backends.simulated.models import DEFAULT_CONTEXT, ENGINE_LOG, ENGINE_STATUS, SimulatedModel
from fleetview_agent.backends.simulated.resident import Resident, be_told, count_tokens
from fleetview_agent.backends.simulated.store import Store
from fleetview_agent.config import SimulatedConfig
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
    Traffic,
    Transfer,
)

NAME = "simulated"
ABILITIES = ("start", "stop", "restart", "pin", "unpin", "keep", "pull", "create", "delete")
LOAD_OPTIONS = tuple(name for name in LoadOptions.model_fields if name not in {"context", "keep"})
LOAD_STEPS = 20
BREAKS_AT_STEP = 12
DIE = "/die"
"""The prompt that ends a model as a crash would."""
CRASH = "/crash"
"""The prompt that ends the server as a crash would."""
FIRST_PID = 4711
KILLED = -9
LAST_WORDS = ("simulated: asked to die",)


class SimulatedBackend:
    """Models of which nothing is real but the time they take."""

    name = NAME

    def __init__(
        self,
        config: SimulatedConfig,
        changed: Callable[[], None],
        lost: Callable[[str, str], None] = lambda _backend, _reason: None,
    ) -> None:
        self._config = config
        self._changed = changed
        self._lost = lost
        self._store = Store(NAME, config.load_seconds)
        self._resident: dict[str, Resident] = {}
        self._is_running = True
        self._pids = itertools.count(FIRST_PID)
        self._asked_at: float | None = None

    async def status(self) -> BackendState:
        """Ready unless it was stopped, or its server killed."""
        for resident in tuple(self._resident.values()):
            if resident.expires_in_seconds == 0.0:
                self._forget(resident)
        return BackendState(
            backend=NAME,
            phase="ready" if self._is_running else "stopped",
            version=__version__,
            supervisor="fleetview-agent",
            hint=None if self._is_running else f"start it: fleetview start NODE {NAME}",
            abilities=ABILITIES,
            load_options=LOAD_OPTIONS,
            models=tuple(model.file() for model in self._store.models.values()),
            resident=tuple(resident.state() for resident in self._resident.values()),
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
        usable, context = self._usable(model), options.context or DEFAULT_CONTEXT
        options = options.model_copy(update={"context": context})
        if self._is_resident(model, options):
            return
        if not self._is_running:
            raise BackendFailed(f"{NAME} is stopped", "start it first")
        resident = self._resident[model] = Resident(usable, context, options)
        resident.keep_seconds = None if options.keep == "forever" else options.keep
        self._changed()
        try:
            for step in range(1, LOAD_STEPS + 1):
                await resident.pause(self._config.load_seconds / LOAD_STEPS)
                if usable.breaks and step == BREAKS_AT_STEP:
                    raise BackendFailed(
                        f"llama.cpp could not load {NAME}/{model}", log=ENGINE_LOG, exit_status=ENGINE_STATUS
                    )
                resident.progress = step / LOAD_STEPS
                progress(resident.progress)
                self._changed()
            resident.phase, resident.used_at = "ready", time.monotonic()
            self._changed()
        finally:
            if resident.phase != "ready":
                self._forget(resident)

    async def warm(self, model: str) -> None:
        """Generate one token. Raises NotResident."""
        await self._ready(model).pause(self._token_seconds)

    async def unload(self, model: str) -> None:
        """Take a tenth of the time that loading takes. Raises NotFound, NotResident."""
        self._store.known(model.partition("#")[0])
        if (resident := self._resident.get(model)) is None:
            raise NotResident(f"{NAME}/{model} is not resident")
        resident.phase = "unloading"
        resident.gone.set()
        self._changed()
        await asyncio.sleep(self._config.load_seconds / 10)
        await be_told()
        self._forget(resident)

    def chat(self, model: str, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        """Say again what was said last, word by word; closing the iterator cancels."""
        return self._answer(model, tuple(message.content for message in request.messages), request)

    def complete(self, model: str, request: CompletionRequest) -> AsyncGenerator[ChatChunk, None]:
        """Say the text again, word by word; closing the iterator cancels."""
        return self._answer(model, (request.prompt,), request)

    def traffic(self) -> tuple[Traffic, ...]:
        """What ready models did since the previous call."""
        now = time.monotonic()
        elapsed = None if self._asked_at is None else now - self._asked_at
        self._asked_at = now
        rows = []
        for resident in self._resident.values():
            if resident.phase != "ready":
                continue
            tokens, resident.counted_tokens = resident.counted_tokens, 0
            rows.append(
                Traffic(
                    backend=NAME,
                    model=resident.model.name,
                    in_flight=int(resident.turn.locked()),
                    queued=resident.waiting,
                    generation_tokens_per_second=tokens / elapsed if elapsed else None,
                )
            )
        return tuple(rows)

    async def server_steps(self, verb: ServerVerb) -> ServerSteps:
        """What would be done, in a word."""
        return ServerSteps(supervisor="fleetview-agent", commands=(f"simulated {verb}",))

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
        if (resident := self._resident.get(model)) is None:
            raise NotResident(f"{NAME}/{model} is not resident", "load it first")
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
        for resident in tuple(self._resident.values()):
            self._forget(resident)

    @property
    def _token_seconds(self) -> float:
        """How long one token takes."""
        return 1 / self._config.tokens_per_second

    async def _answer(self, model: str, texts: tuple[str, ...], request: Generation) -> AsyncGenerator[ChatChunk, None]:
        """Say the last of these texts again, once it is this request's turn."""
        resident = self._ready(model)
        prompt_tokens = count_tokens(texts)
        if prompt_tokens >= resident.context:
            raise ContextExceeded(
                f"the prompt has {prompt_tokens} tokens, the context of {NAME}/{model} {resident.context}",
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
            answer = resident.answer(texts[-1], prompt_tokens, request, self._token_seconds)
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
        resident = self._resident.get(model)
        if resident is None or resident.phase != "ready":
            raise NotResident(f"{NAME}/{model} is not resident", "load it first")
        return resident

    def _is_resident(self, model: str, wanted: LoadOptions) -> bool:
        """Whether it is there as wanted. Raises BadRequest where it is there otherwise."""
        resident = self._resident.get(model)
        if resident is None or resident.phase == "failed":
            return False
        asked = wanted.model_dump(exclude={"keep"}, exclude_none=True)
        if resident.phase != "ready" or asked.items() - resident.options.model_dump().items():
            told = f"{resident.phase} with a context of {resident.context} tokens"
            raise BadRequest(f"{NAME}/{model} is {told} and settings of its own", "unload it first")
        return True

    def _die(self, resident: Resident) -> BackendFailed:
        """Let a model fall out of memory as in a crash; returns what to raise."""
        reason = f"the process of {NAME}/{resident.model.name} was killed"
        resident.phase = "failed"
        resident.failure = Failure(reason=reason, exit_status=KILLED, log=LAST_WORDS)
        resident.gone.set()
        self._changed()
        return BackendFailed(reason, "load it again", log=LAST_WORDS, exit_status=KILLED)

    def _crash(self) -> BackendFailed:
        """End the server as by a signal; its models stay behind as orphans. Returns what to raise."""
        reason = f"the server of {NAME} was killed by signal 9"
        self._is_running = False
        for name, resident in tuple(self._resident.items()):
            del self._resident[name]
            resident.gone.set()
            resident.phase, resident.pid = "orphaned", next(self._pids)
            self._resident[f"{name}#{resident.pid}"] = resident
        self._lost(NAME, reason)
        self._changed()
        return BackendFailed(reason, "it is started again by itself", exit_status=KILLED)

    def _forget(self, resident: Resident) -> None:
        """Take a model off the list."""
        resident.gone.set()
        if self._resident.get(name := resident.state().name) is resident:
            del self._resident[name]
            self._changed()
