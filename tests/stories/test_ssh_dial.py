"""A server that forwards nothing: everything goes by `fleetview-agent dial`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sshd import needs_sshd
from tests.stories.conftest import needs_tmux, until
from tests.stories.machines import LONG, SIM_SMALL, Desk, Machine, a_desk, a_machine, node

pytestmark = [needs_sshd, needs_tmux]


@pytest.fixture
def machine() -> Iterator[Machine]:
    with a_machine("strict", forwarding=False) as machine:
        yield machine


@pytest.fixture
def desk(machine: Machine) -> Iterator[Desk]:
    with a_desk() as desk:
        desk.may_enter(machine)
        desk.write_fleet(node(machine))
        yield desk


def test_where_forwarding_is_forbidden_everything_works_and_no_process_is_left(machine: Machine, desk: Desk) -> None:
    assert desk.json("load", "strict", SIM_SMALL)["result"] == "done"
    until(lambda: machine.dials == [], "the processes of the command to end")

    with desk.dashboard() as pane:
        pane.wait_for("1 of 1 up", SIM_SMALL)
        watching = machine.dials
        assert watching

        pane.press("c")
        pane.wait_for("INSERT")
        pane.type("say this again")
        pane.press("Enter")
        pane.wait_for("3 tokens")

        pane.type(LONG)
        pane.press("Enter")
        pane.wait_for("esc stop", "tok/s")
        until(lambda: machine.answering, "the answer to begin")
        pane.press("Escape")
        pane.wait_for("stopped")
        until(lambda: not machine.answering, "the model to be left in peace", 5)

        pane.press("Escape")
        pane.wait_for("i to type")
        pane.press("q")
        pane.wait_for("1 of 1 up")
        assert set(watching) & set(machine.dials)
        pane.press("q", "q")
        pane.wait_gone("1 of 1 up")
    until(lambda: machine.dials == [], "the processes of the dashboard to end")
