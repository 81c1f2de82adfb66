from __future__ import annotations

from collections.abc import Callable

from fleetview.fleet import LinkDown
from fleetview.widgets.fleet_table import FleetTable
from fleetview.widgets.node_panel import NodePanel
from tests.tui.fake_fleet import FakeFleet, screen_text, settled, six_nodes, until
from tests.tui.grouped_fleet import with_roles


def test_the_fleet_grouped_marked_and_sorted(snap_compare: Callable[..., bool]) -> None:
    keys = ["z", "space", "space", "o", "t"]
    assert snap_compare(with_roles().app(), press=keys, terminal_size=(80, 24), run_before=settled)


def test_a_large_pane_has_histories(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(six_nodes().app(), terminal_size=(200, 50), run_before=settled)


def test_a_tiny_pane_has_a_line_for_each_node(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(six_nodes().app(), press=["n"], terminal_size=(40, 8), run_before=settled)


def test_wide_at_80x24(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(six_nodes().app(), press=["w", "n"], terminal_size=(80, 24), run_before=settled)


async def test_beside_a_scrollbar_what_is_cut_ends_with_an_ellipsis() -> None:
    reason = "login refused: no key that this machine accepts was offered"
    app = FakeFleet({f"node-{number}": (LinkDown(reason, None),) for number in range(20)}).app()
    async with app.run_test(size=(40, 8)) as pilot:
        await settled(pilot)
        rows = screen_text(app).splitlines()[1:-1]
        assert all(row[:39].rstrip().endswith("…") for row in rows)


async def test_a_filter_leaves_what_stands_below_the_rows_in_its_place() -> None:
    app = six_nodes().app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        table, panel = app.screen.query_one(FleetTable), app.screen.query_one(NodePanel)
        before = panel.region
        assert before.y == table.region.y + 6 + 2
        assert "models in memory" in screen_text(app)
        await pilot.press("slash", *"worker", "enter")
        await until(pilot, lambda: len(table.names) == 2)
        assert panel.region == before


async def test_many_rows_leave_the_panel_its_share() -> None:
    app = FakeFleet({f"node-{number:03}": (LinkDown("refused", 9.0),) for number in range(100)}).app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert app.screen.query_one(FleetTable).size.height == 26
        assert app.screen.query_one(NodePanel).region.height == 11
