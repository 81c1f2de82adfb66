"""Every key: which ones the design promises, and that each has an action that is there and none is a forbidden one."""

from __future__ import annotations

import pytest
from textual.dom import DOMNode

from fleetview.acting_app import ActingApp
from fleetview.key_names import EXCEPTIONS, objection
from fleetview.keymap import default_keys, scopes
from fleetview.screens.chat.screen import ChatScreen
from fleetview.screens.confirm import Confirm
from fleetview.screens.fleet import FleetScreen
from fleetview.screens.journal import JournalScreen
from fleetview.screens.models.screen import ModelsScreen
from fleetview.verbs.twins import TWINS
from tests.tui.fake_fleet import settled, six_nodes

EVERYWHERE = {
    "1": "view.fleet",
    "2": "view.models",
    "3": "view.chat",
    "4": "view.logs",
    "5": "view.journal",
    "q": "app.back",
    "p": "view.pause",
    "colon": "app.command",
    "ctrl+p": "app.palette",
    "question_mark": "app.help",
    "ctrl+c": "app.quit",
    "ctrl+z": "app.suspend",
}
ROWS = {
    "s": "node.swap",
    "x": "model.unload",
    "t": "model.keep",
    "c": "chat.open",
    "d": "node.describe",
    "enter": "node.describe",
    "l": "logs.open",
    "e": "node.shell",
    "h": "node.health",
    "b": "node.bench",
    "a": "node.actions",
    "P": "model.pull",
    "D": "model.delete",
    "u": "node.undo",
    "r": "node.reconnect",
    "y": "view.copy",
    "space": "row.mark",
    "asterisk": "row.mark_all",
    "o": "view.sort",
    "slash": "view.filter",
    "escape": "view.clear",
    "backspace": "view.clear",
    "j": "move.down",
    "down": "move.down",
    "k": "move.up",
    "up": "move.up",
    "pageup": "move.page_up",
    "pagedown": "move.page_down",
    "g": "move.first",
    "home": "move.first",
    "G": "move.last",
    "end": "move.last",
}
CHAT = {
    "enter": "chat.send",
    "ctrl+j": "chat.new_line",
    "up": "chat.recall",
    "ctrl+r": "chat.search",
    "ctrl+t": "chat.targets",
    "ctrl+o": "chat.settings",
    "ctrl+e": "chat.edit",
}
PROMISED: tuple[tuple[type[DOMNode], dict[str, str]], ...] = (
    (FleetScreen, {**EVERYWHERE, **ROWS, "w": "view.wide"}),
    (ModelsScreen, {**EVERYWHERE, **ROWS, "C": "model.copy"}),
    (JournalScreen, {**EVERYWHERE, "u": "node.undo", "slash": "view.filter"}),
    (ChatScreen, CHAT),
    (Confirm, {"y": "confirm.yes", "n": "confirm.no", "escape": "confirm.no"}),
)


@pytest.mark.parametrize(("screen", "promised"), PROMISED)
def test_every_key_of_the_design_does_what_it_says(screen: type[DOMNode], promised: dict[str, str]) -> None:
    keys = next(scope.keys for scope in scopes() if scope.owners[0] is screen)
    has = {
        key: name for key, wanted in promised.items() for name, some in keys.items() if key in some and name == wanted
    }
    assert has == promised


def test_every_key_has_an_action_that_is_there() -> None:
    lacking = []
    for scope in scopes():
        for owner in (*scope.owners, ActingApp):
            for binding in [one for part in owner.__mro__ for one in part.__dict__.get("BINDINGS", ())]:
                if not getattr(binding, "id", None):
                    continue
                name = binding.action.partition("(")[0].rpartition(".")[2]
                owners = (*scope.owners, ActingApp)
                if not any(hasattr(one, f"action_{name}") or hasattr(one, f"_action_{name}") for one in owners):
                    lacking.append((owner.__name__, binding.id, binding.action))
    assert lacking == []


def test_none_of_our_keys_is_a_forbidden_one() -> None:
    keys = {(name, key) for name, some in default_keys().items() for key in some}
    assert {pair for pair in keys - EXCEPTIONS if objection(*pair)} == set()


def test_twins_are_of_actions_that_there_are() -> None:
    assert set(TWINS) <= set(default_keys())
    assert all(twin.startswith("fleetview ") for twin in TWINS.values())


async def test_what_textual_binds_by_itself_neither_quits_nor_takes_a_prefix() -> None:
    app = six_nodes().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert not {"ctrl+q", "ctrl+b", "ctrl+a", "ctrl+s", "ctrl+d", "ctrl+h"} & set(app.screen.active_bindings)
        await pilot.press("ctrl+q", "ctrl+a", "ctrl+b", "ctrl+s", "ctrl+d")
        await pilot.pause()
        assert not app._exit
        assert len(app.screen_stack) == 1
