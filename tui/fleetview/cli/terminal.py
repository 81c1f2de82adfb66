"""The operator, asked on the terminal that a command runs in."""

from __future__ import annotations

import asyncio
import os
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fleetview.paths import tilde
from fleetview.present.text import plain
from fleetview.remote.host_key import HostKey

TERMINAL = "/dev/tty"
MOST_TRIES = 3
"""Passphrases that one private key is asked for, as ssh does."""
POLL_SECONDS = 0.05
LONGEST_BYTES = 4096
"""What a terminal takes as one line."""


class Terminal:
    """Answers what a connection cannot go on without: passphrases, where there is a terminal.

    A host key is never asked for here: whoever runs a command that may stand in a script has to know the machine.
    """

    def __init__(self) -> None:
        self._tries: dict[Path, int] = {}

    async def trust(self, node: str, key: HostKey) -> bool:  # noqa: ARG002 - whatever the machine
        """No."""
        return False

    async def passphrase(self, node: str, file: Path, *, wrong: bool) -> str | None:
        """What opens the private key; None: there is no terminal, nothing was typed, or it was wrong too often."""
        tries = self._tries[file] = self._tries.get(file, 0) + 1
        if tries > MOST_TRIES:
            return None
        again = "That did not open it. " if wrong else ""
        return await _hidden_line(f"{again}Passphrase for {plain(tilde(file))} (for {plain(node)}): ")


async def _hidden_line(prompt: str) -> str | None:
    """A line that is typed unseen; None where nobody can be asked, or nothing is typed.

    The terminal is looked at again and again rather than waited for in a thread, which an interrupt could not end.
    """
    try:
        terminal = os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        with _unseen(terminal):
            os.write(terminal, prompt.encode())
            line = await _line(terminal)
    except (OSError, termios.error):  # it has gone
        return None
    finally:
        os.close(terminal)
    return line.decode(errors="replace").rstrip("\r\n") or None


async def _line(terminal: int) -> bytes:
    """What is typed up to the next Enter; nothing at the end of input."""
    while True:
        try:
            return os.read(terminal, LONGEST_BYTES)
        except BlockingIOError:
            await asyncio.sleep(POLL_SECONDS)


@contextmanager
def _unseen(terminal: int) -> Iterator[None]:
    """What is typed does not show, and what is left of it when this ends goes to nobody else."""
    usual = termios.tcgetattr(terminal)
    silent = usual.copy()
    silent[3] &= ~termios.ECHO
    try:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, silent)
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, usual)
        os.write(terminal, b"\n")
