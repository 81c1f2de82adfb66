"""A dialog on a stage of its own, which every key finds as the first one found it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast

from textual.screen import Screen
from textual.widget import Widget

import fleetview
from fleetview.fleet import Fleet
from fleetview.screens.desk import Desk
from fleetview_agent.wire import Order, Plan
from tests.builders import AUTHOR, a_plan
from tests.tui.keys.pressing import Check, Opened, Row, Scene, Table, wait_for
from tests.tui.models_view import FakeCopies
from tests.tui.stage import Stage, text_of

SMALL = (60, 14)
"""A pane in which long things have to be scrolled."""
Part = TypeVar("Part", bound=Widget)
Make = Callable[[], Screen[Any]]  # Any: of whatever it hands back
Ready = Callable[[Scene], object]
Home = Callable[[Scene], object]
"""Moves back to where a dialog begins."""


class Dressed(Stage[Any]):  # Any: whatever the dialog hands back
    """A stage with the looks of the dashboard."""

    CSS_PATH = Path(fleetview.__file__).with_name("fleetview.tcss")


def the(scene: Scene) -> Stage[Any]:
    assert isinstance(scene.app, Stage)
    return scene.app


def part(scene: Scene, kind: type[Part]) -> Part:
    """The widget of this kind in the dialog."""
    return the(scene).shown.query_one(kind)


def of_dialog(scene: Scene, name: str) -> Any:  # Any: each dialog has its own
    """What the dialog remembers, though it shows it only in words."""
    return getattr(the(scene).shown, name)


@asynccontextmanager
async def staged(make: Make, ready: Ready, size: tuple[int, int] = SMALL, home: Home = lambda _: None) -> Opened:
    """A stage on which the dialog is opened anew for each key, but for those that only move in it."""
    app = Dressed(make())
    async with app.run_test(size=size) as pilot:
        scene = Scene(app, pilot, partial(_begin, app, make, ready, home))
        app.__dict__["copy_to_clipboard"] = scene.done.append
        app.__dict__["_scene"] = scene
        yield scene


async def _begin(app: Stage[Any], make: Make, ready: Ready, home: Home) -> None:
    scene = cast("Scene", app.__dict__["_scene"])
    if scene.moved:
        home(scene)
        return
    for _ in app.screen_stack[1:]:
        await app.pop_screen()
    app.answers.clear()
    scene.done.clear()
    app.clear_notifications()
    app.shown = make()
    await app.push_screen(app.shown, app.answers.append)
    assert await wait_for(scene, ready), f"{scene.shown} is not ready"
    await scene.pilot.pause()


def dialog(
    owner: str,
    make: Make,
    ready: Ready,
    *rows: Row,
    openings: tuple[tuple[str, ...], ...] = ((),),
    size: tuple[int, int] = SMALL,
    home: Home = lambda _: None,
) -> Table:
    """The keys of a dialog; `home` is wanted where some of them only move in it."""
    return Table(owner, cast("Any", partial(staged, make, ready, size, home)), rows, openings)  # Any: a context manager


def answered(answer: object) -> Check:
    """It is closed, and this is what it handed back."""
    return lambda scene: the(scene).answers == [answer]


def shows(words: str) -> Check:
    """These words stand on the screen."""
    return lambda scene: words in text_of(scene.app)


def drawn(_scene: Scene) -> bool:
    """There is nothing to wait for."""
    return True


def longer_than(pane: str, rows: int = 11) -> Ready:
    """There is more in it than can be seen, so that every key has somewhere to go."""
    return lambda scene: the(scene).shown.query_one(pane).max_scroll_y > rows


def scrolled(pane: str, rows: int) -> Check:
    """It is scrolled so far."""
    return lambda scene: the(scene).shown.query_one(pane).scroll_offset.y == rows


def top(pane: str) -> Home:
    """Scrolls back to the first line."""
    return lambda scene: the(scene).shown.query_one(pane).scroll_to(y=0, animate=False, immediate=True)


def scrolls(pane: str) -> tuple[Row, ...]:
    """The keys of what cannot be selected in."""
    return (
        Row("down j", scrolled(pane, 1), moves=True),
        Row("pagedown space", scrolled(pane, 10), moves=True),
        Row("up k", scrolled(pane, 9), first=("pagedown",), moves=True),
        Row("pageup", scrolled(pane, 1), first=("pagedown", "down"), moves=True),
    )


def chooses(at: Callable[[Scene], Hashable], place: Callable[[int], Hashable], last: int) -> tuple[Row, ...]:
    """The keys that go from row to row; `place` is what `at` tells of the row."""

    def is_at(row: int) -> Check:
        return lambda scene: at(scene) == place(row)

    return (
        Row("down j", is_at(1), moves=True),
        Row("up k", is_at(1), first=("down", "down"), moves=True),
        Row("end G", is_at(last), moves=True),
        Row("home g", is_at(0), first=("down",), moves=True),
    )


def a_desk(fleet: Fleet | None = None) -> Desk:
    """A desk that plans whatever is wished of a fleet in which nothing happens."""

    async def plan(_node: str, request: Order) -> Plan:
        return a_plan(request=request, evictions=())

    known = {"plan": plan, "fleet": lambda: fleet or {}, "copies": FakeCopies(), "author": AUTHOR, "readonly": False}
    return cast("Desk", cast("Any", SimpleNamespace(**known)))  # Any: dialogs ask it for nothing else
