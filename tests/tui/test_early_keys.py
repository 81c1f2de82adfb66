"""Keys that come before their dialog stands on the screen: they count once it does, for what they were meant."""

from __future__ import annotations

from fleetview.screens.choose import Choose
from fleetview.screens.confirm import Confirm
from tests.tui.stage import Stage, until


async def test_the_line_that_enter_took_early_is_chosen_whatever_comes_behind_it() -> None:
    choose = Choose("Which?", ("one", "two", "three"))
    app = Stage(choose)
    async with app.run_test() as pilot:
        await until(pilot, lambda: choose._seen)
        choose._seen = False
        await pilot.press("down", "enter", "down", "enter")
        assert app.answers == []
        choose._be_seen()
        await until(pilot, lambda: app.answers == [1])


async def test_an_early_yes_counts_and_a_no_behind_it_takes_it_back() -> None:
    for keys, answer in ((("y",), True), (("y", "n"), False)):
        confirm = Confirm("Do it?", ("It is large.",))
        app = Stage(confirm)
        async with app.run_test() as pilot:
            await until(pilot, lambda shown=confirm: shown._seen)
            confirm._seen = False
            await pilot.press(*keys)
            if answer:
                assert app.answers == []
                confirm._be_seen()
            await until(pilot, lambda on=app, said=answer: on.answers == [said])
