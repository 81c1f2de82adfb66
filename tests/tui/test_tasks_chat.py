"""Asking two models the same question, with the keys that the Fleet view tells."""

from __future__ import annotations

from fleetview.chats.records import Target
from fleetview.fleet import LinkUp
from fleetview.present.text import text_of
from fleetview.screens.chat.screen import ChatScreen
from fleetview.widgets.key_bar import KeyBar
from fleetview.widgets.key_hints import KeyHints
from fleetview.widgets.prompt import Prompt
from fleetview_agent.wire import ResidentModel
from tests.builders import a_backend_state, a_resident, a_snapshot
from tests.tui.fake_fleet import FakeFleet, settled, until


def holding(**models: tuple[ResidentModel, ...]) -> FakeFleet:
    """Nodes with models in memory."""
    return FakeFleet(
        {
            node: (LinkUp(), a_snapshot(backends=(a_backend_state("ollama", resident=resident),)))
            for node, resident in models.items()
        }
    )


async def test_two_models_are_asked_the_same_question_with_four_keys() -> None:
    fleet = holding(desk=(a_resident("gemma3:27b"), a_resident("nomic-embed-text")), rack=(a_resident("qwen3:32b"),))
    app = fleet.app()
    async with app.run_test(size=(100, 24)) as pilot:
        await settled(pilot)
        footer = text_of(app.screen.query_one(KeyBar).lines[0])
        assert "c chat" in footer
        assert "space mark" in footer
        await pilot.press("space", "space", "c")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen) and bool(app.screen.query(Prompt)))
        chat = app.screen
        assert isinstance(chat, ChatScreen)
        assert chat.dialogue.targets == (Target("desk", "ollama", "gemma3:27b"), Target("rack", "ollama", "qwen3:32b"))
        chat.query_one(Prompt).insert("capital?")
        assert "⏎ send" in text_of(chat.query_one(KeyHints).lines[0])
        await pilot.press("enter")
        await until(pilot, lambda: len(chat.dialogue.said) == 1)
        assert len(chat.dialogue.said[0].answers) == 2


async def test_the_key_that_asks_leads_into_the_input_of_a_chat_that_was_left_without_it() -> None:
    app = holding(desk=(a_resident("gemma3:27b"),)).app()
    async with app.run_test(size=(100, 24)) as pilot:
        await settled(pilot)
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen) and isinstance(app.focused, Prompt))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.focused, Prompt))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, ChatScreen))
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.focused, Prompt))


async def test_a_model_that_makes_vectors_is_not_asked_and_why_is_told() -> None:
    app = holding(desk=(a_resident("nomic-embed-text"),)).app()
    async with app.run_test(size=(100, 24)) as pilot:
        await settled(pilot)
        await pilot.press("c")
        told = "nomic-embed-text on desk cannot be asked: it is an embedding model; s loads another one"
        await until(pilot, lambda: [one.message for one in app._notifications] == [told])
        assert not isinstance(app.screen, ChatScreen)


async def test_the_last_keys_of_a_small_chat_are_not_cut() -> None:
    app = holding(desk=(a_resident("gemma3:27b"),)).app()
    async with app.run_test(size=(79, 23)) as pilot:
        await settled(pilot)
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen) and bool(app.screen.query(Prompt)))
        await pilot.resize_terminal(40, 8)
        hints = app.screen.query_one(KeyHints)
        await until(pilot, lambda: 0 < len(text_of(hints.lines[0])) <= hints.size.width)
