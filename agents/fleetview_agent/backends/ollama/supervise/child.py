"""The agent's own `ollama serve`: it survives the agent, and the next agent adopts it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from fleetview_agent.backends.ollama.supervise.ending import end, last_status, reap, running
from fleetview_agent.backends.ollama.supervise.facts import OwnChild
from fleetview_agent.backends.ollama.supervise.ports import ports_of
from fleetview_agent.backends.ollama.supervise.server_log import last_lines, open_log, rotate
from fleetview_agent.backends.ollama.supervise.state import State, read_state, write_state
from fleetview_agent.backends.ollama.supervise.steps import Spawn
from fleetview_agent.config import OllamaServeConfig
from fleetview_agent.errors import BackendFailed
from fleetview_agent.paths import private_folder
from fleetview_agent.wire import Failure

WATCH_SECONDS = 0.5
"""How late its end may be noticed."""
ROTATE_SECONDS = 10.0
"""How often the size of its log is looked at."""
STOP_SECONDS = 10.0
"""How long it may take to end before it is killed."""
LISTEN_POLL_SECONDS = 0.05
READY_SECONDS = 30.0
"""How long it may take until it listens; it looks for GPUs first."""
RESTART_WINDOW_SECONDS = 600.0
REASON_LINE_LENGTH = 160
RESET_SIGNALS = (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ours may be ignored, and a child would inherit that."""

log = logging.getLogger(__name__)


