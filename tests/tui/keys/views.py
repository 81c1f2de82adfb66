"""The keys of the views, pressed in the whole dashboard."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import cast

from fleetview.app import FleetApp
from fleetview.present.logs import Wanted
from fleetview.screens.chat.screen import ChatScreen
from fleetview.screens.journal import JournalScreen
from fleetview.screens.logs import LogsScreen
from fleetview.screens.models.screen import ModelsScreen
from fleetview.screens.node import Pane
from fleetview.widgets.filter_line import FilterLine
from fleetview.widgets.log_lines import LogView
from fleetview.widgets.prompt import Prompt
from fleetview.widgets.row_list import RowList
from tests.tui.keys.dashboard import (
    FLEET,
    FURTHER,
    NODE_KEYS,
    VERBS,
    Clean,
    clean_fleet,
    dashboard,
    everywhere,
    fleet_of,
    fleet_screen,
    moves,
    the,
)
from tests.tui.keys.pressing import Check, Row, Scene, Table, is_gone, is_shown, is_told
from tests.tui.keys.workbench import NODES

# Models


def models_screen(scene: Scene) -> ModelsScreen:
    screen = scene.app.screen
    return screen if isinstance(screen, ModelsScreen) else cast("ModelsScreen", scene.app.get_screen("models"))


def clean_models(app: FleetApp) -> None:
    screen = app.screen
    assert isinstance(screen, ModelsScreen)
    screen._order = ("name", False)
    if screen._filter:
        screen.query_one("#filter").value = ""  # type: ignore[attr-defined]  # an Input, by its name
    screen.keep()
    screen._mark(frozenset())
    screen.matrix.node = NODES[0]
    screen.matrix.action_end(0)


def model_row(scene: Scene) -> int:
    return models_screen(scene).matrix._place()


MODELS_VIEW = (
    *everywhere("ModelsScreen"),
    *moves(model_row, 2),
    *VERBS,
    *FURTHER[:2],
    Row("d enter", is_shown("NodeScreen")),
    Row("s", is_shown("ShowPlan"), first=("down",)),
    Row("C", is_shown("CopyModel")),
    Row("f", is_shown("Places")),
    Row("D", lambda scene: scene.shown in {"Confirm", "TypeName"}, first=("down",)),
    Row("P", lambda scene: scene.shown in {"ShowPlan", "TypeName", "Confirm"}, first=("right", "right")),
    Row("exclamation_mark", is_shown("Why"), first=("right", "right")),
    Row("ctrl+x", is_shown("Confirm"), first=("right",)),
    Row("r", lambda scene: fleet_of(scene).links["lost"].retries == 1, first=("right",) * 3),
    Row("right", lambda scene: models_screen(scene).matrix.node == "studio"),
    Row("left", lambda scene: models_screen(scene).matrix.node == "desk", first=("right",)),
    Row("slash", lambda scene: the(scene).focused is not None and the(scene).focused.id == "filter"),  # type: ignore[union-attr]  # asked before
    Row("escape backspace", lambda scene: not models_screen(scene)._filter, first=("slash", "p", "enter")),
    Row("escape backspace", is_shown("FleetScreen")),
    Row("space", lambda scene: len(models_screen(scene)._marked) == 1),
    Row("asterisk", lambda scene: len(models_screen(scene)._marked) == 3),
    Row("o", is_shown("SortModels")),
)


# A node


def pane(scene: Scene) -> Pane:
    return scene.app.screen.query_one(Pane)


NODE = (
    *everywhere("NodeScreen"),
    *VERBS,
    *FURTHER,
    *NODE_KEYS,
    Row("escape backspace", is_shown("FleetScreen")),
    Row("down j", lambda scene: pane(scene).scroll_offset.y == 1),
    Row("up k", lambda scene: pane(scene).scroll_offset.y == 0, first=("down",)),
    Row("pagedown space", lambda scene: pane(scene).scroll_offset.y > 1),
    Row("end G", lambda scene: 0 < pane(scene).max_scroll_y == pane(scene).scroll_offset.y),
    Row("pageup", lambda scene: pane(scene).scroll_offset.y == 0, first=("pagedown",)),
    Row("home g", lambda scene: pane(scene).scroll_offset.y == 0, first=("end",)),
)


def no_cleaning(_: FleetApp) -> None:
    """It was opened anew."""


# Logs


def logs_screen(scene: Scene) -> LogsScreen:
    return cast("LogsScreen", scene.app.get_screen("logs"))


def lines(scene: Scene) -> LogView:
    return logs_screen(scene).query_one(LogView)


def clean_logs(app: FleetApp) -> None:
    screen = app.screen
    assert isinstance(screen, LogsScreen)
    screen.query_one("#filter").value = ""  # type: ignore[attr-defined]  # an Input, by its name
    screen.keep()
    screen._wanted = Wanted(node="desk")
    screen.choose("desk", None)
    view = screen.query_one(LogView)
    view.wrap(wraps=False)
    view.action_first()


LOGS = (
    *everywhere("LogsScreen"),
    *moves(lambda scene: lines(scene)._selected, 3),
    Row("right", lambda scene: logs_screen(scene)._wanted.node == "studio"),
    Row("left", lambda scene: logs_screen(scene)._wanted.node is None),
    Row("tab", lambda scene: logs_screen(scene)._wanted.source == "agent"),
    Row("shift+tab", lambda scene: logs_screen(scene)._wanted.source == "ollama"),
    Row("v", lambda scene: logs_screen(scene)._wanted.threshold == "info"),
    Row("w", lambda scene: lines(scene).wraps),
    Row("y", is_told("The line is copied.")),
    Row("exclamation_mark", is_shown("Why"), first=("right", "right")),
    Row("exclamation_mark", is_told("nothing failed on desk")),
    Row("slash", lambda scene: the(scene).focused is not None and the(scene).focused.id == "filter"),  # type: ignore[union-attr]  # asked before
    Row("escape backspace", lambda scene: not logs_screen(scene)._wanted.filter, first=("slash", "3", "enter")),
    Row("escape backspace", is_shown("FleetScreen")),
)


# Journal


def journal_screen(scene: Scene) -> JournalScreen:
    return cast("JournalScreen", scene.app.get_screen("journal"))


def journal_row(scene: Scene) -> int:
    rows = journal_screen(scene).query_one(RowList)
    return rows._places.get(rows.selected, -1)


def clean_journal(app: FleetApp) -> None:
    screen = app.screen
    assert isinstance(screen, JournalScreen)
    screen.query_one("#journal-filter").value = ""  # type: ignore[attr-defined]  # an Input, by its name
    screen._leave_filter()
    screen._only = None
    screen.draw()
    screen.query_one(RowList)._select(0)


JOURNAL = (
    *everywhere("JournalScreen"),
    *moves(journal_row, 4),
    Row("enter", is_shown("ShowOperation")),
    Row("u", is_shown("ShowPlan"), first=("down",)),
    Row("ctrl+x", is_shown("Confirm")),
    Row("y", is_told("copied: fleetview swap")),
    Row("tab", lambda scene: journal_screen(scene)._only == "studio"),
    Row("right", lambda scene: journal_screen(scene)._only == "desk"),
    Row("left", lambda scene: journal_screen(scene)._only == "lost"),
    Row("slash", lambda scene: the(scene).focused is not None and the(scene).focused.id == "journal-filter"),  # type: ignore[union-attr]  # asked before
    Row("escape backspace", lambda scene: not journal_screen(scene)._filter, first=("slash", "d", "enter")),
    Row("escape backspace", is_shown("FleetScreen")),
)


# Chat, with its input left


def leave_input(app: FleetApp) -> None:
    assert isinstance(app.screen, ChatScreen)
    app.screen.query_one(Prompt).clear()
    app.screen.action_leave_input()


CHAT = (
    *(row for row in everywhere("ChatScreen") if row.keys != "3"),
    Row("3", is_shown("ChatScreen"), first=("1",)),
    Row("escape backspace q", is_gone("ChatScreen")),
    Row("i enter", lambda scene: isinstance(scene.app.focused, Prompt)),
    Row("ctrl+t", is_shown("ChatTargets")),
    Row("ctrl+o", is_shown("ChatSettings")),
    Row("ctrl+r", is_shown("PromptSearch")),
    Row("h", is_shown("ChatList")),
    Row("ctrl+j", lambda scene: scene.typed == "\n", first=("i",)),
)


# The line of a filter, in which everything that can be seen is text


def filters(text: str) -> Check:
    """It stands in the line, which has the keys."""
    return lambda scene: isinstance(scene.app.focused, FilterLine) and scene.typed == text


FILTER = (
    *(Row(key, filters(key), first=("slash",)) for key in "12345pqsxDu"),
    *(Row(key, filters(text), first=("slash",)) for key, text in (("colon", ":"), ("question_mark", "?"))),
    Row("ctrl+c", is_told("ctrl+c again to quit"), first=("slash",)),
    Row("ctrl+p", is_shown("CommandPalette"), first=("slash",)),
    Row("ctrl+z", lambda scene: scene.done == ["suspended"], first=("slash",)),
    Row("enter", lambda scene: fleet_screen(scene).filtered and not scene.typed, first=("slash", "s")),
    Row("escape", lambda scene: not fleet_screen(scene).filtered and not scene.typed, first=("slash", "s")),
)


OPENINGS: tuple[tuple[str, ...], ...] = ((), ("slash",), ("slash", "a", "b"), ("i",), ("i", "a", "b"), ("colon",))
"""What leads to a view, its filter, the input of the chat, the command line."""


def _view(name: str, rows: tuple[Row, ...], clean: Clean, *keys: str, owner: str = "") -> Table:
    opened = cast("Callable[[], AbstractAsyncContextManager[Scene]]", partial(dashboard, *keys, name=name, clean=clean))
    return Table(owner or name, opened, rows, () if owner else OPENINGS)


VIEWS = (
    _view("FleetScreen", FLEET, clean_fleet),
    _view("FleetScreen", FILTER, clean_fleet, owner="FilterLine"),
    _view("ModelsScreen", MODELS_VIEW, clean_models, "2"),
    _view("NodeScreen", NODE, no_cleaning, "d"),
    _view("LogsScreen", LOGS, clean_logs, "4"),
    _view("JournalScreen", JOURNAL, clean_journal, "5"),
    _view("ChatScreen", CHAT, leave_input, "c"),
)
