from __future__ import annotations

import pytest

from fleetview.present.operations.plans import WAITING
from fleetview.screens.confirm import Confirm
from fleetview.widgets.model_filter import ModelFilter
from fleetview_agent.wire import SwapRequest
from tests.builders import AUTHOR, GIB
from tests.tui.picker import Planner, a_full_node, a_picker, ready
from tests.tui.stage import text_of, until


async def test_enter_agrees_to_the_plan_that_is_shown() -> None:
    planner = Planner()
    app = a_picker(planner)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app, "small")
        await pilot.press("down")
        await ready(pilot, app, "large")
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.answers))
    assert app.answers[0] == SwapRequest.model_validate(
        {"author": AUTHOR, "backend": "llamacpp", "model": "large", "options": {"context": 8192}}
    )
    assert app.answers[0] in planner.asked


async def test_enter_before_the_plan_is_carried_out_when_the_plan_comes() -> None:
    planner = Planner()
    planner.held = {"small"}
    app = a_picker(planner)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: bool(planner.asked))
        await pilot.press("enter")
        await until(pilot, lambda: WAITING in text_of(app))
        assert app.answers == []
        planner.released.set()
        await until(pilot, lambda: bool(app.answers))
    assert app.answers == planner.asked[:1]


@pytest.mark.parametrize("key", ["up", "tab", "right", "ctrl+t", "home", "x", "escape", "ctrl+l"])
async def test_any_key_takes_an_enter_back_that_still_waits(key: str) -> None:
    planner = Planner()
    planner.held = {"small"}
    app = a_picker(planner)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"smal")
        await until(pilot, lambda: bool(planner.asked))
        await pilot.press("enter")
        await until(pilot, lambda: WAITING in text_of(app))
        await pilot.press(key)
        await until(pilot, lambda: WAITING not in text_of(app))
        planner.held.clear()
        planner.released.set()
        await pilot.pause(0.3)  # longer than a plan takes: nothing may come of it
        assert app.answers == []


async def test_an_enter_that_waits_still_asks_where_the_plan_costs_somebody_something() -> None:
    planner = Planner(waits_for=1)
    planner.held = {"small"}
    app = a_picker(planner)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: bool(planner.asked))
        await pilot.press("enter")
        planner.released.set()
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert app.answers == []


async def test_an_enter_that_waits_for_a_refusal_does_nothing() -> None:
    planner = Planner(refusal="small is in use", verdict="fits")
    planner.held = {"small"}
    app = a_picker(planner)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: bool(planner.asked))
        await pilot.press("enter")
        planner.released.set()
        await until(pilot, lambda: "small is in use" in text_of(app))
        assert app.answers == []


async def test_letters_and_enter_in_one_burst_agree_to_what_the_letters_chose() -> None:
    planner = Planner()
    app = a_picker(planner)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app, "small")
        typed = app.shown.query_one(ModelFilter)
        typed.value = "coder"  # the list does not know yet
        await typed.run_action("submit")
        await until(pilot, lambda: bool(app.answers))
    assert app.answers[0] is not None
    assert app.answers[0].model == "large-coder"
    assert app.answers[0] in planner.asked


async def test_a_failure_is_a_sentence_and_enter_tries_again() -> None:
    planner = Planner()
    planner.failing = {"small"}
    app = a_picker(planner)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "studio does not answer (it is tried again by itself)" in text_of(app))
        planner.failing.clear()
        await pilot.press("enter")
        await ready(pilot, app, "small")
        assert app.answers == []
        assert "does not answer" not in text_of(app)


async def test_a_refusal_is_shown_and_enter_does_nothing() -> None:
    app = a_picker(Planner(refusal="small is in use by an operation in hand", verdict="fits"))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app, "small")
        await pilot.press("enter", "ctrl+f")
        await pilot.pause()
        assert app.answers == []
        assert not isinstance(app.screen, Confirm)
        assert "small is in use by an operation in hand" in text_of(app)
        assert "force" not in text_of(app)


async def test_what_does_not_fit_is_forced_only_after_a_clear_yes() -> None:
    changes = {"verdict": "does_not_fit", "room_bytes": 30 * GIB, "refusal": "small does not fit"}
    app = a_picker(Planner(**changes))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app, "small")
        await until(pilot, lambda: "force" in text_of(app))
        await pilot.press("ctrl+f")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.shown)
        assert app.answers == []
        await pilot.press("ctrl+f", "y")
        await until(pilot, lambda: bool(app.answers))
    assert app.answers[0] is not None
    assert app.answers[0].force


async def test_an_answer_that_would_be_cut_is_asked_about() -> None:
    app = a_picker(Planner(waits_for=1))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app, "small")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert "1 answer is being written" in text_of(app)
        await pilot.press("n")
        await until(pilot, lambda: app.screen is app.shown)
        assert app.answers == []


async def test_a_pinned_model_that_would_leave_is_asked_about() -> None:
    app = a_picker(Planner(), a_full_node(pinned=True))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app, "small")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: bool(app.answers))
    assert app.answers[0] is not None


async def test_a_model_that_is_there_already_is_not_swapped() -> None:
    app = a_picker(Planner(already_resident=True))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app, "small")
        await pilot.press("enter")
        await pilot.pause()
        assert app.answers == []
        assert "nothing would change" in text_of(app)
