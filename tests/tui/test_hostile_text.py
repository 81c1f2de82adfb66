"""The fleet and its nodes, full of texts that try to be more than text."""

from __future__ import annotations

from textual.command import CommandPalette
from textual.widgets import Input

from fleetview.fleet import LinkDown, LinkUp
from fleetview.messages import NodeRequested
from fleetview.present.keys import HelpKey
from fleetview.screens.help import Help
from fleetview.screens.node import NodeScreen
from fleetview.widgets.fleet_table import FleetTable
from fleetview_agent.wire import (
    OperationChanged,
    Transfer,
)
from tests.builders import (
    a_backend_state,
    a_served,
    a_snapshot,
    an_operation,
)
from tests.hostile_text import NAMES, TEXTS, a_full_snapshot, poisoned
from tests.tui.fake_fleet import FakeFleet, screen_text, settled, until
from tests.tui.hostile_screen import SIZE, assert_harmless, cells, shown


def a_hostile_fleet() -> FakeFleet:
    """One node for each text, which has it everywhere; of three kinds, so that every part of a row is drawn."""
    nodes = {}
    for place, text in enumerate(TEXTS.values()):
        snapshot = poisoned(a_full_snapshot(), text)
        busy = poisoned(an_operation(progress=0.37), text)
        failed = poisoned(an_operation(result="failed", cause="it broke", log=("one line",)), text)
        ways = (
            (LinkUp(), snapshot, poisoned(a_served(), text)),
            (LinkUp(), snapshot.model_copy(update={"operations": (busy,)})),
            (LinkUp(), snapshot, OperationChanged(operation=failed)),
            (LinkDown(text, 5.0),),
        )
        nodes[f"node-{place}"] = ways[place % len(ways)]
    return FakeFleet(nodes)


def a_fleet_of(*names: str) -> FakeFleet:
    """Nodes that differ by their names alone."""
    nodes = [{"name": name, "host": "far"} for name in names]
    return FakeFleet({name: (LinkUp(), a_snapshot()) for name in names}, node=nodes)


async def test_no_text_of_a_node_leaves_its_place_in_the_table_the_panel_or_a_toast() -> None:
    app = a_hostile_fleet().app()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await until(pilot, lambda: all(node.machine or node.link == "down" for node in app.fleet.values()))
        await pilot.pause()
        assert_harmless(app, "toasts")
        await settled(pilot)
        for place, kind in enumerate(TEXTS):
            app.screen.query_one(FleetTable).selected = f"node-{place}"
            await pilot.pause()
            assert_harmless(app, kind)


async def test_no_text_of_a_node_leaves_its_place_in_the_nodes_view() -> None:
    fleet = FakeFleet({"studio": (a_snapshot(),)})
    app = fleet.app()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settled(pilot)
        app.post_message(NodeRequested("studio"))
        view = await shown(pilot, NodeScreen)
        assert isinstance(view, NodeScreen)
        for kind, text in TEXTS.items():
            fleet.links["studio"].say(poisoned(a_full_snapshot(), text))
            fleet.links["studio"].say(OperationChanged(operation=poisoned(an_operation(), text)))
            pull = an_operation(id="op-2", transfer=Transfer(done_bytes=1, step="pulling"))
            fleet.links["studio"].say(OperationChanged(operation=poisoned(pull, text)))
            fleet.links["studio"].say(poisoned(a_served(inferred=True), text))
            view.draw()
            await pilot.pause()
            assert_harmless(app, kind)


async def test_the_name_of_a_node_moves_no_column_and_changes_no_colour_beside_it() -> None:
    fleet = a_fleet_of("harmless", *NAMES.values())
    app = fleet.app()
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        assert_harmless(app, "the table")
        lines = screen_text(app).splitlines()
        top = next(y for y, line in enumerate(lines) if "harmless" in line)
        beside = slice(lines[top - 1].index("GPU"), lines[top - 1].index("MODEL"))
        app.screen.query_one(FleetTable).selected = tuple(fleet.links)[-1]
        await pilot.pause()
        harmless, *others = (row[beside] for row in cells(app)[top : top + len(NAMES)])
        assert "".join(char for char, _ in harmless).split()[-1] == "0"
        for kind, row in zip(NAMES, others, strict=False):
            assert row == harmless, kind


async def test_names_in_the_palette_are_no_markup_and_can_be_searched() -> None:
    app = a_fleet_of("studio", *NAMES.values()).app()
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+p")
        palette = await shown(pilot, CommandPalette)
        await until(pilot, lambda: "describe" in screen_text(app))
        assert_harmless(app, "everything")
        for typed, found in (("[red]m", "[red]m[/red]"), ("click", "[@click=app.quit]m[/]"), ("/foo", "[/foo]m[")):
            palette.query_one(Input).value = typed
            await until(pilot, lambda found=found: found in screen_text(app))
            assert_harmless(app, typed)


async def test_help_says_why_not_in_words_that_nobody_obeys() -> None:
    hint = poisoned(a_backend_state(models=(), hint="do this"), TEXTS["title"])
    fleet = FakeFleet({"studio": (a_snapshot(backends=(hint,)),)})
    app = fleet.app()
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("question_mark")
        await shown(pilot, Help)
        await until(pilot, lambda: "studio has no model to load" in screen_text(app))
        assert_harmless(app, "a hint of a node")
        app.push_screen(Help(tuple(HelpKey(("s",), "Swap.", text) for text in TEXTS.values())))
        help_screen = await shown(pilot, Help)
        for _ in range(3):
            await pilot.pause()
            assert_harmless(app, "every reason")
            help_screen.query_one("#help").scroll_page_down(animate=False)
