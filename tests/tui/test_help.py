from __future__ import annotations

from collections.abc import Callable

from fleetview.screens.help import Help, keys_of
from fleetview_agent.wire import BackendChanged
from tests.builders import a_backend_state, a_snapshot
from tests.tui.fake_fleet import FakeFleet, screen_text, settled, six_nodes, until


def a_fleet() -> FakeFleet:
    return FakeFleet({"one": (a_snapshot(backends=(a_backend_state(resident=()),)),)})


async def test_help_says_why_a_key_does_nothing_now() -> None:
    fleet = a_fleet()
    app = fleet.app()
    async with app.run_test(size=(100, 50)) as pilot:
        await until(pilot, lambda: app.fleet["one"].machine is not None)
        await pilot.press("question_mark")
        await until(pilot, lambda: "not just now" in screen_text(app))
        assert "no model is resident on one" in screen_text(app)
        assert "fleetview swap NODE MODEL" in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        fleet.links["one"].say(BackendChanged(state=a_backend_state()))
        assert next(key for key in keys_of(app.screen) if "x" in key.keys).why_not is None


async def test_every_key_that_help_lists_is_there_and_none_is_missing() -> None:
    app = a_fleet().app()
    async with app.run_test(size=(100, 50)) as pilot:
        await until(pilot, lambda: app.fleet["one"].machine is not None)
        listed = {key for entry in keys_of(app.screen) for key in entry.keys}
        assert {
            "s",
            "x",
            "c",
            "d",
            "h",
            "r",
            "/",
            "p",
            "q",
            "?",
            ":",
            "^p",
            "^x",
            "^z",
            "j",
            "k",
            "g",
            "G",
            "1",
            "3",
        } <= listed


async def test_help_of_a_read_only_dashboard_leaves_out_what_it_does_not_have() -> None:
    app = a_fleet().app(readonly=True)
    async with app.run_test(size=(100, 50)) as pilot:
        await until(pilot, lambda: app.fleet["one"].machine is not None)
        listed = {key for entry in keys_of(app.screen) for key in entry.keys}
        assert not {"s", "x", "^x"} & listed


async def test_help_scrolls_where_it_does_not_fit_and_closes_with_any_of_its_keys() -> None:
    app = a_fleet().app()
    async with app.run_test(size=(60, 16)) as pilot:
        for key in ("escape", "q", "question_mark", "backspace"):
            await pilot.press("question_mark")
            await until(pilot, lambda: isinstance(app.screen, Help))
            await pilot.press("pagedown")
            await until(pilot, lambda: app.screen.query_one("#help").scroll_offset.y > 0)
            await pilot.press(key)
            await until(pilot, lambda: len(app.screen_stack) == 1)


def test_help_at_80x24(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(six_nodes().app(), press=["question_mark"], terminal_size=(80, 24), run_before=settled)
