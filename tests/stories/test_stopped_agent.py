"""An agent that was stopped stays stopped until its operator wants it again; one that crashed comes back."""

from __future__ import annotations

import psutil

from tests.stories.conftest import Home, command, needs_tmux, until
from tests.stories.terminal import terminal

pytestmark = needs_tmux


def agents(home: Home) -> list[psutil.Process]:
    """The agents of this home."""
    return [process for process in home.processes() if "serve" in process.cmdline()]


def test_the_dashboard_respects_a_stop_and_makes_up_for_a_crash(home: Home) -> None:
    with terminal(command("fleetview"), environment=home.environment) as pane:
        pane.wait_for("1 of 1 up")
        assert home.run("fleetview-agent", "stop").returncode == 0
        pane.wait_for("here was stopped", "r starts it again")
        assert agents(home) == []

        pane.press("r")
        pane.wait_for("1 of 1 up")
        (crashing,) = agents(home)
        crashing.kill()
        until(lambda: bool(agents(home)) and agents(home) != [crashing], "another agent")
        pane.wait_for("1 of 1 up")
