"""Copies text to the operator's clipboard: by a program of this machine, else through the terminal (OSC 52)."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress

LIMIT_BYTES = 74_994
"""Of Base64, the most that terminals take at once; of more they drop all, without a word."""
PATIENCE_SECONDS = 2.0
"""A program that takes longer waits for a display that is not there."""


def tool(
    environ: Mapping[str, str] = os.environ,
    platform: str = sys.platform,
    which: Callable[[str], str | None] = shutil.which,
) -> tuple[str, ...] | None:
    """The command line that copies its input; None where the terminal must do it.

    Where fleetview itself runs over ssh, programs here would fill the clipboard of another machine.
    """
    if "SSH_CONNECTION" in environ or "SSH_TTY" in environ:
        return None
    candidates: tuple[tuple[bool, tuple[str, ...]], ...] = (
        (platform == "darwin", ("pbcopy",)),
        ("WAYLAND_DISPLAY" in environ, ("wl-copy",)),
        ("DISPLAY" in environ, ("xclip", "-selection", "clipboard")),
        ("DISPLAY" in environ, ("xsel", "--clipboard", "--input")),
    )
    for usable, (program, *arguments) in candidates:
        if usable and (path := which(program)) is not None:
            return (path, *arguments)
    return None


async def copy(text: str, terminal: Callable[[str], None]) -> str | None:
    """Copy the text; `terminal` does it by OSC 52. Why it could not be done, in a sentence; None when it was."""
    command = tool()
    if command is not None and await _run(command, text):
        return None
    if (length := len(b64encode(text.encode()))) > LIMIT_BYTES:
        return (
            f"this is too long for the clipboard of a terminal ({length // 1000} kB of at most {LIMIT_BYTES // 1000})"
        )
    terminal(text)
    return None


async def _run(command: tuple[str, ...], text: str) -> bool:
    """Whether the program took the text."""
    nothing = asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=nothing, stderr=nothing
        )
    except OSError:
        return False
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await process.communicate(text.encode())
    except TimeoutError:
        return False
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return process.returncode == 0
