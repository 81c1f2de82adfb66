"""The Journal view: what it shows, and each of its keys."""

from __future__ import annotations

from fleetview.fleet import LinkDown, LinkUp
from fleetview.present.text import text_of
from fleetview.remote.errors import Lost
from fleetview.screens.confirm import Confirm
from fleetview.screens.fleet import FleetScreen
from fleetview.screens.journal import JournalScreen
from fleetview.screens.show_operation import ShowOperation
from fleetview.screens.show_plan import ShowPlan
from fleetview.widgets.key_bar import KeyBar
from fleetview_agent.wire import OperationChanged, UndoRequest
from tests.builders import AUTHOR, a_snapshot, a_swap_request
from tests.hostile_text import TEXTS
from tests.tui.fake_fleet import FakeFleet, screen_text, settled, six_nodes, until
from tests.tui.hostile_screen import assert_harmless
from tests.tui.journals import ended, keys, opened, rows


async def test_what_is_in_hand_stands_on_top_and_then_the_newest_of_all_nodes() -> None:
    fleet = six_nodes()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app, fleet)
        assert [key[1] for key in keys(app)] == ["op-1", "a", "e", "op-1", "c", "b", "d", "f"]  # type: ignore[index]
        shown = screen_text(app)
        assert "◐ load 62%" in shown
        assert "✗ failed" in shown
        assert "no answer: laptop-secondary" in shown


async def test_an_operation_that_ends_comes_into_the_journal() -> None:
    fleet = six_nodes()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app, fleet)
        link = fleet.links["worker-primary"]
        done = ended("op-1", 0, request=a_swap_request("qwen3:32b"))
        link.journaled = (done,)
        link.say(OperationChanged(operation=done))
        await until(pilot, lambda: "load 62%" not in screen_text(app) and len(keys(app)) == 8)
        assert rows(app).selected == ("worker-primary", "op-1")


async def test_a_node_that_does_not_answer_is_named_and_read_when_it_is_back() -> None:
    fleet = FakeFleet({"one": (LinkUp(), a_snapshot()), "two": (LinkUp(), a_snapshot())})
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        fleet.links["two"].problem = Lost("the connection to two broke")
        fleet.links["two"].journaled = (ended("x", 5),)
        await pilot.press("5")
        await until(pilot, lambda: "no answer: two" in screen_text(app))
        fleet.links["two"].problem = None
        fleet.links["two"].say(LinkDown("gone"))
        await pilot.pause(0.1)
        fleet.links["two"].say(LinkUp())
        fleet.links["two"].say(a_snapshot())
        await until(pilot, lambda: keys(app) == (("two", "x"),) and "no answer" not in screen_text(app))


async def test_enter_opens_an_operation_whole() -> None:
    fleet = six_nodes()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app, fleet)
        rows(app).selected = ("head-primary", "b")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ShowOperation))
        await until(pilot, lambda: "out of memory" in screen_text(app))
        assert "fleetview swap head-primary llamacpp/qwen3:235b" in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, JournalScreen))


async def test_u_undoes_the_selected_operation_by_its_id_after_showing_how() -> None:
    fleet = six_nodes()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app, fleet)
        rows(app).selected = ("head-primary", "a")
        await pilot.press("u")
        await until(pilot, lambda: isinstance(app.screen, ShowPlan) and "66G to spare" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: bool(fleet.links["head-primary"].asked))
        assert fleet.links["head-primary"].asked == [UndoRequest(author=AUTHOR, operation="a")]


async def test_what_cannot_be_undone_says_why_and_u_does_nothing() -> None:
    fleet = six_nodes()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app, fleet)
        for node, name, why in (
            ("head-primary", "b", "it ended as failed"),
            ("laptop-primary", "f", "it took another one back itself"),
            ("worker-primary", "op-1", "it is in hand still"),
        ):
            rows(app).selected = (node, name)
            await until(pilot, lambda why=why: why in screen_text(app))
            await pilot.press("u")
            await pilot.pause()
            assert isinstance(app.screen, JournalScreen)


async def test_y_copies_the_command_line() -> None:
    fleet = six_nodes()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app, fleet)
        rows(app).selected = ("head-primary", "a")
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard == "fleetview swap head-primary llamacpp/large")


async def test_ctrl_x_cancels_what_is_in_hand_after_asking() -> None:
    fleet = six_nodes()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app, fleet)
        await pilot.press("ctrl+x")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: fleet.links["worker-primary"].cancelled == ["op-1"])


async def test_tab_and_the_arrows_choose_one_node_or_all() -> None:
    fleet = six_nodes()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app, fleet)
        rows(app).selected = ("head-secondary", "c")
        await pilot.press("tab")
        await until(pilot, lambda: {key[0] for key in keys(app)} == {"head-secondary"})  # type: ignore[index]
        await pilot.press("left")
        await until(pilot, lambda: "journal of head-primary" in screen_text(app))
        await pilot.press("right", "right")
        await until(pilot, lambda: "journal of worker-primary" in screen_text(app))
        await pilot.press("tab")
        await until(pilot, lambda: len(keys(app)) == 8)


async def test_slash_filters_and_escape_takes_one_thing_back_at_a_time() -> None:
    fleet = six_nodes()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app, fleet)
        await pilot.press("slash", *"verb=swap !done")
        await until(pilot, lambda: [key[1] for key in keys(app)] == ["op-1", "e", "op-1", "c", "b"])  # type: ignore[index]
        await pilot.press("enter", "tab")
        await until(pilot, lambda: len(keys(app)) == 1)
        assert "/verb=swap !done" in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: "/verb" not in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: len(keys(app)) == 8)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, FleetScreen))


async def test_a_filter_that_means_nothing_says_so() -> None:
    fleet = six_nodes()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app, fleet)
        await pilot.press("slash", *"verbs=x", "enter")
        await until(pilot, lambda: any("no field verbs" in one.message for one in app._notifications))
        assert app.screen.has_class("-filtering")


async def test_a_read_only_dashboard_has_no_undo_here() -> None:
    fleet = six_nodes()
    app = fleet.app(readonly=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app, fleet)
        footer = text_of(app.screen.query_one(KeyBar).lines[0])
        assert "undo" not in footer
        assert "cancel" not in footer
        assert "copy" in footer


async def test_texts_of_nodes_stay_texts() -> None:
    fleet = FakeFleet({"one": (LinkUp(), a_snapshot())})
    app = fleet.app()
    texts = {kind: text for kind, text in TEXTS.items() if 0 < len(text) <= 200}
    async with app.run_test(size=(120, 50)) as pilot:
        await settled(pilot)
        fleet.links["one"].journaled = tuple(
            ended(
                str(place),
                place,
                request=a_swap_request(text, author=text),
                result="failed",
                cause=text,
                reason=text,
                log=(text,),
                evictions=(text,),
            )
            for place, text in enumerate(texts.values())
        )
        await pilot.press("5")
        await until(pilot, lambda: isinstance(app.screen, JournalScreen) and len(keys(app)) == len(texts))
        for place, kind in enumerate(texts):
            await pilot.press("down") if place else None
            assert_harmless(app, kind)
        rows(app).selected = keys(app)[0]
        for kind in list(texts)[::4]:
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, ShowOperation))
            await pilot.pause()
            assert_harmless(app, f"whole: {kind}")
            await pilot.press("escape", "down", "down", "down", "down")
