"""Follows the system's journal, where a service writes its log that has no file, by a child that ends with us."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from contextlib import suppress

from fleetview_agent.backends.ollama.supervise.facts import LogUnit

SHOWN_BEFORE = 20
"""Lines from before we came that are told."""
MOST_LINES = 2000
"""Held until somebody takes them; older ones are no longer news."""
AGAIN_SECONDS = 30.0
"""How long a journal that could not be read is left alone."""
LONGEST_LINE = 64 * 1024
_WORDS = ("journalctl", "--quiet", "--follow", "--output=cat", "--no-pager")


class SystemJournal:
    """What one service writes."""

    def __init__(self, unit: LogUnit) -> None:
        self.unit = unit
        self._command = (*_WORDS, "--user-unit" if unit.is_user else "--unit", unit.name)
        self._lines: deque[str] = deque(maxlen=MOST_LINES)
        self._following: asyncio.Task[None] | None = None
        self._before = SHOWN_BEFORE
        """Lines of the past that are yet to be told."""
        self._problem: str | None = None

    def new_lines(self) -> tuple[str, ...]:
        """The lines that were written since the call before; the first call begins to follow."""
        if self._following is None:
            self._following = asyncio.create_task(self._follow())
        lines = tuple(self._lines)
        self._lines.clear()
        return lines

    async def close(self) -> None:
        """End the child."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
            self._following = None

    async def _follow(self) -> None:
        """Read the journal until cancelled; where that ends, say why, and try again."""
        while True:
            problem = await self._read()
            if problem != self._problem:
                self._problem = problem
                self._lines.append(f"the log of {self.unit.name} cannot be read from the system's journal: {problem}")
            await asyncio.sleep(AGAIN_SECONDS)

    async def _read(self) -> str:
        """Take lines in for as long as the child lives; why it ended."""
        try:
            child = await asyncio.create_subprocess_exec(
                *self._command, f"--lines={self._before}", stdin=DEVNULL, stdout=PIPE, stderr=PIPE, limit=LONGEST_LINE
            )
        except OSError as problem:
            return f"journalctl: {problem.strerror or problem}"
        try:
            return await self._listen(child)
        finally:
            if child.returncode is None:
                with suppress(ProcessLookupError):
                    child.kill()
            await asyncio.shield(child.wait())

    async def _listen(self, child: Process) -> str:
        """Take in what the child prints; its last words where it ends."""
        assert child.stdout is not None
        assert child.stderr is not None
        complaints = asyncio.create_task(child.stderr.read(LONGEST_LINE))
        try:
            while line := await _line(child.stdout):
                self._problem, self._before = None, 0
                self._lines.append(line.decode(errors="replace").rstrip("\n"))
            told = (await complaints).decode(errors="replace").strip().splitlines()
        finally:
            complaints.cancel()
        return told[-1] if told else f"journalctl ended with status {await child.wait()}"


async def _line(stream: asyncio.StreamReader) -> bytes:
    """The next line; one that is longer than anybody reads is left out. Empty at the end."""
    while True:
        try:
            return await stream.readline()
        except ValueError:  # over the limit: asyncio has thrown it away
            continue
