"""The dashboard over the workbench, the keys of every view, and those of the Fleet view."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import cast

from fleetview.app import FleetApp
from fleetview.screens.fleet import FleetScreen
from fleetview.widgets.filter_line import FilterLine
from fleetview.widgets.fleet_table import FleetTable
from tests.tui.fake_fleet import FakeFleet, settled
from tests.tui.journals import ended
from tests.tui.keys.pressing import Check, Opened, Row, Scene, is_shown, is_told, wait_for
from tests.tui.keys.workbench import FAILED, NODES, UNDOABLE, workbench, written

Clean = Callable[[FleetApp], None]


def the(scene: Scene) -> FleetApp:
    assert isinstance(scene.app, FleetApp)
    return scene.app


def asked(node: str, what: str) -> Check:
    """The node was asked for this."""
    return lambda scene: any(one.verb == what for one in fleet_of(scene).links[node].asked)


def fleet_of(scene: Scene) -> FakeFleet:
    return cast("FakeFleet", the(scene).__dict__["_fakes"])


@asynccontextmanager
async def dashboard(*keys: str, name: str, clean: Clean) -> Opened:
    """The dashboard over the workbench, with one view in front of everything."""
    fleet = workbench()
    app = fleet.app()
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        for link in fleet.links.values():
            link.lines = written()
            link.journaled = (UNDOABLE, ended("old", 90)) if link.name == "desk" else (FAILED,)
        app.__dict__["_fakes"] = fleet
        scene = Scene(app, pilot, partial(_begin, app, fleet, keys, name, clean))
        app.__dict__["action_suspend_process"] = lambda: scene.done.append("suspended")
        app.__dict__["copy_to_clipboard"] = scene.done.append
        app.__dict__["_scene"] = scene
        yield scene
        await app.views.fleet()


async def _begin(app: FleetApp, fleet: FakeFleet, keys: tuple[str, ...], name: str, clean: Clean) -> None:
    scene = cast("Scene", app.__dict__["_scene"])
    scene.done.clear()
    for link in fleet.links.values():
        link.asked.clear()
        link.retries = 0
    app.paused = False
    app._asked_to_quit_at = None
    await scene.pilot.pause()  # what has just been opened cannot be taken away before it is there
    for _ in app.screen_stack[1:]:
        if app.screen.is_modal:
            await app.pop_screen()
    if scene.shown != name or name == "NodeScreen":
        await app.views.fleet()
        clean_fleet(app)
        await scene.pilot.press(*keys)
        assert await wait_for(scene, is_shown(name)), f"{name} does not open"
    elif isinstance(app.focused, FilterLine):
        await scene.pilot.press("escape")
    clean(app)
    app.clear_notifications()
    await scene.pilot.pause()


def everywhere(name: str) -> tuple[Row, ...]:
    """The keys that work in every view."""
    digits = {"1": "FleetScreen", "2": "ModelsScreen", "3": "ChatScreen", "4": "LogsScreen", "5": "JournalScreen"}
    return (
        *(
            Row(
                key, chat if key == "3" else is_shown(view), first=("2" if key == "1" else "1",) if view == name else ()
            )
            for key, view in digits.items()
        ),
        Row("p", lambda scene: the(scene).paused),
        Row("q", is_told("q again to quit") if name == "FleetScreen" else is_shown("FleetScreen")),
        Row("ctrl+c", is_told("ctrl+c again to quit")),
        Row("ctrl+z", lambda scene: scene.done == ["suspended"]),
        Row("ctrl+p", is_shown("CommandPalette")),
        Row("colon", is_shown("CommandLine")),
        Row("question_mark", is_shown("Help")),
    )


def chat(scene: Scene) -> bool:
    """A chat, or where there was none yet whom it is to be with."""
    return scene.shown in {"ChatScreen", "ChatTargets"}


def moves(at: Callable[[Scene], int], last: int) -> tuple[Row, ...]:
    """The keys that move a selection from the first row, of which there are few."""
    return (
        Row("down j", lambda scene: at(scene) == 1),
        Row("up k", lambda scene: at(scene) == 0, first=("down",)),
        Row("pagedown G end", lambda scene: at(scene) == last),
        Row("pageup g home", lambda scene: at(scene) == 0, first=("end",)),
    )


VERBS = (
    Row("c", is_shown("ChatScreen")),
    Row("t a y", is_shown("Choose")),
    Row("u", is_shown("ShowPlan")),
    Row("h", is_shown("Health")),
    Row("b", is_shown("Bench")),
    Row("e", is_told("a shell needs a terminal of its own")),
)
"""Those of a row that has everything."""
FURTHER = (Row("x", is_shown("Confirm")), Row("l", is_shown("LogsScreen")), Row("P", is_shown("TypeName")))
NODE_KEYS = (Row("s", is_shown("PickModel")), Row("D C", is_shown("Choose")))


# Fleet


def clean_fleet(app: FleetApp) -> None:
    screen = app.screen_stack[0]
    assert isinstance(screen, FleetScreen)
    screen.action_clear()
    screen._mark(frozenset())
    screen.choose_group(None)
    screen.action_sort("file")
    if screen.table.choice.wide:
        screen.action_wide()
    screen.table.choose(NODES[0])


def fleet_screen(scene: Scene) -> FleetScreen:
    screen = the(scene).screen_stack[0]
    assert isinstance(screen, FleetScreen)
    return screen


def fleet_row(scene: Scene) -> int:
    table = scene.app.screen_stack[0].query_one(FleetTable)
    return table.names.index(table.selected or "")


FLEET = (
    *everywhere("FleetScreen"),
    *moves(fleet_row, len(NODES) - 1),
    *VERBS,
    *FURTHER,
    *NODE_KEYS,
    Row("d enter", is_shown("NodeScreen")),
    Row("exclamation_mark", is_shown("Why"), first=("down", "down")),
    Row("ctrl+x", is_shown("Confirm"), first=("down",)),
    Row("r", lambda scene: fleet_of(scene).links["lost"].retries == 1, first=("G",)),
    Row("slash", lambda scene: the(scene).focused is not None and the(scene).focused.id == "filter"),  # type: ignore[union-attr]  # asked before
    Row("escape backspace", lambda scene: not fleet_screen(scene).filtered, first=("slash", "s", "enter")),
    Row("space", lambda scene: fleet_screen(scene).table.marked == {"desk"}),
    Row("asterisk", lambda scene: fleet_screen(scene).table.marked == set(NODES)),
    Row("asterisk", lambda scene: not fleet_screen(scene).table.marked, first=("asterisk",)),
    Row("o", is_shown("SortBy")),
    Row("n", lambda scene: fleet_screen(scene).table.selected == "tower"),
    Row("w", lambda scene: fleet_screen(scene).table.choice.wide),
    Row("z", is_told("grouped by role")),
)
