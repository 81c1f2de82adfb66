"""The prompt of a chat: edited, with files in it, and the keys that it has."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest
from textual.events import Paste
from textual.screen import Screen

from fleetview.screens.chat.prompt_search import PromptSearch
from fleetview.screens.chat.settings import ChatSettings
from fleetview.screens.chat.targets import ChatTargets
from tests.tui.chatting import LLAMA, Chatting, Model, answered, ask, text_of, until


def a_chat(model: Model) -> Chatting:
    return Chatting({LLAMA: model})


async def test_settings_are_typed_and_used() -> None:
    model = Model()
    app = a_chat(model)
    async with app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, app, "/set temperature 0.2")
        await ask(pilot, app, "/system be brief")
        await ask(pilot, app, "/set temperature warm")
        await until(pilot, lambda: "temperature must be a number from 0 to 10, not warm" in text_of(app))
        assert model.asked == []
        await answered(pilot, app)
        await ask(pilot, app, "/help")
        await until(pilot, lambda: "/set NAME VALUE" in text_of(app))
    assert model.asked[0].temperature == 0.2
    assert model.said() == ["be brief", "capital?"]


async def test_letters_are_keys_only_when_the_input_is_left() -> None:
    app = a_chat(Model())
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("q", "n", "y", "g", "i", "j")
        await pilot.pause()
        assert app.prompt.text == "qnygij"
        assert "INSERT" in text_of(app)
        await pilot.press("escape", "j", "k")
        await pilot.pause()
        assert app.prompt.text == "qnygij"
        assert "INSERT" not in text_of(app)
        await pilot.press("enter", "!")
        await pilot.pause()
        assert app.prompt.text == "qnygij!"


async def test_the_last_prompt_is_edited_and_asked_anew() -> None:
    model = Model()
    app = a_chat(model)
    async with app.run_test(size=(100, 30)) as pilot:
        await answered(pilot, app, "one")
        await answered(pilot, app, "two")
        await pilot.press("up", "!")
        await until(pilot, lambda: "replaces the last prompt" in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: len(model.asked) == 3 and not app.chat.dialogue.answering)
        await until(pilot, lambda: "two!" in text_of(app))
        assert "replaces" not in text_of(app)
        assert [said.prompt for said in app.chat.dialogue.said] == ["one", "two!"]
        kept = app.store.chat(app.chat.dialogue.chat_id or 0, replaced=True)
        assert kept is not None
        assert [(turn.prompt, turn.replaced) for turn in kept.turns] == [("one", False), ("two", True), ("two!", False)]
    assert model.said() == ["one", "Canberra.", "two!"]


async def test_a_file_is_a_chip_in_the_prompt_and_text_for_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "main.py").write_text("x = 1\ny = 2\n")
    monkeypatch.chdir(tmp_path)
    model = Model()
    app = a_chat(model)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await ask(pilot, app, "/file main.py")
        await until(pilot, lambda: app.prompt.text == "[file main.py 2 lines] ")
        app.prompt.clear()
        app.prompt.post_message(Paste(str(tmp_path / "main.py")))
        await until(pilot, lambda: app.prompt.text == "[file main.py 2 lines] ")
        app.prompt.clear()
        await answered(pilot, app, "what is @main.py for?")
        assert "[file main.py 2 lines]" in text_of(app)
        assert "x = 1" not in text_of(app)
        await ask(pilot, app, "/file missing.py")
        await until(pilot, lambda: "there is no file" in text_of(app))
    assert model.said() == ["what is\n\nmain.py:\n\n```python\nx = 1\ny = 2\n```\n\nfor?"]


async def test_a_pasted_text_that_is_no_file_is_text() -> None:
    app = a_chat(Model())
    async with app.run_test(size=(100, 30)) as pilot:
        app.prompt.post_message(Paste("/etc is a folder"))
        await until(pilot, lambda: app.prompt.text == "/etc is a folder")


async def test_the_prompt_is_edited_in_the_operators_editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nprintf ' and why?' >> \"$1\"\n")
    editor.chmod(0o700)
    monkeypatch.setenv("VISUAL", str(editor))
    app = a_chat(Model())
    async with app.run_test(size=(100, 30)) as pilot:
        monkeypatch.setattr(app, "suspend", nullcontext)  # there is no terminal to leave
        await pilot.press(*"capital", "ctrl+e")
        await until(pilot, lambda: app.prompt.text == "capital and why?")


@pytest.mark.parametrize(
    ("key", "dialog"),
    [("ctrl+t", ChatTargets), ("ctrl+o", ChatSettings), ("ctrl+r", PromptSearch)],
)
async def test_a_key_of_the_input_opens_its_dialog(key: str, dialog: type[Screen[object]]) -> None:
    app = a_chat(Model())
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, dialog))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.shown)
        assert app.prompt.has_focus
