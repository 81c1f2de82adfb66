"""The agent of this machine, started when none serves."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from fleetview.remote.errors import Unreachable

START_SECONDS = 10.0
POLL_SECONDS = 0.03
GRACE_SECONDS = 0.5
"""How long to look for another agent when ours has ended: the loser of two that were started at once ends at once."""
LAST_WORDS_BYTES = 4096
LONGEST_WORDS = 300
PROBE = b"GET /api/snapshot HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def local_agent(name: str, socket: Path, *, revive: bool = False) -> AsyncIterator[None]:
    """See that an agent serves on `socket` of this machine; it goes on afterwards. Raises Unreachable.

    With `revive`, only in place of one that crashed: one that was stopped has taken its socket away.
    """
    if await answers(socket, START_SECONDS):
        yield
        return
    if revive and not socket.exists():  # noqa: ASYNC240 - one look at a local folder
        raise Unreachable(f"the agent of {name} was stopped", "r starts it again")
    with tempfile.TemporaryFile() as output:
        child = _start(name, output)
        try:
            await _await_answer(name, socket, child, output)
            yield
        finally:
            if child.poll() is None:
                child.returncode = 0  # it goes on without us, which Popen would warn about


async def answers(socket: Path, seconds: float) -> bool:
    """Whether somebody answers a request on `socket`; False at once where nobody listens."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_unix_connection(socket)
            try:
                writer.write(PROBE)
                return await reader.read(1) != b""
            finally:
                writer.close()
    except (OSError, TimeoutError):  # nobody listens, or whoever does has ended, or says nothing
        return False


def _start(name: str, output: IO[bytes]) -> subprocess.Popen[bytes]:
    """An agent in the background that ends a while after its last client has left."""
    command = [sys.executable, "-m", "fleetview_agent", "serve", "--linger", "60"]
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",  # where we are may go away, or hold a file named like a module
            start_new_session=True,
        )
    except OSError as problem:
        raise Unreachable(f"the agent of {name} could not be started: {problem.strerror}") from problem


async def _await_answer(name: str, socket: Path, child: subprocess.Popen[bytes], output: IO[bytes]) -> None:
    """Return when an agent answers on `socket`, ours or one that was faster."""
    clock = asyncio.get_running_loop().time
    give_up = clock() + START_SECONDS
    while not await answers(socket, max(0.1, give_up - clock())):
        if clock() > give_up:
            if child.poll() is None:
                raise Unreachable(f"the agent of {name} was started and does not answer within {START_SECONDS:.0f} s")
            words = _last_words(output) or f"exit status {child.returncode}"
            raise Unreachable(f"the agent of {name} ended as soon as it was started: {words}")
        if child.poll() is not None:
            give_up = min(give_up, clock() + GRACE_SECONDS)
        await asyncio.sleep(POLL_SECONDS)


def _last_words(output: IO[bytes]) -> str:
    """The last line that the agent wrote."""
    output.seek(0, 2)
    output.seek(max(0, output.tell() - LAST_WORDS_BYTES))
    lines = output.read().decode(errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return "".join(char for char in last if char.isprintable())[:LONGEST_WORDS]
