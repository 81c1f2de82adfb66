"""One model and its process, from the first moment of its load to the end of its memory."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from fleetview_agent.backends import Progress
from fleetview_agent.backends.llamacpp.answers import Answers
from fleetview_agent.backends.llamacpp.process import Child
from fleetview_agent.errors import BackendFailed, NotResident
from fleetview_agent.llamacpp_worker.pipe import Frame
from fleetview_agent.wire import ChatChunk, Failure, LoadOptions, ResidentModel, Traffic

NO_METAL = (
    "this build of llama.cpp has no Metal, so models run on the CPU; build it again with the command line tools of "
    "Xcode: CMAKE_ARGS=-DGGML_METAL=on pip install --force-reinstall --no-cache-dir llama-cpp-python"
)
_UNLOCKED = "its weights could not be locked in memory; raise the limit of locked memory (ulimit -l) and load it again"


@dataclass(frozen=True)
class Loading:
    """What is loaded, and how."""

    model: str
    path: str
    quantization: str | None
    options: LoadOptions
    """All of them said."""

    @property
    def command(self) -> Frame:
        """What the child is told."""
        return {"do": "load", "path": self.path, **self.options.model_dump(exclude={"keep"})}


class Resident:
    """A model in memory, on its way there, or fallen out of it."""

    def __init__(
        self, loading: Loading, changed: Callable[[], None], logged: Callable[[str], None] = lambda _: None
    ) -> None:
        self.phase: Literal["loading", "ready", "unloading", "failed"] = "loading"
        self.lacks_metal = False
        """Whether the engine on this Mac turned out to be built without what its GPU needs."""
        self._loading = loading
        self._changed = changed
        self._logged = logged
        self._child: Child | None = None
        self._loaded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._progress: float | None = None
        self._tell_progress: Progress = lambda _: None
        self._memory_bytes: int | None = None
        self._gpu_memory_bytes: int | None = None
        self._remark: str | None = None
        self._failure: Failure | None = None
        self._answers = Answers(loading.model, self._send, changed)
        self._watching: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """Of the model."""
        return self._loading.model

    @property
    def options(self) -> LoadOptions:
        """How it was loaded."""
        return self._loading.options

    def row(self) -> ResidentModel:
        """What is to be shown."""
        ready = self.phase == "ready"
        return ResidentModel(
            name=self.name,
            phase=self.phase,
            progress=self._progress if self.phase == "loading" else None,
            memory_bytes=None if self.phase == "failed" else self._memory_bytes,
            gpu_memory_bytes=None if self.phase == "failed" else self._gpu_memory_bytes,
            context=self.options.context,
            quantization=self._loading.quantization,
            idle_seconds=self._answers.idle_seconds if ready else None,
            time_to_first_token_seconds=self._answers.time_to_first_token_seconds,
            options=self.options,
            pid=self._child.pid if self._child and self.phase != "failed" else None,
            remark=self._remark,
            failure=self._failure,
        )

    async def load(self, child: Awaitable[Child], progress: Progress) -> None:
        """Return when the model can answer. Cancelled or failed, its process is gone. Raises BackendFailed."""
        self._tell_progress = progress
        self._child = await child
        self._child.listen(self._receive, self._logged)
        self._watching = asyncio.create_task(self._watch(self._child), name=f"llamacpp {self.name}")
        self._child.send(self._loading.command)
        try:
            await self._loaded
        finally:
            if self.phase != "ready":
                self._child.kill()
                await self._gone()

    def stream(self, command: Frame) -> AsyncGenerator[ChatChunk, None]:
        """Carry out a request that is answered; closing this cancels. Raises NotResident."""
        self._require_ready()
        return self._answers.stream(command)

    async def warm(self) -> None:
        """Generate one token, really."""
        self._require_ready()
        async for _ in self._answers.stream({"do": "warm", "max_tokens": 1}):
            pass

    async def unload(self) -> None:
        """End the process; return when it is gone, and its memory with it."""
        if self.phase == "failed":
            return
        self.phase = "unloading"
        self._changed()
        self._end_requests(BackendFailed(f"{self.name} was unloaded during the answer", "load it again to go on"))
        if self._child is not None:
            await self._child.end()
            await self._gone()

    def traffic(self, backend: str) -> Traffic:
        """What was done since the previous call."""
        return self._answers.traffic(backend)

    def _send(self, frame: Frame) -> None:
        if self._child is not None:
            self._child.send(frame)

    def _receive(self, frame: Frame) -> None:
        """The child has said something."""
        match frame["is"]:
            case "progress":
                self._progress = frame["share"]
                self._tell_progress(frame["share"])
            case "loaded":
                self._memory_bytes = frame["memory_bytes"]
                self._gpu_memory_bytes = frame["gpu_memory_bytes"] if frame["knows_gpus"] else None
                self.lacks_metal = not frame["knows_gpus"] and sys.platform == "darwin"
                self._remark = _remark(lacks_metal=self.lacks_metal, is_unlocked=frame["is_unlocked"])
                if not self._loaded.done():
                    self.phase = "ready"
                    self._loaded.set_result(None)
                    self._changed()
            case _:
                self._answers.receive(frame)

    async def _watch(self, child: Child) -> None:
        """Wait for the end of the process, and say what it means."""
        await child.ended()
        reason = self._cause(child)
        hint = "the engine's last lines say more" if self.phase == "loading" else "load it again"
        self._end_requests(BackendFailed(reason, hint, log=child.log, exit_status=child.exit_status))
        if self.phase == "ready":
            self.phase = "failed"
            self._failure = Failure(reason=reason, exit_status=child.exit_status, log=child.log)
            self._changed()

    def _cause(self, child: Child) -> str:
        """Why the process ended, in a sentence."""
        if self.phase == "loading" and child.last_words:
            return f"{self.name} could not be loaded: {child.last_words}"
        if self.phase == "loading":
            return f"the process of {self.name} {child.how_it_ended()} while it was loaded"
        doing = "during an answer" if self._answers.idle_seconds is None else "while it was resident"
        said = f": {child.last_words}" if child.last_words else ""
        return f"the process of {self.name} {child.how_it_ended()} {doing}{said}"

    def _end_requests(self, problem: BackendFailed) -> None:
        """Let everyone go who waits for this model, to be loaded or to answer."""
        if not self._loaded.done():
            self._loaded.set_exception(problem)
        self._answers.fail(problem)

    async def _gone(self) -> None:
        """Wait until the end of the process has been dealt with."""
        if self._watching is not None:
            await asyncio.shield(self._watching)

    def _require_ready(self) -> None:
        """Raise NotResident where there is nobody to answer."""
        if self.phase == "failed":
            raise NotResident(f"{self.name} has failed and is not in memory", "load it again")
        if self.phase != "ready":
            raise NotResident(f"{self.name} is {self.phase}", "wait until that is over")


def _remark(*, lacks_metal: bool, is_unlocked: bool) -> str | None:
    """What an operator should know of a load that went well."""
    return "; ".join((NO_METAL,) * lacks_metal + (_UNLOCKED,) * is_unlocked) or None
