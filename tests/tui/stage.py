"""A bare app to put one screen on, and waiting for what is to happen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from textual._context import visible_screen_stack
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen

from fleetview.themes import DARK, THEMES

Result = TypeVar("Result")
DEADLINE_SECONDS = 15.0


class Stage(App[None], Generic[Result], inherit_bindings=False):
    """Shows one screen in our colours and keeps what it hands back; no key is Textual's own."""

    def __init__(self, screen: Screen[Result]) -> None:
        super().__init__()
        self.shown = screen
        self.answers: list[Result | None] = []
        self.copied: list[str] = []
        self.animation_level = "none"
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK.name

    def on_mount(self) -> None:
        self.push_screen(self.shown, self.answers.append)

    def copy_to_clipboard(self, text: str) -> None:
        self.copied.append(text)


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Wait for something to become true; fail when it does not."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not become true in time"
        await asyncio.sleep(0.01)
    await pilot.pause()


def text_of(app: App[None]) -> str:
    """What the screen shows, as lines of text."""
    # As the app does before it draws: a dialog that is drawn here first would stay without what it covers.
    visible_screen_stack.set(app._background_screens)
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())
