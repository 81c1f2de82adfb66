"""What a stranger does first: look, load, swap, ask, stop, leave."""

from __future__ import annotations

import re

from tests.stories.conftest import LARGE, SHORT, SMALL, Home, command, needs_engine, needs_tmux, until
from tests.stories.terminal import terminal

pytestmark = [needs_engine, needs_tmux]


def resident(home: Home) -> dict[str, int]:
    """Models in memory and their processes."""
    (node,) = home.json("status")
    return {
        row["name"]: row["pid"] for state in node["backends"] for row in state["resident"] if row["phase"] == "ready"
    }


def test_load_swap_ask_stop_and_leave_by_keys(home: Home) -> None:
    with terminal(command("fleetview"), environment=home.environment) as pane:
        first = pane.wait_for("here", "swap")
        pane.wait_change(first)  # the row lives

        pane.wait_for("free")
        until(lambda: LARGE in home.run("fleetview", "models").stdout, "the second model", 30)
        pane.press("s")
        pane.wait_for("Swap on here")
        pane.type("q4")
        pane.wait_for("1 of 2", "verdict  fits")
        pane.press("Enter")
        pane.wait_gone("Swap on here")
        until(lambda: list(resident(home)) == [SMALL], "the first model")
        former = resident(home)[SMALL]

        pane.press("s")
        pane.wait_for("Swap on here")
        pane.type("q8")
        pane.press("Left", "Left", "Left", "Left")
        pane.wait_for(f"◂ {SHORT} ▸")
        pane.wait_for("1 of 2", "verdict  fits", f"leaves   {SMALL}")
        pane.press("Enter")
        pane.wait_gone("Swap on here")
        until(lambda: list(resident(home)) == [LARGE], "the second model")
        assert former not in {process.pid for process in home.processes()}

        pane.press("c")
        pane.wait_for("INSERT")
        pane.type("Name three colours.")
        pane.press("Enter")
        pane.wait_for("esc stop")
        pane.wait_gone("esc stop", seconds=60)
        assert re.search(r"first \d.* tok/s · \d+ tokens", pane.wait_for(" tokens")), "once no message stands before it"

        pane.type("Count from one to five hundred in words, one per line.")
        pane.press("Enter")
        pane.wait_for("esc stop", "tok/s")
        pane.press("Escape")
        pane.wait_for("stopped")

        pane.press("Escape")
        pane.wait_for("i to type")
        pane.press("q")
        pane.wait_for("here", "swap")
        pane.press("q", "q")
        pane.wait_for(f"{LARGE} stays resident here", "fleetview-agent stop ends it")

    assert home.run("fleetview-agent", "stop").returncode == 0
    until(lambda: home.processes() == [], "every process to be gone")
    assert not home.socket.exists()
    assert not list(home.socket.parent.glob("*.lock"))
