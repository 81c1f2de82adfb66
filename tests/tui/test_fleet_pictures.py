from __future__ import annotations

from collections.abc import Callable

from tests.tui.fake_fleet import settled, six_nodes
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
