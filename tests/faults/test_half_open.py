"""Packets that are dropped without a word: a connection of which only one side is left."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.faults.cable import Cable, a_cable
from tests.faults.conftest import Scene
from tests.sshd import needs_sshd
from tests.stories.conftest import needs_tmux
from tests.stories.machines import Desk, Machine, a_machine, node

pytestmark = needs_sshd


@pytest.fixture
def cable() -> Iterator[Cable]:
    with a_cable() as cable:
        yield cable


@pytest.fixture
def far(cable: Cable) -> Iterator[Machine]:
    with a_machine("studio", address=cable.there, prefix=cable.enter) as machine:
        yield machine


async def test_a_machine_that_is_cut_off_is_stale_then_down_and_comes_back(
    cable: Cable, far: Machine, desk: Desk, well: Machine
) -> None:
    desk.may_enter(far, well)
    async with Scene(desk, far, well).watched() as watch:
        cut = time.monotonic()
        cable.cut()
        await watch.says("studio", "stale", r"stale \d s · ", cut, watch.soon)
        await watch.says("studio", "down", r"down 0 s · connection to studio broke: ", cut, 5.0)
        await watch.says("studio", "down", r"down \d s · .* · trying now", cut, 6.0)
        mended = time.monotonic()
        cable.mend()
        await watch.heals("studio", mended, 6.0)


@needs_tmux
def test_the_dashboard_tells_a_machine_that_is_cut_off_from_one_that_is_well(
    cable: Cable, far: Machine, desk: Desk, well: Machine
) -> None:
    desk.may_enter(far, well)
    desk.write_fleet(node(far), node(well))
    with desk.dashboard(columns=120) as pane:
        pane.wait_for("2 of 2 up")
        cable.cut()
        pane.wait_for("◌ studio", "stale ", "1 of 2 up", seconds=3 + 1 + 0.5)
        pane.wait_for("○ studio", "connection to studio broke: ", "● well", seconds=3.0)
        cable.mend()
        pane.wait_for("● studio", "2 of 2 up")
