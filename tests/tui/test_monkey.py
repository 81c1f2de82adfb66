"""Random keys over a fleet in which everything happens: nothing breaks, and nobody is ever stuck."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from fleetview.app import FleetApp
from fleetview.fleet import Change, LinkDown, LinkUp
from fleetview.keymap import default_keys
from fleetview.screens.fleet import FleetScreen
from fleetview_agent.wire import BackendChanged, OperationChanged, Sampled
from tests.builders import a_backend_state, a_resident, a_sample, a_snapshot, an_operation
from tests.tui.fake_fleet import FakeFleet, screen_text, settled, six_nodes, until

KEYS = int(os.environ.get("FLEETVIEW_MONKEY_KEYS", "200"))
"""How many are pressed in a row."""
BURST = 10
"""Keys between which nothing happens but what they do."""
LEAVING = {"ctrl+c", "q", "ctrl+z"}
"""They end or suspend the program, as they should."""
OUTSIDE = {"e", "ctrl+e"}
"""They hand the terminal to a shell or an editor."""
SIZES = ((40, 8), (60, 15), (80, 24), (120, 40), (200, 50))
EXTRA = (*"abcdxyz", "up", "down", "left", "right", "enter", "escape", "tab", "shift+tab", "home", "end")

Happening = Callable[[random.Random], Change]
HAPPENINGS: tuple[Happening, ...] = (
    lambda _: LinkDown("no route to host", 3.0),
    lambda _: LinkUp(),
    lambda _: a_snapshot(),
    lambda _: BackendChanged(state=a_backend_state(resident=())),
    lambda chance: BackendChanged(state=a_backend_state(resident=(a_resident(phase=chance.choice(PHASES)),))),
    lambda _: OperationChanged(operation=an_operation(progress=0.3)),
    lambda _: OperationChanged(
        operation=an_operation(phase="ready", result="failed", cause="out of memory", ended_at=9)
    ),
    lambda chance: Sampled(sample=a_sample(gpu_ratio=chance.random())),
)
PHASES = ("loading", "ready", "failed", "orphaned")


def keys() -> tuple[str, ...]:
    """Every key of ours, and those that do something in lists and lines."""
    ours = {key for some in default_keys().values() for key in some} - LEAVING - OUTSIDE
    return (*sorted(ours), *EXTRA)


async def happen(fleet: FakeFleet, pilot: Pilot[None], chance: random.Random) -> None:
    """Something changes on a node, or the pane gets another size."""
    if chance.random() < 0.2:
        await pilot.resize_terminal(*chance.choice(SIZES))
    link = chance.choice(tuple(fleet.links.values()))
    link.say(chance.choice(HAPPENINGS)(chance))
    fleet.now += chance.choice((0.0, 0.5, 4.0))


async def leads_back(app: FleetApp, pilot: Pilot[None]) -> None:
    """Esc leads back to the fleet, which then obeys."""
    for _ in range(12):
        if isinstance(app.screen, FleetScreen) and app.screen.focused is app.screen.table:
            break
        await pilot.press("escape")
        await pilot.pause()
    assert isinstance(app.screen, FleetScreen), f"stuck in {app.screen}"
    await pilot.press("escape", "question_mark")
    await until(pilot, lambda: "Keys" in screen_text(app))


@pytest.mark.parametrize("seed", [1])
async def test_no_key_at_no_moment_breaks_anything(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 -- the same keys again for the same seed
    fleet = six_nodes()
    app = fleet.app()
    every = keys()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for _ in range(KEYS // BURST):
            pressed = chance.choices(every, k=BURST)
            await pilot.press(*pressed)
            await happen(fleet, pilot, chance)
            assert app.is_running, f"it ended after {pressed}"
            assert not app._exit, f"it is ending after {pressed}"
        await leads_back(app, pilot)
