"""The runners of the stand-in: started for a model, shared by its requests, ended when its time is up."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import re
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from pathlib import Path

import httpcore

from tests.ollama.errors import Refused, not_found
from tests.ollama.settings import Settings
from tests.ollama.store import Json, Name, Store

_PREFIX = re.compile(rb"^\d+\.\d\d\.\d{3}\.\d{3} [A-Z] ")
_BUFFER = re.compile(rb"buffer size = +([\d.]+) MiB")


@dataclass
class Runner:
    """A process that holds a model."""

    name: str
    weights: Path
    context: int
    port: int
    process: Process
    turn: asyncio.Semaphore
    """As many answers at a time as it was started for; further ones wait here, where nobody sees them."""
    size_bytes: int = 0
    keep_seconds: float = math.inf
    expires_at: float = math.inf
    """Seconds since 1970."""
    users: int = 0
    unused: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    leaving: bool = False
    log: list[bytes] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Runners:
    """One for each model in memory; one is loaded at a time."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.client = httpcore.AsyncConnectionPool()
        self._settings = settings
        self._store = store
        self._loaded: dict[Path, Runner] = {}
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def loaded(self) -> list[Runner]:
        """Those whose load has ended, that which stays longest first."""
        return sorted(self._loaded.values(), key=lambda runner: -runner.expires_at)

    @contextlib.asynccontextmanager
    async def used(self, model: str, options: Json, keep: float | None) -> AsyncIterator[Runner]:
        """The runner of a model, loaded with these options; its time begins when the last request has ended."""
        runner = await self._runner(model, options)
        runner.keep_seconds = runner.keep_seconds if keep is None else keep
        if runner.timer is not None:
            runner.timer.cancel()
        runner.users += 1
        runner.unused.clear()
        try:
            yield runner
        finally:
            runner.users -= 1
            if runner.users == 0:
                runner.unused.set()
                self._arm(runner)

    def expire(self, model: str) -> None:
        """Let the model go as soon as nobody uses it."""
        runner = self._loaded.get(self._weights(model))
        if runner is not None:
            self._begin_unload(runner)

    async def close(self) -> None:
        """End all of them."""
        for runner in tuple(self._loaded.values()):
            runner.process.kill()
            await runner.process.wait()
        await self.client.aclose()

    def _weights(self, model: str) -> Path:
        if (weights := self._store.weights(model)) is None:
            raise not_found(model)
        return weights

    async def _runner(self, model: str, options: Json) -> Runner:
        weights = self._weights(model)
        given = {**self._store.parameters(model), **options}
        if not isinstance(wanted := given.get("num_ctx", self._settings.context), int):
            raise Refused(500, 'option "num_ctx" must be of type integer')
        context = min(wanted, self._store.trained_context(model))
        async with self._turn:
            runner = self._loaded.get(weights)
            if runner is not None and (runner.leaving or runner.context != context or _has_ended(runner)):
                self._begin_unload(runner)
                await runner.gone.wait()
                runner = None
            if runner is None:
                await self._make_room()
                runner = self._loaded[weights] = await self._load(Name.parse(model).shown, weights, context)
                runner.keep_seconds = self._settings.keep_seconds
                self._arm(runner)
            return runner

    async def _make_room(self) -> None:
        """Let go of the model whose keep is shortest, once there are as many as there may be."""
        while len(self._loaded) >= self._settings.max_loaded:
            runner = min(self._loaded.values(), key=lambda runner: (runner.users > 0, runner.keep_seconds))
            self._begin_unload(runner)
            await runner.gone.wait()

    async def _load(self, name: str, weights: Path, context: int) -> Runner:
        port = _free_port()
        embedding = ("--embedding",) if self._store.embeds(name) else ()
        arguments = [*_command(weights, port, context, self._settings.parallel), *embedding]
        process = await asyncio.create_subprocess_exec(
            *arguments, executable=os.environ["STANDIN_PYTHON"], stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE
        )
        runner = Runner(name, weights, context, port, process, asyncio.Semaphore(self._settings.parallel))
        runner.unused.set()
        self._keep(_pass_on(runner))
        try:
            await self._until_healthy(runner)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        return runner

    async def _until_healthy(self, runner: Runner) -> None:
        """Return when it answers. Raises Refused when it has ended instead."""
        while True:
            if _has_ended(runner):
                told = b"".join(runner.log[-20:]).decode(errors="replace").strip()
                status = f"exit status {runner.process.returncode}"
                raise Refused(500, f"llama-server process has terminated: {status}: {told}")
            with contextlib.suppress(httpcore.NetworkError, httpcore.ProtocolError):
                if (await self.client.request("GET", f"{runner.url}/health")).status == 200:
                    return
            await asyncio.sleep(0.02)

    def _arm(self, runner: Runner) -> None:
        """Begin to count the time that an unused model stays."""
        runner.expires_at = time.time() + runner.keep_seconds
        if runner.timer is not None:
            runner.timer.cancel()
        if runner.keep_seconds < math.inf:
            loop = asyncio.get_running_loop()
            runner.timer = loop.call_later(runner.keep_seconds, self._begin_unload, runner)

    def _begin_unload(self, runner: Runner) -> None:
        if not runner.leaving:
            runner.leaving = True
            self._keep(self._unload(runner))

    async def _unload(self, runner: Runner) -> None:
        await runner.unused.wait()
        with contextlib.suppress(ProcessLookupError):
            runner.process.kill()
        await runner.process.wait()
        if self._loaded.get(runner.weights) is runner:
            del self._loaded[runner.weights]
        runner.gone.set()

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _command(weights: Path, port: int, context: int, parallel: int) -> list[str]:
    """The command line of a runner, as the real server writes it, and two words that start ours."""
    program = Path(os.environ["STANDIN_PROGRAM"]).parents[1] / "lib" / "ollama" / "llama-server"
    tokens = str(context * parallel)
    given = ["--port", str(port), "--host", "127.0.0.1", "--no-webui", "--offline", "-c", tokens, "-np", str(parallel)]
    usual = ["--log-verbosity", "4", "--no-log-prefix", "--no-log-timestamps", "--flash-attn", "auto", "-b", "512"]
    return [str(program), "-m", "tests.ollama.runner", "--model", str(weights), *given, *usual]


async def _pass_on(runner: Runner) -> None:
    """Write the runner's log into our own, and note from it how much memory it takes."""
    assert runner.process.stderr is not None
    async for line in runner.process.stderr:
        text = _PREFIX.sub(b"", line)
        runner.log = [*runner.log[-40:], text]
        if found := _BUFFER.search(text):
            runner.size_bytes += int(float(found[1]) * (1 << 20))
        sys.stderr.buffer.write(text)
        sys.stderr.buffer.flush()


def _has_ended(runner: Runner) -> bool:
    return runner.process.returncode is not None


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
