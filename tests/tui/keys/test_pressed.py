"""Every key is pressed, and the forbidden ones do nothing."""

from __future__ import annotations

import pytest

from tests.tui.keys.declared import declared, pressed_by
from tests.tui.keys.elsewhere import ELSEWHERE, UNPRESSED
from tests.tui.keys.pressing import Scene, Table, wrong
from tests.tui.keys.views import VIEWS

FORBIDDEN = ("ctrl+a", "ctrl+b", "ctrl+s", "ctrl+q", "ctrl+@", "ctrl+backslash", "ctrl+d")
OPENINGS: tuple[tuple[str, ...], ...] = ((), ("slash",), ("i",), ("colon",))
"""What leads to a view, its filter, the input of the chat, the command line."""
PRESSED = {table.owner: {key for row in table.rows for key in row.names} for table in VIEWS}


async def unchanged(scene: Scene) -> list[str]:
    """Forbidden keys that change something."""
    found = []
    for key in FORBIDDEN:
        before = (scene.shown, scene.app.focused, scene.typed, len(scene.app.screen_stack), len(scene.done))
        await scene.pilot.press(key)
        await scene.pilot.pause()
        after = (scene.shown, scene.app.focused, scene.typed, len(scene.app.screen_stack), len(scene.done))
        if after != before or scene.app._exit or scene.app._notifications:
            found.append(f"{key} does something in {scene.shown}")
    return found


@pytest.mark.parametrize("table", VIEWS, ids=lambda table: table.owner)
async def test_every_key_of_a_view_does_what_it_is_for_and_forbidden_ones_nothing(table: Table) -> None:
    found = []
    async with table.opened() as scene:
        for row in table.rows:
            found += await wrong(scene, row)
        for opening in OPENINGS:
            await scene.begin()
            await scene.pilot.press(*opening)
            found += await unchanged(scene)
    assert found == []


def test_every_key_that_is_declared_is_pressed_by_a_test() -> None:
    pressed = {owner: set(keys) for owner, keys in PRESSED.items()}
    for owner, keys, _ in ELSEWHERE:
        pressed.setdefault(owner, set()).update(keys.split())
    missing = {owner: keys - pressed.get(owner, set()) for owner, keys in declared().items()}
    assert {owner: keys for owner, keys in missing.items() if keys} == {
        owner: set(keys.split()) for owner, keys in UNPRESSED.items()
    }


@pytest.mark.parametrize(("owner", "keys", "test"), ELSEWHERE, ids=lambda part: part if "::" in part else "")
def test_a_test_that_is_named_presses_these_keys(owner: str, keys: str, test: str) -> None:
    assert set(keys.split()) <= declared()[owner]
    assert set(keys.split()) <= pressed_by(test)
