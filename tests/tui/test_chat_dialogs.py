"""Whom to ask, how, what was asked and said before: the dialogs of a chat."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from fleetview.chats.records import Settings
from fleetview.chats.store import ChatStore
from fleetview.screens.chat.chat_list import ChatList
from fleetview.screens.chat.prompt_search import PromptSearch
from fleetview.screens.chat.settings import ChatSettings
from fleetview.screens.chat.targets import NOBODY, ChatTargets
from fleetview.screens.confirm import Confirm
from fleetview.widgets.choices import Choices
from tests.tui.chats.said import AT, LLAMA, QWEN, SMOL, a_fleet, some_chats, ticking
from tests.tui.stage import Stage, text_of, until

Compare = Callable[..., bool]
NOW = AT + 3600
SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=["80x24", "120x40", "200x50"])


@pytest.fixture
def chats() -> Iterator[ChatStore]:
    ticks = ticking()
    with closing(ChatStore(clock=lambda: next(ticks))) as store:
        yield store


def filled(screen: Screen[Any]) -> bool:
    return bool(screen.query_one(Choices).lines)


async def test_ticked_models_are_handed_back_in_the_order_of_the_fleet() -> None:
    app = Stage(ChatTargets(a_fleet(), (QWEN,)))
    async with app.run_test() as pilot:
        await pilot.press(*"70b", "space", "enter")
        await until(pilot, lambda: app.answers == [(LLAMA, QWEN)])


async def test_without_a_tick_the_row_is_meant() -> None:
    app = Stage(ChatTargets(a_fleet()))
    async with app.run_test() as pilot:
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: app.answers == [(SMOL,)])


async def test_a_group_ticks_all_that_can_be_asked() -> None:
    app = Stage(ChatTargets(a_fleet()))
    async with app.run_test() as pilot:
        await pilot.press(*"@role:head", "space")
        await until(pilot, lambda: "2 ticked" in text_of(app))
        assert app.screen.query_one(Input).value == ""
        await pilot.press(*"@all", "enter")
        await until(pilot, lambda: app.answers == [(LLAMA, SMOL, QWEN)])


async def test_a_model_that_cannot_chat_is_not_ticked() -> None:
    app = Stage(ChatTargets(a_fleet()))
    async with app.run_test() as pilot:
        await pilot.press(*"nomic", "space", "enter")
        await until(pilot, lambda: NOBODY in text_of(app))
        assert "it is an embedding model" in text_of(app)
        await pilot.press("escape")
        await until(pilot, lambda: "qwen3:32b" in text_of(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.answers == [None])


async def test_the_list_of_targets_follows_the_fleet() -> None:
    screen = ChatTargets(a_fleet())
    async with Stage(screen).run_test() as pilot:
        await pilot.press("up", "pagedown")
        await until(pilot, lambda: "▸ [ ] laptop" in text_of(pilot.app))
        screen.fleet = {"laptop": a_fleet()["laptop"]}
        await until(pilot, lambda: "studio" not in text_of(pilot.app))
        screen.fleet = {}
        await until(pilot, lambda: "No model is in memory anywhere" in text_of(pilot.app))


async def test_settings_are_taken_field_by_field() -> None:
    app = Stage(ChatSettings(Settings(system="Be", stop=("END",))))
    async with app.run_test() as pilot:
        await pilot.press("space", *"brief.", "ctrl+j", *"Always.", "tab", *"0.2", "tab", "tab", *"64", "shift+tab")
        await pilot.press(*"0.9", "enter")
        wanted = Settings(system="Be brief.\nAlways.", temperature=0.2, top_p=0.9, max_tokens=64, stop=("END",))
        await until(pilot, lambda: app.answers == [wanted])


async def test_a_wrong_setting_keeps_the_dialog_open_and_has_the_keys() -> None:
    app = Stage(ChatSettings(Settings()))
    async with app.run_test() as pilot:
        await pilot.press("tab", *"hot", "tab", "enter")
        await until(pilot, lambda: "temperature must be a number from 0 to 10, not hot" in text_of(app))
        assert app.focused is not None
        assert app.focused.id == "temperature"
        await pilot.press("backspace", "backspace", "backspace", "escape")
        await until(pilot, lambda: app.answers == [None])


async def test_a_former_prompt_is_found_as_one_types(chats: ChatStore) -> None:
    some_chats(chats)
    app = Stage(PromptSearch(chats, lambda: NOW))
    async with app.run_test() as pilot:
        await until(pilot, lambda: "4 prompts" in text_of(app))
        await pilot.press(*"back")
        await until(pilot, lambda: "1 prompt" in text_of(app) and "Without a copy." in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.answers == ["And backwards?\nWithout a copy."])


async def test_older_prompts_are_a_key_away(chats: ChatStore) -> None:
    some_chats(chats)
    app = Stage(PromptSearch(chats, lambda: NOW))
    async with app.run_test() as pilot:
        await pilot.press("ctrl+r", "down", "down", "up", "pagedown", "pageup", "down", "enter")
        await until(pilot, lambda: app.answers == ["And backwards?\nWithout a copy."])


async def test_a_search_without_a_match_takes_nothing(chats: ChatStore) -> None:
    app = Stage(PromptSearch(chats, lambda: NOW))
    async with app.run_test() as pilot:
        await pilot.press(*"zzz", "enter")
        await until(pilot, lambda: "0 prompts" in text_of(app))
        await pilot.press("escape", "escape")
        await until(pilot, lambda: app.answers == [None])


async def test_a_former_chat_is_opened(chats: ChatStore, tmp_path: Path) -> None:
    capital, _, _ = some_chats(chats)
    app = Stage(ChatList(chats, tmp_path, lambda: NOW))
    async with app.run_test() as pilot:
        await until(pilot, lambda: "the model was unloaded" in text_of(app) or "Once upon" in text_of(app))
        await pilot.press("j", "k", "G", "g", "end", "enter")
        await until(pilot, lambda: app.answers == [capital])


async def test_a_former_chat_is_found_by_what_was_answered(chats: ChatStore, tmp_path: Path) -> None:
    _, sorting, _ = some_chats(chats)
    app = Stage(ChatList(chats, tmp_path, lambda: NOW))
    async with app.run_test() as pilot:
        await pilot.press("slash", *"reverse=", "up", "down")
        await until(pilot, lambda: "1 chat" in text_of(app))
        await pilot.press("escape")
        await until(pilot, lambda: "3 chats" in text_of(app))
        await pilot.press("tab", *"dxD", "tab")
        await until(pilot, lambda: "No chat has all of these words." in text_of(app))
        assert app.screen.query_one(Input).value == "dxD"
        await pilot.press("escape", "slash", *"sort", "enter")
        await until(pilot, lambda: app.answers == [sorting])


async def test_a_chat_is_deleted_only_after_asking(chats: ChatStore, tmp_path: Path) -> None:
    some_chats(chats)
    app = Stage(ChatList(chats, tmp_path, lambda: NOW))
    async with app.run_test() as pilot:
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert 'Delete "Tell me a story"?' in text_of(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ChatList))
        assert len(chats.chats()) == 3
        await pilot.press("D", "y")
        await until(pilot, lambda: isinstance(app.screen, ChatList) and "2 chats" in text_of(app))
        assert [chat.title for chat in chats.chats("story")] == []


async def test_a_chat_is_exported_and_the_file_named(chats: ChatStore, tmp_path: Path) -> None:
    some_chats(chats)
    app = Stage(ChatList(chats, tmp_path, lambda: NOW))
    async with app.run_test(size=(160, 40)) as pilot:
        await pilot.press("x")
        await until(pilot, lambda: any(tmp_path.glob("*-tell-me-a-story.md")))
        await until(pilot, lambda: any("tell-me-a-story.md" in told.message for told in app._notifications))


async def test_a_chat_is_exported_as_json_with_everything_that_is_known(chats: ChatStore, tmp_path: Path) -> None:
    some_chats(chats)
    app = Stage(ChatList(chats, tmp_path, lambda: NOW))
    async with app.run_test(size=(100, 24)) as pilot:
        await until(pilot, lambda: filled(app.screen))
        await pilot.press("X")
        await until(pilot, lambda: any(tmp_path.glob("*.json")))


async def test_a_chat_gets_another_title(chats: ChatStore, tmp_path: Path) -> None:
    some_chats(chats)
    app = Stage(ChatList(chats, tmp_path, lambda: NOW))
    async with app.run_test(size=(100, 24)) as pilot:
        await until(pilot, lambda: filled(app.screen))
        await pilot.press("R", *"letters", "enter")
        await until(pilot, lambda: "letters" in text_of(app))
        assert "letters" in {chat.title for chat in chats.chats()}


async def test_the_list_says_how_many_answers_are_being_written(chats: ChatStore, tmp_path: Path) -> None:
    some_chats(chats)
    app = Stage(ChatList(chats, tmp_path, lambda: NOW, lambda: 2))
    async with app.run_test(size=(100, 24)) as pilot:
        await until(pilot, lambda: "2 answering, " in text_of(app))


async def test_without_chats_there_is_nothing_to_open(chats: ChatStore, tmp_path: Path) -> None:
    app = Stage(ChatList(chats, tmp_path, lambda: NOW))
    async with app.run_test() as pilot:
        await pilot.press("enter", "x", "D", "down")
        await until(pilot, lambda: "No chats are kept yet" in text_of(app))
        assert app.answers == []
        await pilot.press("escape")
        await until(pilot, lambda: app.answers == [None])


@pytest.mark.parametrize("size", [(40, 8), (60, 15), (80, 24)])
async def test_every_dialog_shows_its_rows_in_a_small_pane(
    chats: ChatStore, tmp_path: Path, size: tuple[int, int]
) -> None:
    some_chats(chats)
    for screen in (ChatTargets(a_fleet()), PromptSearch(chats), ChatList(chats, tmp_path)):
        async with Stage(screen).run_test(size=size) as pilot:
            await until(pilot, partial(filled, screen))
            assert "▸ " in text_of(pilot.app)
            assert "esc" in text_of(pilot.app)


@SIZES
def test_whom_to_ask(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def ticked(pilot: Pilot[None]) -> None:
        await pilot.press("space")
        await until(pilot, lambda: "1 ticked" in text_of(pilot.app))

    assert snap_compare(Stage(ChatTargets(a_fleet())), terminal_size=size, run_before=ticked)


def test_how_to_ask(snap_compare: Compare) -> None:
    app = Stage(ChatSettings(Settings(system="Be brief.\nAnswer in English.", temperature=0.2)))
    assert snap_compare(app, terminal_size=(80, 24))


def test_what_was_asked(snap_compare: Compare, chats: ChatStore) -> None:
    some_chats(chats)
    assert snap_compare(Stage(PromptSearch(chats, lambda: NOW)), terminal_size=(80, 24), press=["down"])


@SIZES
def test_what_was_said(snap_compare: Compare, chats: ChatStore, tmp_path: Path, size: tuple[int, int]) -> None:
    some_chats(chats)
    app = Stage(ChatList(chats, tmp_path, lambda: NOW))
    assert snap_compare(app, terminal_size=size, press=["down", "down"])
