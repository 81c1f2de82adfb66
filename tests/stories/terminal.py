"""A real terminal: one tmux pane with a program in it, driven by keys and read as text."""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

STEP_SECONDS = 0.05


class Terminal:
    """The pane of one tmux server of its own."""

    def __init__(self, server: str) -> None:
        self._server = server

    def tmux(self, *arguments: str) -> str:
        """Run one tmux command."""
        command = ("tmux", "-L", self._server, *arguments)
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    @property
    def screen(self) -> str:
        """What stands in the pane now."""
        return self.tmux("capture-pane", "-p", "-t", "pane")

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names for them."""
        self.tmux("send-keys", "-t", "pane", *keys)

    def type(self, text: str) -> None:
        """Type text as it is."""
        self.tmux("send-keys", "-t", "pane", "-l", text)

    def choose(self, title: str, choice: str) -> None:
        """Take a line of a list of choices, once it stands there, wherever that is."""
        screen = self.wait_for(title, choice)
        lines = [line.strip(" │▸") for line in screen.splitlines() if "│" in line]
        self.press(*["Down"] * list(filter(None, lines)).index(choice), "Enter")

    def wait_for(self, *texts: str, seconds: float = 20.0) -> str:
        """The screen, once all of the texts stand on it."""
        return self._wait(lambda screen: all(text in screen for text in texts), f"{texts} to come", seconds)

    def wait_gone(self, text: str, seconds: float = 20.0) -> str:
        """The screen, once the text no longer stands on it."""
        return self._wait(lambda screen: text not in screen, f"{text!r} to go", seconds)

    def wait_change(self, before: str, seconds: float = 20.0) -> str:
        """The screen, once it is no longer `before`."""
        return self._wait(lambda screen: screen != before, "a change", seconds)

    def _wait(self, held: Callable[[str], bool], what: str, seconds: float) -> str:
        deadline = time.monotonic() + seconds
        while not held(screen := self.screen):
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {seconds:g} s for {what}; the screen is\n{screen}")
            time.sleep(STEP_SECONDS)
        return screen


@contextmanager
def terminal(*command: str, environment: Mapping[str, str], columns: int = 80, rows: int = 24) -> Iterator[Terminal]:
    """A pane of that size in which the command runs; whatever is left of it is ended afterwards."""
    pane = Terminal(f"fleetview-test-{uuid.uuid4().hex[:8]}")
    given = [part for name, value in environment.items() for part in ("-e", f"{name}={value}")]
    size = ("-x", str(columns), "-y", str(rows))
    pane.tmux("-f", os.devnull, "new-session", "-d", "-s", "pane", *size, *given, *command)
    pane.tmux("set-option", "-g", "remain-on-exit", "on")
    pane.tmux("set-option", "-s", "escape-time", "10")
    try:
        yield pane
    finally:
        subprocess.run(("tmux", "-L", pane._server, "kill-server"), check=False, capture_output=True)
