"""The keys of a chat in which much was said, and those of its input."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import Any, cast

from fleetview.widgets.prompt import Prompt
from fleetview.widgets.transcript import Transcript
from tests.tui.chatting import GEMMA, Chatting, Model, answered
from tests.tui.keys.pressing import Check, Opened, Row, Scene, Table, wait_for

LONG = "\n\n".join(f"Paragraph {number}." for number in range(60))


def said(scene: Scene) -> Transcript:
    return scene.app.screen.query_one(Transcript)


@asynccontextmanager
async def a_long_chat() -> Opened:
    """A chat whose answer is longer than the screen, scrolled to its end."""
    app = Chatting({GEMMA: Model(LONG)})
    async with app.run_test(size=(80, 24)) as pilot:
        await answered(pilot, app)
        scene = Scene(app, pilot, partial(_begin, app))
        app.__dict__["_scene"] = scene
        yield scene


async def _begin(app: Chatting) -> None:
    scene = cast("Scene", app.__dict__["_scene"])
    app.prompt.clear()
    app.chat.action_leave_input()
    said(scene).scroll_end(animate=False)
    assert await wait_for(scene, below(0)), "it does not scroll to its end"
    await scene.pilot.pause()


def below(rows: int) -> Check:
    """So many rows of it are below what can be seen."""
    return lambda scene: said(scene).max_scroll_y > 0 and said(scene).max_scroll_y - said(scene).scroll_offset.y == rows


def a_page_below(scene: Scene) -> bool:
    """It is scrolled up by more than a line or two."""
    return said(scene).max_scroll_y - said(scene).scroll_offset.y > 5


TRANSCRIPT = Table(
    "ChatScreen",
    cast("Any", a_long_chat),  # Any: a context manager
    (
        Row("k", below(1)),
        Row("j", below(1), first=("k", "k")),
        Row("pageup", a_page_below),
        Row("pagedown", below(0), first=("pageup",)),
        Row("G end", below(0), first=("pageup",)),
        Row("pageup", a_page_below, first=("i",)),
        Row("pagedown", below(0), first=("i", "pageup")),
        Row("up", lambda scene: scene.typed == "capital?", first=("i",)),
        Row("ctrl+underscore", lambda scene: scene.typed == "", first=("i", "a")),
        Row("j k G g n y x f q 1 colon question_mark", lambda scene: len(scene.typed) == 1, first=("i",)),
        Row("escape", lambda scene: not isinstance(scene.app.focused, Prompt), first=("i",)),
    ),
    ((), ("i",), ("i", "a", "b")),
)
