"""The slash that begins a filter and the colon that begins a command, with letters right behind them."""

from __future__ import annotations

import pytest
from textual.events import Key
from textual.widgets import Input

from fleetview.fleet import LinkUp
from fleetview.widgets.command_input import CommandInput
from tests.builders import a_snapshot
from tests.tui.fake_fleet import FakeFleet, settled, until


@pytest.mark.parametrize("view", ["1", "2", "4", "5"])
async def test_letters_that_come_right_behind_the_slash_are_typed_and_no_keys(view: str) -> None:
    app = FakeFleet({"studio": (LinkUp(), a_snapshot())}).app()
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press(view)
        await pilot.pause()
        screen = app.screen
        for name, character in (("slash", "/"), ("q", "q"), ("slash", "/"), ("e", "e")):
            app.post_message(Key(name, character))
        await until(pilot, lambda: isinstance(app.focused, Input) and app.focused.value == "q/e")
        assert app.screen is screen


@pytest.mark.parametrize("view", ["1", "2", "4", "5"])
async def test_letters_that_come_right_behind_the_colon_are_typed_and_no_keys(view: str) -> None:
    app = FakeFleet({"studio": (LinkUp(), a_snapshot())}).app()
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press(view)
        await pilot.pause()
        for name, character in (("colon", ":"), ("q", "q"), ("colon", ":"), ("e", "e")):
            app.post_message(Key(name, character))
        await until(pilot, lambda: isinstance(app.focused, CommandInput) and app.focused.value == "q:e")
