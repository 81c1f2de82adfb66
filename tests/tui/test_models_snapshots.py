from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from textual.pilot import Pilot

from fleetview.screens.models import places
from fleetview.screens.models.places import Places
from fleetview.screens.models.screen import ModelsScreen
from tests.tui.fake_fleet import screen_text, settled, until
from tests.tui.models_fleet import a_stocked_fleet

Compare = Callable[..., bool]
SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=["80x24", "120x40", "200x50"])


@pytest.fixture(autouse=True)
def _the_clock_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "time", SimpleNamespace(monotonic=lambda: 100.0))


async def opened(pilot: Pilot[None]) -> None:
    """The Models view on a model of which the verdict is known."""
    app = pilot.app
    await settled(pilot)
    await pilot.press("2", "down")
    await until(pilot, lambda: isinstance(app.screen, ModelsScreen) and "66G to spare" in screen_text(app))


async def fitting(pilot: Pilot[None]) -> None:
    """Where the model fits, once every node has answered."""
    await opened(pilot)
    await pilot.press("f")
    app = pilot.app
    await until(pilot, lambda: isinstance(app.screen, Places) and screen_text(app).count("copy from") == 3)


@SIZES
def test_models(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(a_stocked_fleet().app(), terminal_size=size, run_before=opened)


def test_models_in_forty_columns(snap_compare: Compare) -> None:
    async def narrow(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await pilot.press("2", "down")
        await until(pilot, lambda: "▸ head-primary" in screen_text(pilot.app))

    assert snap_compare(a_stocked_fleet().app(), terminal_size=(40, 24), run_before=narrow)


def test_where_a_model_fits(snap_compare: Compare) -> None:
    assert snap_compare(a_stocked_fleet().app(), terminal_size=(80, 24), run_before=fitting)
