"""Every key is pressed, and the forbidden ones do nothing."""

from __future__ import annotations

import string

import pytest
from textual._xterm_parser import XTermParser
from textual.events import Key
from textual.widgets import Input, TextArea

from fleetview.app import FleetApp
from tests.tui.keys.asking import ASKED
from tests.tui.keys.dashboard import fleet_of
from tests.tui.keys.declared import declared, pressed_by
from tests.tui.keys.elsewhere import ELSEWHERE
from tests.tui.keys.placing import PLACED
from tests.tui.keys.pressing import Scene, Table, send, wrong
from tests.tui.keys.reading import READ
from tests.tui.keys.transcript import TRANSCRIPT
from tests.tui.keys.typing_in import TYPED_IN
from tests.tui.keys.views import VIEWS

FORBIDDEN = (
    *(f"ctrl+{key}" for key in ("d", "b", "s", "q", "h", "i", "m", "@", "space", "left_square_bracket", "backslash")),
    *("shift+enter", "ctrl+enter", "ctrl+tab", "ctrl+shift+a", "f11", "f12", "shift+f1"),
    *(f"alt+{letter}" for letter in string.ascii_lowercase if letter not in "bdf"),  # whose words an input goes by
    "ctrl+a",
)
"""The last of them begins a line, in an input: another one would act on what stands there."""
TABLES = (*VIEWS, TRANSCRIPT, *READ, *ASKED, *TYPED_IN, *PLACED)


def state(scene: Scene) -> tuple[object, ...]:
    """All that a key could change."""
    app = scene.app
    asked = [tuple(link.asked) for link in fleet_of(scene).links.values()] if isinstance(app, FleetApp) else []
    return (
        *(scene.shown, app.focused, scene.typed, tuple(app.screen_stack), tuple(scene.done), asked),
        *(tuple(getattr(app, "answers", ())), app._exit, len(app._notifications)),
    )


def ours(scene: Scene, key: str) -> bool:
    """Whether an action is bound to the key that is not one of the library's own, for what stands in an input."""
    active = scene.app.screen.active_bindings.get(key)
    return active is not None and (bool(active.binding.id) or not isinstance(active.node, Input | TextArea))


async def obeyed(scene: Scene, opening: tuple[str, ...]) -> list[str]:
    """Forbidden keys that do something, or would."""
    await scene.begin()
    await scene.pilot.press(*opening)
    await scene.pilot.pause()
    before = state(scene)
    found = [f"{key} is bound in {scene.shown} after {opening}" for key in FORBIDDEN if ours(scene, key)]
    send(scene, *FORBIDDEN)
    await scene.pilot.pause()
    after = state(scene)
    changes = [
        f"a forbidden key makes {old} {new} after {opening}"
        for old, new in zip(before, after, strict=True)
        if old != new
    ]
    return [*found, *changes]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.owner)
async def test_every_key_does_what_it_is_for_and_forbidden_ones_nothing(table: Table) -> None:
    found = []
    async with table.opened() as scene:
        for row in table.rows:
            found += await wrong(scene, row)
        for opening in table.openings:
            found += await obeyed(scene, opening)
    assert found == []


@pytest.mark.parametrize(
    ("sent", "key"), [("\x08", "backspace"), ("\x09", "tab"), ("\x0d", "enter"), ("\x0a", "ctrl+j"), ("\x1b", "escape")]
)
def test_what_a_terminal_sends_for_some_forbidden_keys_is_another_key(sent: str, key: str) -> None:
    parser = XTermParser()
    events = [*parser.feed(sent), *parser.feed("")]
    assert [event.key for event in events if isinstance(event, Key)] == [key]


def test_every_key_that_is_declared_is_pressed_by_a_test() -> None:
    pressed: dict[str, set[str]] = {}
    for table in TABLES:
        pressed.setdefault(table.owner, set()).update(key for row in table.rows for key in row.names)
    for owner, keys, _ in ELSEWHERE:
        pressed.setdefault(owner, set()).update(keys.split())
    missing = {owner: keys - pressed.get(owner, set()) for owner, keys in declared().items()}
    assert {owner: keys for owner, keys in missing.items() if keys} == {}


@pytest.mark.parametrize(("owner", "keys", "test"), ELSEWHERE, ids=lambda part: part if "::" in part else "")
def test_a_test_that_is_named_presses_these_keys(owner: str, keys: str, test: str) -> None:
    assert set(keys.split()) <= declared()[owner]
    assert set(keys.split()) <= pressed_by(test)