class Child:
    """At most one server of the agent's own, at one address."""

    def __init__(self, folder: Path, address: str, serve: OllamaServeConfig, lost: Callable[[str], None]) -> None:
        port = address.rpartition(":")[2]
        self._log = folder / f"server-{port}.log"
        self._file = folder / f"server-{port}.json"
        self._serve = serve
        self._lost = lost
        self._state = State()
        self._watching: asyncio.Task[None] | None = None
        self._is_adopted = False
        self.failure: Failure | None = None
        """How it ended unasked, until it is started again."""

    @property
    def running(self) -> OwnChild | None:
        """The server, while it should be running."""
        return None if self._state.pid is None else OwnChild(self._state.pid, self._state.created_at, self._log)

    @property
    def log_file(self) -> Path:
        """What it says, and said."""
        return self._log

    def adopt(self) -> None:
        """Take over the server that an earlier agent started; needed once."""
        if self._is_adopted:
            return
        self._is_adopted = True
        self._state = read_state(self._file)
        state = self._state
        if state.pid is not None and not running(state.pid, state.created_at):
            self._ended(state.pid, None)
        elif state.pid is not None:
            self._watching = asyncio.create_task(self._watch(state.pid, state.created_at), name="ollama serve")
        elif state.gave_up is not None:
            self.failure = Failure(reason=state.gave_up, log=last_lines(self._log))
        elif state.is_due:
            self._lost("the agent ended before it had started its Ollama server again")

    async def start(self, spawn: Spawn) -> None:
        """Return when it listens. Raises BackendFailed.

        Whoever starts it other than for its loss begins to count losses anew.
        """
        await self.close()
        if not self._state.is_due:
            self._keep(State())
        try:
            private_folder(self._file.parent)
            pid = _spawn(spawn, self._log)
        except OSError as problem:
            what = problem.filename or spawn.program
            raise BackendFailed(f"ollama serve cannot be started: {what}: {problem.strerror or problem}") from problem
        self._keep(self._state.model_copy(update={"pid": pid, "created_at": _created_at(pid), "gave_up": None}))
        self.failure = None
        try:
            await self._listens(pid)
        except BackendFailed as problem:
            self._count()
            self.failure = Failure(reason=problem.message, exit_status=problem.exit_status, log=problem.log)
            raise
        except asyncio.CancelledError:
            await asyncio.shield(self.stop())
            raise
        self._keep(self._state.model_copy(update={"is_due": False}))
        self._watching = asyncio.create_task(self._watch(pid, self._state.created_at), name="ollama serve")

    async def stop(self) -> None:
        """Return when it is gone, with its runners. Raises BackendFailed."""
        child = self.running
        await self.close()
        self._keep(State())
        self.failure = None
        if child is not None:
            await end(child.pid, child.created_at, seconds=STOP_SECONDS, insist=True)

    async def close(self) -> None:
        """Watch no more, and leave it running."""
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            await asyncio.wait({watching})

    async def _listens(self, pid: int) -> None:
        """Return when it listens, or time is over. Raises BackendFailed where it ends first."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if (status := reap(pid)) is not None:
                told = last_lines(self._log)
                words = f"; it said: {told[-1]}" if told else ""
                raise BackendFailed(
                    f"ollama serve {_how(status)} before it listened{words}", log=told, exit_status=status
                )
            if await asyncio.to_thread(_is_listening, pid):
                return
            await asyncio.sleep(LISTEN_POLL_SECONDS)

    async def _watch(self, pid: int, created_at: float) -> None:
        """Keep its log short, and tell of its end."""
        next_rotation = 0.0
        while True:
            if not running(pid, created_at):
                self._ended(pid, await last_status(pid))
                return
            if time.monotonic() >= next_rotation:
                next_rotation = time.monotonic() + ROTATE_SECONDS
                try:
                    await asyncio.to_thread(rotate, self._log, self._serve.log_mib << 20)
                except OSError as problem:
                    log.warning("%s cannot be rotated: %s", self._log, problem)
            await asyncio.sleep(WATCH_SECONDS)

    def _ended(self, pid: int, status: int | None) -> None:
        """It ended unasked: it is due again, unless that was too often."""
        lines = last_lines(self._log)
        how = "ended" if status is None else _how(status)
        reason = f"ollama serve (pid {pid}) {how} without being asked to"
        if lines:
            reason += f"; its last line: {lines[-1][:REASON_LINE_LENGTH]}"
        times = self._count()
        gives_up = times > self._serve.restarts
        if gives_up:
            reason += f"; that was the {_ordinal(times)} time within ten minutes, so it is not started again by itself"
        self._watching = None
        self._keep(self._state.model_copy(update={"is_due": not gives_up, "gave_up": reason if gives_up else None}))
        self.failure = Failure(reason=reason, exit_status=status, log=lines)
        if gives_up:
            log.error("%s", reason)
        else:
            self._lost(reason)

    def _count(self) -> int:
        """Note that it is gone; how often that happened lately."""
        now = time.time()
        ended = (*(moment for moment in self._state.ended if 0 <= now - moment < RESTART_WINDOW_SECONDS), now)
        self._keep(self._state.model_copy(update={"pid": None, "ended": ended}))
        return len(ended)

    def _keep(self, state: State) -> None:
        """Remember, also for the next agent."""
        if state == self._state:
            return
        self._state = state
        try:
            write_state(self._file, state)
        except OSError as problem:
            log.warning(
                "%s cannot be written, so that the next agent will not know its server: %s", self._file, problem
            )


def serve_environment(address: str, models: Path | None, serve: OllamaServeConfig) -> tuple[tuple[str, str], ...]:
    """The settings of the agent's own server, beside what it inherits."""
    flash = None if serve.flash_attention is None else int(serve.flash_attention)
    wanted = {
        "OLLAMA_HOST": address,
        "OLLAMA_MODELS": None if models is None else str(models.expanduser()),
        "OLLAMA_CONTEXT_LENGTH": serve.context,
        "OLLAMA_NUM_PARALLEL": serve.parallel,
        "OLLAMA_FLASH_ATTENTION": flash,
        "OLLAMA_KV_CACHE_TYPE": serve.kv_cache_type,
        "LLAMA_ARG_CACHE_RAM": serve.prompt_cache_mib,
        "LLAMA_ARG_ENDPOINT_METRICS": 1 if serve.metrics else None,
        "OLLAMA_NOPRUNE": 1,  # it would delete what a pull that was broken off could go on with
    }
    told = {name: str(value) for name, value in wanted.items() if value is not None}
    return tuple(sorted({**told, **serve.environment}.items()))


def _spawn(spawn: Spawn, log_file: Path) -> int:
    """Start it in a session of its own, so that it ends neither with the agent nor with a terminal. Raises OSError."""
    output = open_log(log_file)
    try:
        return os.posix_spawn(
            spawn.program,
            (str(spawn.program), "serve"),
            {**os.environ, **dict(spawn.environment)},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, output, 1),
                (os.POSIX_SPAWN_DUP2, output, 2),
            ],
            setsid=True,
            setsigmask=(),
            setsigdef=RESET_SIGNALS,
        )
    finally:
        os.close(output)


def _is_listening(pid: int) -> bool:
    """Whether it listens anywhere, or may, where that cannot be read."""
    try:
        ports = ports_of(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False
    return ports is None or bool(ports)


def _created_at(pid: int) -> float:
    """When a process began; now, if it has ended already."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return time.time()


def _how(status: int) -> str:
    """Words for an exit status."""
    if status >= 0:
        return f"ended with exit status {status}"
    try:
        return f"ended by signal {-status} ({signal.Signals(-status).name})"
    except ValueError:
        return f"ended by signal {-status}"


def _ordinal(number: int) -> str:
    """Of 1: 1st."""
    suffix = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"
