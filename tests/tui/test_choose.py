from __future__ import annotations

import pytest

from fleetview.screens.choose import Choose
from tests.tui.stage import Stage, text_of

MODELS = ("ollama/gemma3:27b", "llamacpp/[bold]small", "ollama/phi4:14b")


@pytest.mark.parametrize(
    ("keys", "chosen"),
    [
        (("enter",), 0),
        (("down", "enter"), 1),
        (("j", "j", "k", "enter"), 1),
        (("end", "enter"), 2),
        (("escape",), None),
        (("q",), None),
    ],
)
async def test_a_model_is_chosen_or_nothing(keys: tuple[str, ...], chosen: int | None) -> None:
    app = Stage(Choose("Unload which model?", MODELS))
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        assert app.answers == [chosen]


async def test_models_and_keys_are_shown_as_they_are() -> None:
    app = Stage(Choose("Unload which model on [b]studio[/b]?", MODELS))
    async with app.run_test() as pilot:
        await pilot.pause()
        shown = text_of(app)
        assert "on [b]studio[/b]?" in shown
        assert all(model in shown for model in MODELS)
        assert "cancel" in shown


async def test_the_highlighted_line_has_a_sign_that_needs_no_colour() -> None:
    app = Stage(Choose("Unload which model?", MODELS))
    async with app.run_test() as pilot:
        await pilot.pause()
        assert "▸ ollama/gemma3:27b" in text_of(app)
        await pilot.press("down")
        await pilot.pause()
        assert "▸ llamacpp/[bold]small" in text_of(app)
        assert text_of(app).count("▸") == 1
