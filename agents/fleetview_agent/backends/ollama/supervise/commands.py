"""Running the commands of the system: those that only read, and those that act."""

from __future__ import annotations

import asyncio
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fleetview_agent.backends.ollama.supervise.steps import Run
from fleetview_agent.errors import BackendFailed

ASK_SECONDS = 2.0
"""How long a command that only reads may take."""
RUN_SECONDS = 100.0
"""How long a command that acts may take; systemd gives a service 90 s to end."""
BUSY_SECONDS = 5.0
"""How long a command is tried again that found somebody busy."""
BUSY_PAUSE_SECONDS = 0.5
TOLD_LENGTH = 300
NOT_FOUND = 127
TOO_SLOW = 124


@dataclass(frozen=True)
class Answer:
    """How a command ended, and what it printed."""

    status: int
    output: str = ""


Ask = Callable[..., Awaitable[Answer]]
"""Runs the words it is given, as `ask` does."""


async def ask(*words: str) -> Answer:
    """Run a command that only reads; one that is missing or too slow has an exit status of its own."""
    return await _run(words, ASK_SECONDS)


async def act(step: Run) -> None:
    """Run a command that changes something. Raises BackendFailed."""
    deadline = time.monotonic() + BUSY_SECONDS
    answer = await _run(step.words, RUN_SECONDS)
    while answer.status in step.busy and time.monotonic() < deadline:
        await asyncio.sleep(BUSY_PAUSE_SECONDS)
        answer = await _run(step.words, RUN_SECONDS)
    if answer.status in step.fine:
        return
    if answer.status == NOT_FOUND:
        told = f"there is no command {step.words[0]} on PATH"
    elif answer.status == TOO_SLOW:
        told = f"it was not done within {RUN_SECONDS:.0f} s"
    else:
        lines = [line.strip() for line in answer.output.splitlines() if line.strip()]
        told = (lines[-1][:TOLD_LENGTH] if lines else "it said nothing") + f" (exit status {answer.status})"
    raise BackendFailed(f"`{step.text}` failed: {told}", step.advice, exit_status=answer.status)


async def _run(words: tuple[str, ...], seconds: float) -> Answer:
    """Run a command; it does not outlive its time."""
    try:
        process = await asyncio.create_subprocess_exec(*words, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT)
    except OSError:
        return Answer(NOT_FOUND)
    try:
        async with asyncio.timeout(seconds):
            output, _ = await process.communicate()
    except TimeoutError:
        return Answer(TOO_SLOW)
    finally:
        if process.returncode is None:
            process.kill()
            await asyncio.shield(process.wait())
    return Answer(process.returncode or 0, output.decode(errors="replace"))
