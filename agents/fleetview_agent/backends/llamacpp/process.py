"""The life of one child process: its frames, its last words, its end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from typing import IO

from fleetview_agent.errors import BackendFailed
from fleetview_agent.llamacpp_worker.pipe import Frame, decode, encode

LOG_LINES = 40
LOG_LINE_LENGTH = 300
LONGEST_LINE = 8 << 10
"""Bytes of a printed line that are read at all."""
PATIENCE_SECONDS = (1.0, 1.0)
"""How long to wait for a child that was asked to end, then for one that got SIGTERM."""
LAST_LINES_SECONDS = 1.0
"""How long to wait for the end of its output, once it is gone; somebody else could hold the pipe."""
WORKER = "fleetview_agent.llamacpp_worker"


class Child:
    """A running worker; it ends when its commands end, so it cannot outlive us."""

    def __init__(self, process: Process, commands: asyncio.WriteTransport, replies: _Lines, log: _Lines) -> None:
        self._process = process
        self._commands = commands
        self._replies = replies
        self._log = log
        self._tail: deque[str] = deque(maxlen=LOG_LINES)
        self._words: str | None = None
        self._received: Callable[[Frame], None] = lambda _: None
        self._heard: Callable[[str], None] = lambda _: None
        log.begin(self._print)
        replies.begin(self._receive)
        self._life = asyncio.create_task(self._live(), name=f"llamacpp child {process.pid}")

    @classmethod
    async def start(cls) -> Child:
        """Start a worker, which imports llama.cpp at once. Raises BackendFailed."""
        try:
            return await cls._start()
        except OSError as problem:
            raise BackendFailed(f"no process could be started for llama.cpp: {problem}") from problem

    @classmethod
    async def _start(cls) -> Child:
        """Make the pipes and the process, and keep no end that is the other's."""
        loop = asyncio.get_running_loop()
        with ExitStack() as unless_it_lives:
            ours: list[IO[bytes]] = []
            theirs: list[IO[bytes]] = []
            with ExitStack() as always:
                for we_write in (True, False, False):
                    reader, writer = (os.fdopen(end, mode) for end, mode in zip(os.pipe(), ("rb", "wb"), strict=True))
                    ours.append(unless_it_lives.enter_context(writer if we_write else reader))
                    theirs.append(always.enter_context(reader if we_write else writer))
                process = await _spawn(*theirs)
            commands, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, ours[0])
            _, replies = await loop.connect_read_pipe(_Lines, ours[1])
            _, log = await loop.connect_read_pipe(_Lines, ours[2])
            unless_it_lives.pop_all()
        return cls(process, commands, replies, log)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone, and everything that it said is read."""
        return self._life.done()

    @property
    def exit_status(self) -> int | None:
        """None while it runs; negative for a signal."""
        return self._process.returncode

    @property
    def log(self) -> tuple[str, ...]:
        """The last lines of what it printed."""
        return tuple(self._tail)

    @property
    def last_words(self) -> str | None:
        """Why it gave up, where it could say so."""
        return self._words

    def listen(self, received: Callable[[Frame], None], heard: Callable[[str], None]) -> None:
        """Hand every further frame to `received`, and what it prints and has printed to `heard`."""
        self._received = received
        for line in self._tail:
            heard(line)
        self._heard = heard

    def send(self, frame: Frame) -> None:
        """Send a command; in vain where the process is gone, which its end tells."""
        if not self._commands.is_closing():
            self._commands.write(encode(frame))

    def kill(self) -> None:
        """End it at once."""
        self._signal(signal.SIGKILL)

    async def ended(self) -> None:
        """Wait until the process is gone, and everything that it said is read."""
        await asyncio.shield(self._life)

    async def end(self) -> None:
        """Ask the process to end, insist, and wait until it is gone."""
        self._commands.close()
        for patience, insist in zip(PATIENCE_SECONDS, (signal.SIGTERM, signal.SIGKILL), strict=True):
            await asyncio.wait({self._life}, timeout=patience)
            if self._life.done():
                return
            self._signal(insist)
        await self.ended()

    def how_it_ended(self) -> str:
        """Words for the exit status."""
        status = self.exit_status or 0
        return f"ended by {_signal_name(-status)}" if status < 0 else f"ended with exit status {status}"

    async def _live(self) -> None:
        """From the start to the end of the process."""
        try:
            await self._process.wait()
            await asyncio.wait({self._replies.closed, self._log.closed}, timeout=LAST_LINES_SECONDS)
        finally:
            for pipe in (self._commands, self._replies, self._log):
                pipe.close()

    def _receive(self, line: bytes) -> None:
        frame = decode(line)
        if frame["is"] == "failed":
            self._words = frame["message"]
        else:
            self._received(frame)

    def _print(self, line: bytes) -> None:
        text = line[:LONGEST_LINE].decode(errors="replace").rstrip()
        self._tail.append(text[:LOG_LINE_LENGTH])
        self._heard(text)

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            self._process.send_signal(number)


class _Lines(asyncio.Protocol):
    """Cuts what comes out of a pipe into lines, and hands them on without a task in between."""

    def __init__(self) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.BaseTransport | None = None
        self._take: Callable[[bytes], object] | None = None
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the transport."""
        self._transport = transport

    def close(self) -> None:
        """Read no more."""
        if self._transport is not None:
            self._transport.close()

    def begin(self, take: Callable[[bytes], object]) -> None:
        """Hand on what came so far, and all that comes."""
        self._take = take
        self.data_received(b"")

    def data_received(self, data: bytes) -> None:
        """Called by the transport."""
        self._rest += data
        if self._take is None:
            return
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            self._take(line)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Called by the transport."""
        if not self.closed.done():
            self.closed.set_result(None)


async def _spawn(commands: IO[bytes], replies: IO[bytes], log: IO[bytes]) -> Process:
    """Start a worker with the child's ends of the pipes, out of reach of the terminal's signals."""
    arguments = (str(commands.fileno()), str(replies.fileno()), str(os.getpid()))
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        WORKER,
        *arguments,
        stdin=DEVNULL,
        stdout=log,
        stderr=log,
        pass_fds=(commands.fileno(), replies.fileno()),
        start_new_session=True,
    )


def _signal_name(number: int) -> str:
    """A signal for people."""
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"
