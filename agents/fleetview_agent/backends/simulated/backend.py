"""A backend without an engine: loads slowly, echoes what it is told, and fails when asked to."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from fleetview_agent import __version__
from fleetview_agent.backends import Progress
from fleetview_agent.backends.simulated.models import DEFAULT_CONTEXT, ENGINE_LOG, ENGINE_STATUS, MODELS, SimulatedModel
from fleetview_agent.backends.simulated.resident import Resident, count_tokens
from fleetview_agent.config import SimulatedConfig
from fleetview_agent.errors import BackendFailed, BadRequest, ContextExceeded, NotFound, NotResident, Unusable
from fleetview_agent.gguf import Header
from fleetview_agent.wire import BackendState, ChatChunk, ChatRequest, Failure, LoadOptions, Traffic

NAME = "simulated"
LOAD_STEPS = 20
BREAKS_AT_STEP = 12
DIE = "/die"
"""The prompt that ends a model as a crash would."""
KILLED = -9
LAST_WORDS = ("simulated: asked to die",)


class SimulatedBackend:
    """Models of which nothing is real but the time they take."""

    name = NAME

    def __init__(self, config: SimulatedConfig, changed: Callable[[], None]) -> None:
        self._config = config
        self._changed = changed
        self._models = {model.name: model for model in MODELS}
        self._resident: dict[str, Resident] = {}
        self._asked_at: float | None = None

    async def status(self) -> BackendState:
        """Always there and ready."""
        return BackendState(
            backend=NAME,
            phase="ready",
            version=__version__,
            supervisor="fleetview-agent",
            models=tuple(model.file() for model in self._models.values()),
            resident=tuple(resident.state() for resident in self._resident.values()),
        )

    async def header(self, model: str) -> Header | None:
        """What the model's file would say. Raises NotFound, Unusable."""
        return self._usable(model).header()

    @contextlib.asynccontextmanager
    async def preparing(self) -> AsyncIterator[None]:
        """Nothing needs to be started ahead."""
        yield

    async def load(self, model: str, options: LoadOptions, progress: Progress) -> None:
        """Take `load_seconds`, in steps that can be seen; a broken model fails on its way."""
        usable, context = self._usable(model), options.context or DEFAULT_CONTEXT
        if self._is_resident(model, context):
            return
        resident = self._resident[model] = Resident(usable, context)
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
        self._known(model)
        if (resident := self._resident.get(model)) is None:
            raise NotResident(f"{NAME}/{model} is not resident")
        resident.phase = "unloading"
        resident.gone.set()
        self._changed()
        await asyncio.sleep(self._config.load_seconds / 10)
        self._forget(resident)

    async def chat(self, model: str, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        """Say again what was said last, word by word; closing the iterator cancels."""
        resident = self._ready(model)
        prompt_tokens = count_tokens(request.messages)
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
            if request.messages[-1].content.strip() == DIE:
                raise self._die(resident)
            async with contextlib.aclosing(resident.answer(request, self._token_seconds)) as answer:
                async for chunk in answer:
                    yield chunk
        finally:
            resident.used_at = time.monotonic()
            resident.turn.release()

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

    async def close(self) -> None:
        """Forget everything; answers in progress end."""
        for resident in tuple(self._resident.values()):
            self._forget(resident)

    @property
    def _token_seconds(self) -> float:
        """How long one token takes."""
        return 1 / self._config.tokens_per_second

    def _known(self, model: str) -> SimulatedModel:
        """A model of the list."""
        if model not in self._models:
            raise NotFound(f"{NAME} has no model {model}", f"there is {', '.join(self._models)}")
        return self._models[model]

    def _usable(self, model: str) -> SimulatedModel:
        """A model that can be loaded."""
        if refusal := (known := self._known(model)).refusal:
            raise Unusable(refusal)
        return known

    def _ready(self, model: str) -> Resident:
        """A model that can answer."""
        self._known(model)
        resident = self._resident.get(model)
        if resident is None or resident.phase != "ready":
            raise NotResident(f"{NAME}/{model} is not resident", "load it first")
        return resident

    def _is_resident(self, model: str, context: int) -> bool:
        """Whether it is there as wanted. Raises BadRequest where it is there otherwise."""
        resident = self._resident.get(model)
        if resident is None or resident.phase == "failed":
            return False
        if resident.phase != "ready" or resident.context != context:
            raise BadRequest(
                f"{NAME}/{model} is {resident.phase} with a context of {resident.context} tokens", "unload it first"
            )
        return True

    def _die(self, resident: Resident) -> BackendFailed:
        """Let a model fall out of memory as in a crash; returns what to raise."""
        reason = f"the process of {NAME}/{resident.model.name} was killed"
        resident.phase = "failed"
        resident.failure = Failure(reason=reason, exit_status=KILLED, log=LAST_WORDS)
        resident.gone.set()
        self._changed()
        return BackendFailed(reason, "load it again", log=LAST_WORDS, exit_status=KILLED)

    def _forget(self, resident: Resident) -> None:
        """Take a model off the list."""
        resident.gone.set()
        if self._resident.get(resident.model.name) is resident:
            del self._resident[resident.model.name]
            self._changed()
