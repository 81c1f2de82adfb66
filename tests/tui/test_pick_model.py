from __future__ import annotations

import time
from dataclasses import replace

from textual.widgets import Input

from fleetview.frames import FRAME_SECONDS
from fleetview.models.elsewhere import others
from fleetview.screens.leavers import Leavers
from fleetview.screens.pick_model import PickModel
from fleetview.widgets.model_filter import ModelFilter
from fleetview.widgets.plan_view import PlanView
from tests.builders import AUTHOR, GIB, a_backend_state, a_model_file, a_node, a_resident, an_operation
from tests.tui.picker import Planner, a_full_node, a_picker, chosen, planned, ready
from tests.tui.stage import Stage, text_of, until


async def test_typing_narrows_the_list_and_says_how_far() -> None:
    app = a_picker(Planner())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"cod LARGE")
        await until(pilot, lambda: chosen(app) == "large-coder")
        await until(pilot, lambda: "1 of 4 models" in text_of(app))


async def test_escape_clears_the_filter_before_it_closes() -> None:
    app = a_picker(Planner())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("x", "escape")
        await pilot.pause()
        assert app.answers == []
        assert app.shown.query_one(ModelFilter).value == ""
        await pilot.press("escape")
        await until(pilot, lambda: app.answers == [None])


async def test_an_unusable_file_is_shown_with_its_reason_and_never_highlighted() -> None:
    planner = Planner()
    app = a_picker(planner)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app, "small")
        assert "the header is cut off" in text_of(app)
        for _ in range(6):
            await pilot.press("down")
            await pilot.pause()
            assert chosen(app) != "broken"
        await pilot.press(*"broken")
        await until(pilot, lambda: chosen(app) is None)
        await pilot.press("enter")
        await pilot.pause()
        assert app.answers == []
    assert all(request.model != "broken" for request in planner.asked)


async def test_the_arrows_change_the_context_through_powers_of_two() -> None:
    planner = Planner()
    app = a_picker(planner)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app, "small")
        await pilot.press("down", "right", "right", "right", "right")
        await until(pilot, lambda: "◂ 40k ▸ of 40k" in text_of(app))
        await pilot.press("left")
        await until(pilot, lambda: "◂ 32k ▸" in text_of(app) and planned(app)())
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.answers))
    assert app.answers[0] is not None
    assert app.answers[0].options.context == 32_768


async def test_tab_changes_what_leaves_and_asks_again() -> None:
    planner = Planner()
    app = a_picker(planner)
    async with app.run_test(size=(80, 24)) as pilot:
        for policy in ("auto", "none", "all", "auto"):
            await until(pilot, lambda policy=policy: planned(app)() and f"evict {policy}" in text_of(app))
            assert policy in {request.evict for request in planner.asked}
            await pilot.press("tab")


async def test_a_plan_that_is_overtaken_is_never_shown() -> None:
    planner = Planner(need_bytes=7 * GIB)
    planner.held = {"small"}
    app = a_picker(planner)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: bool(planner.asked))
        await pilot.press("down")
        await ready(pilot, app, "large")
        planner.released.set()
        await pilot.pause()
        shown = app.shown.query_one(PlanView).planned
        assert shown is not None
        assert shown.plan is not None
        assert shown.plan.request.model == "large"


async def test_every_row_gets_its_verdict() -> None:
    app = a_picker(Planner(confidence="measured"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: text_of(app).count("yes, 66G spare") == 3)
        assert text_of(app).count("meas.") == 3


async def test_the_dialog_follows_its_node() -> None:
    planner = Planner()
    app = a_picker(planner)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("down")
        await ready(pilot, app, "large")
        before = len(planner.asked)
        node = app.shown.node
        app.shown.node = replace(node, samples=())
        await pilot.pause()
        assert len(planner.asked) == before  # a sample changes no plan
        files = (a_model_file("new"), *node.backends["llamacpp"].models)
        state = a_backend_state(models=files, resident=(a_resident("large", phase="loading"),))
        app.shown.node = replace(node, backends={"llamacpp": state})
        await until(pilot, lambda: "5 models" in text_of(app) and len(planner.asked) > before)
        assert chosen(app) == "large"
        assert "◐ llamacpp/large" in text_of(app)


async def test_a_node_without_models_says_what_to_do() -> None:
    state = a_backend_state("ollama", models=(), resident=(), phase="missing", hint="install it from ollama.com")
    app = a_picker(Planner(), a_node(backends={"ollama": state}))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "studio has no model to load: install it from ollama.com" in text_of(app))
        await pilot.press("enter", "right", "tab", "down")
        await pilot.pause()
        assert app.answers == []


async def test_it_works_in_forty_columns() -> None:
    app = a_picker(Planner())
    async with app.run_test(size=(40, 15)) as pilot:
        await ready(pilot, app, "small")
        shown = text_of(app)
        assert "▸ ● llamacpp…mall" in shown
        assert "small (idle" in shown
        assert "swap" in shown
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.answers))


