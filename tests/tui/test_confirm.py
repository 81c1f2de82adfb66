from __future__ import annotations

import pytest

from fleetview.screens.confirm import Confirm
from tests.tui.stage import Stage, text_of


async def answer(*keys: str) -> list[bool | None]:
    app = Stage(Confirm("Unload small?", ("2 requests are running.",), "unload"))
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        return app.answers


@pytest.mark.parametrize("keys", [("enter",), ("n",), ("escape",), ("right", "left", "enter"), ("tab", "tab", "enter")])
async def test_everything_but_a_clear_yes_is_a_no(keys: tuple[str, ...]) -> None:
    assert await answer(*keys) == [False]


@pytest.mark.parametrize("keys", [("y",), ("right", "enter"), ("tab", "enter"), ("down", "enter"), ("l", "enter")])
async def test_a_clear_yes_is_a_yes(keys: tuple[str, ...]) -> None:
    assert await answer(*keys) == [True]


async def test_moving_alone_answers_nothing() -> None:
    assert await answer("right", "left", "right") == []


async def test_names_are_never_read_as_markup() -> None:
    app = Stage(Confirm("Unload [bold]x[/]?", ("[red]y[/red] is pinned.",)))
    async with app.run_test() as pilot:
        await pilot.pause()
        shown = text_of(app)
        assert "Unload [bold]x[/]?" in shown
        assert "[red]y[/red] is pinned." in shown


async def test_the_chosen_answer_is_marked_without_colour() -> None:
    app = Stage(Confirm("Sure?", ()))
    async with app.run_test() as pilot:
        await pilot.pause()
        assert "▸ no" in text_of(app)
        await pilot.press("right")
        await pilot.pause()
        assert "▸ yes" in text_of(app)
