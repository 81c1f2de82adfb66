from __future__ import annotations

from typing import ClassVar

import pytest
from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType

from fleetview.widgets.prompt import Prompt


class PromptApp(App[None]):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "interrupt", id="app.quit", tooltip="Quit.")]

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []
        self.interrupted = 0

    def compose(self) -> ComposeResult:
        yield Prompt()

    @on(Prompt.Sent)
    def keep(self, event: Prompt.Sent) -> None:
        self.sent.append(event.text)
        self.query_one(Prompt).clear_sent(event.text)

    def action_interrupt(self) -> None:
        self.interrupted += 1


async def typed(*keys: str) -> tuple[PromptApp, str]:
    app = PromptApp()
    async with app.run_test() as pilot:
        await pilot.press(*keys)
        await pilot.pause()
        return app, app.query_one(Prompt).text


async def test_enter_sends_and_empties_the_box() -> None:
    app, left = await typed(*"hello there", "enter")
    assert app.sent == ["hello there"]
    assert left == ""


@pytest.mark.parametrize("keys", [(*"one", "ctrl+j", *"two"), (*"one", "backslash", "enter", *"two")])
async def test_a_new_line_is_begun_without_sending(keys: tuple[str, ...]) -> None:
    app, left = await typed(*keys)
    assert app.sent == []
    assert left == "one\ntwo"


async def test_nothing_is_never_sent() -> None:
    app, _ = await typed("enter", "space", "enter")
    assert app.sent == []


async def test_up_on_an_empty_line_edits_the_last_prompt() -> None:
    app, left = await typed(*"first", "enter", *"second", "enter", "up", *"!")
    assert app.sent == ["first", "second"]
    assert left == "second!"


async def test_up_in_a_text_moves_the_cursor() -> None:
    _, left = await typed(*"first", "enter", *"one", "ctrl+j", *"two", "up", *"!")
    assert left == "one!\ntwo"


async def test_keys_that_come_in_a_burst_are_taken_in_their_order() -> None:
    app = PromptApp()
    async with app.run_test() as pilot:
        for character in "one":
            app.simulate_key(character)
        app.simulate_key("ctrl+j")
        for character in "two":
            app.simulate_key(character)
        app.simulate_key("enter")
        for character in "three":
            app.simulate_key(character)
        await pilot.pause()
        await pilot.pause()
        assert app.sent == ["one\ntwo"]


async def test_what_could_not_be_answered_comes_back_unless_one_types_already() -> None:
    app = PromptApp()
    async with app.run_test() as pilot:
        prompt = app.query_one(Prompt)
        prompt.give_back("again")
        assert prompt.text == "again"
        prompt.give_back("other")
        assert prompt.text == "again"
        await pilot.press("!")
        assert prompt.text == "again!"


async def test_the_word_insert_says_whether_letters_are_typed() -> None:
    app = PromptApp()
    async with app.run_test() as pilot:
        prompt = app.query_one(Prompt)
        assert "INSERT" in str(prompt.border_title)
        app.set_focus(None)
        await pilot.pause()
        assert "INSERT" not in str(prompt.border_title)


async def test_ctrl_c_is_the_apps_and_ctrl_z_undoes_nothing() -> None:
    app, left = await typed(*"text", "ctrl+c", "ctrl+z")
    assert app.interrupted == 1
    assert left == "text"


async def test_an_edit_is_undone_with_ctrl_underscore() -> None:
    _, left = await typed(*"text", "ctrl+u", "ctrl+underscore")
    assert left == "text"