async def test_names_are_never_read_as_markup() -> None:
    state = a_backend_state(models=(a_model_file("[bold]x\x1b[31m"),), resident=())
    app = a_picker(Planner(), a_node("[red]studio", backends={"llamacpp": state}))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, planned(app))
        shown = text_of(app)
        assert "Swap on [red]studio" in shown
        assert "llamacpp/[bold]x" in shown
        assert "\x1b" not in shown


async def test_ctrl_t_goes_through_the_times_that_it_may_stay() -> None:
    planner = Planner()
    app = a_picker(planner)
    async with app.run_test(size=(80, 24)) as pilot:
        for keep, told in ((None, "its engine's time"), (300.0, "5 min"), (1800.0, "30 min"), (7200.0, "2 h")):
            await until(pilot, lambda told=told: planned(app)() and f"keep {told}" in text_of(app))
            assert keep in {request.options.keep for request in planner.asked}
            await pilot.press("ctrl+t")
        await until(pilot, lambda: planned(app)() and "keep for good" in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.answers))
    assert app.answers[0] is not None
    assert app.answers[0].options.keep == "forever"


async def test_ctrl_l_names_those_who_leave() -> None:
    planner = Planner()
    state = a_backend_state(resident=(a_resident("small"), a_resident("other", pinned=True)))
    app = a_picker(planner, a_node(backends={state.backend: state}))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app, "small")
        await pilot.press("down")
        await ready(pilot, app, "large")
        await pilot.press("ctrl+l")
        await until(pilot, lambda: isinstance(app.screen, Leavers) and "[x] small" in text_of(app))
        await pilot.press("space", "down", "space")
        await until(pilot, lambda: "[ ] small" in text_of(app) and "[x] other (pinned" in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: planned(app)() and "evict other by name" in text_of(app))
        assert ("llamacpp/other",) in {request.evict for request in planner.asked}
        await pilot.press("tab")
        await until(pilot, lambda: "evict auto" in text_of(app))


async def test_what_only_another_node_has_says_what_brings_it_here() -> None:
    head = a_node("head", backends={"llamacpp": a_backend_state(models=(a_model_file("giant"), a_model_file("small")))})
    node = a_full_node()
    fleet = {"head": head, node.name: node}
    app = Stage(PickModel(node, Planner(), AUTHOR, lambda: others(fleet, node.name)))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "llamacpp/giant · 4.0G · on head: C in Models copies it" in text_of(app))
        assert text_of(app).count("llamacpp/small") == 1
        await pilot.press(*"giant")
        await until(pilot, lambda: "or: fleetview copy head" in text_of(app))
        await pilot.press("enter")
        await pilot.pause()
        assert app.answers == []
        fleet["head"] = replace(head, link="down", reason="no route to host")
        await until(pilot, lambda: "on head, not connected: no route to host" in text_of(app))
        await pilot.press("escape")
        await until(pilot, lambda: chosen(app) == "small")
        state = a_backend_state(models=(a_model_file("new"), a_model_file("giant")))
        fleet["tail"] = a_node("tail", backends={"llamacpp": state})
        await until(pilot, lambda: "on tail: C in Models copies it" in text_of(app))
        assert chosen(app) == "small"


async def test_an_operation_that_begins_meanwhile_is_told() -> None:
    app = a_picker(Planner())
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app, "small")
        app.shown.node = replace(app.shown.node, operations=(an_operation(),))
        await until(pilot, lambda: "waits behind 1 operation on studio" in text_of(app))
        app.shown.node = replace(app.shown.node, link="down", reason="no route to host")
        await until(pilot, lambda: "studio is not connected: no route to host" in text_of(app))
        await pilot.press("enter")
        await pilot.pause()
        assert app.answers == []


async def test_five_hundred_models_are_narrowed_within_a_frame() -> None:
    files = tuple(a_model_file(f"family{number % 7}-model-{number:03}-instruct.Q4_K_M") for number in range(500))
    app = a_picker(Planner(), a_node(backends={"llamacpp": a_backend_state(models=files)}))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, planned(app))
        took = []
        for typed in ("f", "family3", "family3 7", "x", ""):
            with app.shown.query_one(ModelFilter).prevent(Input.Changed):
                app.shown.query_one(ModelFilter).value = typed
            began = time.process_time()
            app.shown._narrow()
            took.append(time.process_time() - began)
            await pilot.pause()
        assert sorted(took)[len(took) // 2] < FRAME_SECONDS


async def test_without_a_match_there_is_no_plan_and_no_key_that_changes_one() -> None:
    app = a_picker(Planner())
    async with app.run_test() as pilot:
        await ready(pilot, app, "small")
        await pilot.press(*"zork")
        await until(pilot, lambda: "No model matches; esc shows all." in text_of(app))
        assert "verdict" not in text_of(app)
        assert all(app.shown.check_action(action, ()) is None for action in ("evict", "stretch", "keep", "name"))
