"""Two machines behind OpenSSH's sshd, watched and worked on from a third place."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.sshd import needs_sshd
from tests.stories.conftest import needs_tmux, until
from tests.stories.machines import LONG, SIM_LARGE, SIM_SMALL, Desk, Machine, a_desk, a_machine, ended, node, said
from tests.stories.terminal import Terminal

pytestmark = needs_sshd


@dataclass(frozen=True)
class Place:
    """Two machines, and who works on them."""

    alpha: Machine
    beta: Machine
    desk: Desk


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with a_machine("alpha") as alpha, a_machine("beta") as beta, a_desk(USER="ada", LOGNAME="ada") as desk:
        desk.may_enter(alpha, beta)
        desk.write_fleet(node(alpha), node(beta))
        yield Place(alpha, beta, desk)


def row(pane: Terminal, name: str) -> str:
    """The line of a node in the table."""
    return next(line for line in pane.screen.splitlines() if line[3:].startswith(name))


def await_figures(pane: Terminal, name: str) -> None:
    """Return when a row shows other figures than it does now."""
    first = row(pane, name)
    until(lambda: row(pane, name) != first, f"another figure of {name}")


@needs_tmux
def test_two_machines_are_watched_and_one_is_worked_on_by_keys(place: Place) -> None:
    alpha, beta = place.alpha, place.beta
    with place.desk.dashboard() as pane:
        pane.wait_for("2 of 2 up")
        await_figures(pane, "alpha")
        await_figures(pane, "beta")

        pane.press("s")
        pane.wait_for("Swap on alpha")
        pane.type("small")
        pane.wait_for("1 of 4", "verdict  fits")
        pane.press("Enter")
        pane.wait_for(SIM_SMALL, " load ", "by ada@")
        until(lambda: alpha.resident == [SIM_SMALL], "the model")
        pane.wait_for(f"{SIM_SMALL} swapped in")

        pane.press("c")
        pane.wait_for("INSERT")
        pane.type("say this again")
        pane.press("Enter")
        pane.wait_for("3 tokens")

        pane.type(LONG)
        pane.press("Enter")
        pane.wait_for("esc stop", "tok/s")
        until(lambda: alpha.answering, "the answer to begin")
        pane.press("Escape")
        pane.wait_for("stopped")
        until(lambda: not alpha.answering, "the model to be left in peace", 5)

        pane.press("Escape")
        pane.wait_for("i to type")
        pane.press("q")
        pane.wait_for("2 of 2 up")
        assert row(pane, "beta").startswith(" ● beta")
    assert (beta.journal, beta.resident) == ([], [])
    assert alpha.journal == [("swap", SIM_SMALL, "done")]


def test_the_command_line_works_over_ssh_and_an_interrupted_swap_leaves_the_machine_where_it_was(place: Place) -> None:
    desk, beta = place.desk, place.beta
    assert [(state["name"], state["condition"]) for state in desk.json("status")] == [("alpha", "up"), ("beta", "up")]
    offers = {(offer["node"], offer["model"]["name"]) for offer in desk.json("models")}
    assert {("alpha", SIM_LARGE), ("beta", SIM_LARGE)} <= offers
    assert desk.json("plan", "beta", SIM_LARGE)["verdict"] == "fits"

    assert desk.json("swap", "beta", SIM_LARGE)["result"] == "done"
    assert beta.resident == [SIM_LARGE]
    answer = desk.run("fleetview", "chat", "beta", "-p", "say this again")
    assert (answer.returncode, answer.stdout) == (0, "say this again\n")
    assert "3 tokens" in answer.stderr

    swap = desk.start("swap", "beta", SIM_SMALL)
    said(swap, f"{SIM_SMALL}: load")
    swap.send_signal(signal.SIGINT)
    status, output, errors = ended(swap)
    assert (status, output) == (130, "")
    assert f"swap of simulated/{SIM_SMALL} on beta was rolled back" in errors
    assert beta.resident == [SIM_LARGE]

    unloaded = desk.run("fleetview", "unload", "beta", SIM_LARGE)
    assert unloaded.stdout.startswith(f"simulated/{SIM_LARGE} has left beta")
    assert beta.resident == []
    assert beta.journal == [
        ("unload", SIM_LARGE, "done"),
        ("swap", SIM_SMALL, "rolled_back"),
        ("swap", SIM_LARGE, "done"),
    ]
