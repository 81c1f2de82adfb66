"""Keys to press, what must be true afterwards, and how they are pressed one after the other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from textual.app import App
from textual.binding import Binding
from textual.events import Key
from textual.keys import key_to_character
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

DEADLINE_SECONDS = 10.0


@dataclass
class Scene:
    """An app with a view or a dialog in it, which every key finds as the first one found it."""

    app: App[None]
    pilot: Pilot[None]
    begin: Callable[[], Awaitable[None]]
    """Brings everything back to where it was."""
    done: list[str] = field(default_factory=list)
    """What was asked of surroundings that are not there."""
    moved: bool = False
    """Whether the last key has done nothing but move in what is shown."""

    @property
    def shown(self) -> str:
        """The class of the screen on top."""
        return type(self.app.screen).__name__

    @property
    def typed(self) -> str:
        """What stands in the focused input."""
        match self.app.focused:
            case Input() as line:
                return line.value
            case TextArea() as text:
                return text.text
        return ""

    def told(self, words: str) -> bool:
        """Whether a toast says this."""
        return any(words in one.message for one in self.app._notifications)


Check = Callable[[Scene], object]


@dataclass(frozen=True)
class Row:
    """Keys that do the same, and what is true once one of them was pressed, and was not before."""

    keys: str
    then: Check
    first: tuple[str, ...] = ()
    """Pressed before."""
    moves: bool = False
    """Whether they do nothing but move in what is shown."""

    @property
    def names(self) -> tuple[str, ...]:
        """The keys as Textual names them."""
        return tuple(binding.key for key in self.keys.split() for binding in Binding.make_bindings((Binding(key, ""),)))


@dataclass(frozen=True)
class Table:
    """The keys of a view or a dialog."""

    owner: str
    """The class of its screen."""
    opened: Callable[[], AbstractAsyncContextManager[Scene]]
    rows: tuple[Row, ...]
    openings: tuple[tuple[str, ...], ...] = ((),)
    """What is pressed before the forbidden keys: what leads to its inputs, and letters in them."""


Opened = AsyncIterator[Scene]


async def wait_for(scene: Scene, check: Check) -> bool:
    """Whether it becomes true in time."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not check(scene):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.005)
    return True


def send(scene: Scene, *keys: str) -> None:
    """Press keys as a terminal sends them, without waiting for what they do."""
    for key in keys:
        event = Key(key, key if len(key) == 1 else key_to_character(key))
        event.set_sender(scene.app)
        scene.app.post_message(event)


async def wrong(scene: Scene, row: Row) -> list[str]:
    """What is wrong with the keys of a row."""
    found = []
    for key in row.names:
        await scene.begin()
        for before in row.first:
            await scene.pilot.press(before)
        await scene.pilot.pause()
        if not await wait_for(scene, lambda now: not row.then(now)):
            found.append(f"{key}: it was so before")
            continue
        send(scene, key)
        scene.moved = row.moves
        if not await wait_for(scene, row.then):
            found.append(f"{key}: nothing of the kind; {scene.shown} is shown")
    return found


def is_shown(name: str) -> Check:
    """The screen of this class is on top."""
    return lambda scene: scene.shown == name


def is_told(words: str) -> Check:
    """A toast says this."""
    return lambda scene: scene.told(words)


def is_gone(name: str) -> Check:
    """The screen of this class is not on top any more."""
    return lambda scene: scene.shown != name
