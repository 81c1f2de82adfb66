"""Ollama's processes on this machine: its servers, and the runners in which its models live.

Since version 0.30 a runner is `llama-server --model BLOB --port N … -c TOKENS -np SEQUENCES`, one for each resident
model (ollama : llm/llama_server.go, startLlamaServer); models stored as safetensors have `ollama runner --mlx-engine
--model NAME --port N` (x/mlxrunner).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

import psutil

YOUNG_SECONDS = 3.0
"""A process this young may not have become what it will be: between fork and exec it looks like its parent."""
_GONE = (psutil.NoSuchProcess, psutil.ZombieProcess)


@dataclass(frozen=True)
class Server:
    """A process that is `ollama serve`."""

    pid: int
    parent_pid: int
    created_at: float
    """Seconds since 1970; with the pid it names one process for ever."""
    command: tuple[str, ...]
    """Empty where another account's command line cannot be read."""
    user: str | None = None


@dataclass(frozen=True)
class Runner:
    """A process that holds one model for an Ollama server, or held it for one that is gone."""

    pid: int
    parent_pid: int
    created_at: float
    model: str
    """Path of the blob; a model's name for a runner of safetensors."""
    port: int | None
    context: int | None
    """Tokens for each sequence; None where the command line does not say."""
    parallel: int
    """Sequences at a time."""
    memory_bytes: int | None
    """Resident memory of the process, which on a machine without a GPU counts mapped weights too."""
    orphaned: bool
    """Whether the server that started it is gone, so that nobody can ask it any more."""


@dataclass(frozen=True)
class Processes:
    """What was found in one look."""

    servers: tuple[Server, ...] = ()
    runners: tuple[Runner, ...] = ()


class ProcessTable:
    """Looks for Ollama's processes; reads a command line only while its process is young. Blocking, about 1 ms."""

    def __init__(self) -> None:
        self._of_no_concern: set[int] = set()
        self._found: dict[int, tuple[psutil.Process, Server | Runner]] = {}

    def look(self) -> Processes:
        """The processes as they are now."""
        pids = set(psutil.pids())
        self._of_no_concern &= pids
        self._found = {pid: found for pid in sorted(pids - self._of_no_concern) if (found := self._look_at(pid))}
        told = [one for _, one in self._found.values()]
        servers = tuple(one for one in told if isinstance(one, Server))
        alive = {server.pid for server in servers}
        return Processes(servers, tuple(_with_parent(one, alive) for one in told if isinstance(one, Runner)))

    def _look_at(self, pid: int) -> tuple[psutil.Process, Server | Runner] | None:
        """One process; None where it is of no concern, or gone."""
        process, told = self._found.get(pid, (None, None))
        try:
            if process is None or told is None:
                process = psutil.Process(pid)
                told = _server(process) or _runner(process)
            elif time.time() - told.created_at < YOUNG_SECONDS:
                told = _server(process) or _runner(process)
            else:
                told = _renewed(process, told)
            if told is None and time.time() - process.create_time() > YOUNG_SECONDS:
                self._of_no_concern.add(pid)
        except _GONE:
            return None
        except psutil.AccessDenied:
            self._of_no_concern.add(pid)
            return None
        return None if told is None else (process, told)


def _renewed(process: psutil.Process, told: Server | Runner) -> Server | Runner:
    """What can change of a process that is known. Raises NoSuchProcess, ZombieProcess."""
    with process.oneshot():
        if process.status() == psutil.STATUS_ZOMBIE:
            raise psutil.ZombieProcess(process.pid)
        parent = process.ppid()  # raises where the number is another process's by now
        if isinstance(told, Server):
            return replace(told, parent_pid=parent)
        return replace(told, parent_pid=parent, memory_bytes=_memory(process))


def _server(process: psutil.Process) -> Server | None:
    """The process as a server; None where it is none."""
    command = _command(process)
    if command and (PurePath(command[0]).name != "ollama" or "serve" not in command[1:]):
        return None
    if not command and process.name() != "ollama":
        return None
    with process.oneshot():
        return Server(process.pid, process.ppid(), process.create_time(), command, _user(process))


def _runner(process: psutil.Process) -> Runner | None:
    """The process as a runner; None where it is none, also for a llama-server that is not Ollama's."""
    command = _command(process)
    program = PurePath(command[0]).name if command else ""
    model = _option(command, "--model")
    if model is None:
        return None
    is_llama = program == "llama-server" and PurePath(model).name.startswith("sha256-")
    is_mlx = program == "ollama" and "runner" in command[1:3]
    if not is_llama and not is_mlx:
        return None
    parallel = _number(_option(command, "-np")) or 1
    tokens = _number(_option(command, "-c"))
    with process.oneshot():
        return Runner(
            pid=process.pid,
            parent_pid=process.ppid(),
            created_at=process.create_time(),
            model=model,
            port=_number(_option(command, "--port")),
            context=tokens // parallel if tokens else None,
            parallel=parallel,
            memory_bytes=_memory(process),
            orphaned=False,
        )


def _with_parent(runner: Runner, servers: set[int]) -> Runner:
    """The runner, orphaned where its parent is no server."""
    return runner if runner.parent_pid in servers else replace(runner, orphaned=True)


def _command(process: psutil.Process) -> tuple[str, ...]:
    """The command line; empty where it cannot be read, or where there is none."""
    try:
        return tuple(process.cmdline())
    except psutil.AccessDenied:
        return ()


def _user(process: psutil.Process) -> str | None:
    """The account that it runs as."""
    try:
        return process.username()
    except (psutil.AccessDenied, KeyError):
        return None


def _memory(process: psutil.Process) -> int | None:
    """What it has in memory."""
    try:
        return int(process.memory_info().rss)
    except psutil.AccessDenied:
        return None


def _option(command: Sequence[str], name: str) -> str | None:
    """What follows an option on the command line."""
    for index, word in enumerate(command[:-1]):
        if word == name:
            return command[index + 1]
    return None


def _number(text: str | None) -> int | None:
    """A whole number; None for anything else."""
    return int(text) if text is not None and text.isdecimal() else None
