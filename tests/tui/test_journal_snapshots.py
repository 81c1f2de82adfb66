"""Pictures of the Journal view."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from textual.pilot import Pilot

from tests.tui.fake_fleet import screen_text, six_nodes, until
from tests.tui.journals import opened, rows

Compare = Callable[..., bool]


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times of day are the same wherever the tests run."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


SIZES = pytest.mark.parametrize(
    "size", [(80, 24), (120, 40), (200, 50), (40, 8)], ids=lambda size: f"{size[0]}x{size[1]}"
)


@SIZES
def test_the_journal(snap_compare: Compare, size: tuple[int, int]) -> None:
    fleet = six_nodes()
    app = fleet.app()

    async def read(pilot: Pilot[None]) -> None:
        await opened(pilot, app, fleet)
        rows(app).selected = ("head-primary", "b")
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=read)


def test_one_operation_whole(snap_compare: Compare) -> None:
    fleet = six_nodes()
    app = fleet.app()

    async def read(pilot: Pilot[None]) -> None:
        await opened(pilot, app, fleet)
        rows(app).selected = ("head-primary", "b")
        await pilot.press("enter")
        await until(pilot, lambda: "out of memory" in screen_text(app))

    assert snap_compare(app, terminal_size=(80, 24), run_before=read)
