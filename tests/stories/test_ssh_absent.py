"""A fleet of which not every machine can be reached."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.sshd import needs_sshd
from tests.stories.conftest import needs_tmux
from tests.stories.machines import ACCOUNT, Desk, a_desk, a_machine, node

pytestmark = needs_sshd

WITHOUT_AGENT = ("SetEnv PATH=/usr/bin:/bin",)
MISSING = "agent missing: bare has no fleetview-agent"


@dataclass(frozen=True)
class Place:
    """Three machines: one that works, one whose sshd is down, one that never had an agent."""

    desk: Desk
    down: str
    """What is said of the one that is down."""


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with (
        a_machine("studio") as studio,
        a_machine("asleep", serves=False) as asleep,
        a_machine("bare", serves=False, extra=WITHOUT_AGENT) as bare,
        a_desk() as desk,
    ):
        desk.may_enter(studio, asleep, bare)
        desk.write_fleet(node(studio), node(asleep), node(bare))
        asleep.sshd.stop()
        yield Place(desk, f"refused: nothing listens for ssh at {ACCOUNT}@127.0.0.1:{asleep.sshd.port}")


def test_machines_that_cannot_be_reached_come_first_and_cost_the_others_nothing(place: Place) -> None:
    done = place.desk.run("fleetview", "status")
    assert done.returncode == 0  # none was named, and one is there
    _, *rows = done.stdout.splitlines()
    assert [row.split()[:2] for row in rows[:3]] == [["asleep", "down"], ["bare", "down"], ["studio", "up"]]
    assert place.down in rows[0]
    assert MISSING in rows[1]


def test_a_machine_that_was_named_and_is_not_there_is_told_by_the_exit_status(place: Place) -> None:
    done = place.desk.run("fleetview", "status", "studio", "asleep", "--json")
    assert done.returncode == 3
    nodes = {state["name"]: state for state in json.loads(done.stdout)}
    assert {name: state["condition"] for name, state in nodes.items()} == {"studio": "up", "asleep": "down"}
    assert place.down in nodes["asleep"]["reason"]


def test_models_of_the_others_are_listed_all_the_same(place: Place) -> None:
    done = place.desk.run("fleetview", "models")
    assert done.returncode == 0
    assert "studio  simulated/sim-small" in done.stdout
    assert [place.down in done.stderr, MISSING in done.stderr] == [True, True]


@needs_tmux
def test_a_row_says_that_the_agent_is_missing(place: Place) -> None:
    with place.desk.dashboard() as pane:
        pane.wait_for("1 of 3 up", MISSING, "refused: nothing listens")
