"""Two operators at the same machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sshd import needs_sshd
from tests.stories.conftest import needs_tmux, until
from tests.stories.machines import SIM_LARGE, SIM_SMALL, Desk, Machine, a_desk, a_machine, node, simulated
from tests.stories.terminal import Terminal

pytestmark = [needs_sshd, needs_tmux]


@pytest.fixture
def machine() -> Iterator[Machine]:
    with a_machine("studio", settings=simulated(load_seconds=2.0)) as machine:
        yield machine


@pytest.fixture
def desks(machine: Machine) -> Iterator[tuple[Desk, Desk]]:
    with a_desk(USER="ada", LOGNAME="ada") as ada, a_desk(USER="bob", LOGNAME="bob") as bob:
        for desk in (ada, bob):
            desk.may_enter(machine)
            desk.write_fleet(node(machine))
        yield ada, bob


def choose(pane: Terminal, model: str) -> None:
    """Everything of a swap but the last key."""
    pane.wait_for("1 of 1 up")
    pane.press("d")
    pane.wait_for("models in memory")
    pane.press("s")
    pane.wait_for("Swap on studio")
    pane.type(model)
    pane.wait_for("1 of 4", "verdict  fits")


def test_swaps_pressed_at_once_queue_and_both_operators_see_both(machine: Machine, desks: tuple[Desk, Desk]) -> None:
    ada, bob = desks
    with ada.dashboard(columns=120, rows=40) as first, bob.dashboard(columns=120, rows=40) as second:
        choose(first, SIM_SMALL)
        choose(second, SIM_LARGE)
        first.press("Enter")
        second.press("Enter")
        for pane in (first, second):
            pane.wait_for(
                f"swap simulated/{SIM_SMALL}", "by ada@", f"swap simulated/{SIM_LARGE}", "by bob@", " queued "
            )

        until(lambda: len(machine.journal) == len((ada, bob)), "both swaps to end", 30)
        (last,) = machine.resident
        for pane in (first, second):
            pane.wait_for(f"✓ simulated/{last} swapped in")

    later, earlier = machine.get("/api/journal")
    assert {operation["result"] for operation in (earlier, later)} == {"done"}
    by = {
        operation["request"]["author"].partition("@")[0]: operation["request"]["model"]
        for operation in (earlier, later)
    }
    assert by == {"ada": SIM_SMALL, "bob": SIM_LARGE}
    assert later["evictions"] == [f"simulated/{earlier['request']['model']}"]  # planned anew when its turn came
