"""A node whose every text tries to take the terminal over, and a terminal in which nothing happens."""

from __future__ import annotations

import json
from pathlib import Path

from fleetview_agent.wire import Snapshot
from tests.builders import a_backend_state
from tests.hostile_agent import Answer, an_agent_that_says, chatted, streamed
from tests.hostile_text import a_full_snapshot, poisoned
from tests.stories.conftest import Home, command, needs_tmux
from tests.stories.terminal import Terminal, terminal

pytestmark = needs_tmux

TITLES = "\x1b]2;taken\x07\x1bktaken\x1b\\"
CLIPBOARD = "\x1b]52;c;dGFrZW4=\x07"
THROUGH_TMUX = "\x1bPtmux;\x1b\x1b]2;taken\x07\x1b\\"
MODES = "\x1b[?1049l\x1b[2;5r\x1b[?6h\x1b[4h\x1b[?25h\x1b[?1003h\x1b[?7h"
EIGHT_BITS = "\x9d2;taken\x9c\x9b?1049l"
TAKEN = f"{TITLES}{CLIPBOARD}{THROUGH_TMUX}{MODES}{EIGHT_BITS}\x1b[2J\x1b[3;3H[red]taken[/red]"
STATE = "pane_title window_name alternate_on cursor_flag insert_flag origin_flag mouse_any_flag wrap_flag"
FLEET = """
[fleet]
interval_seconds = 60.0
[[node]]
name = "calm"
local = true
socket = "{home}/calm.sock"
[[node]]
name = "odd"
local = true
socket = "{home}/odd.sock"
"""


def state(pane: Terminal) -> str:
    """What programs can change of a terminal besides its text, and the clipboard."""
    names = (*STATE.split(), "scroll_region_upper", "scroll_region_lower")
    return pane.tmux("display-message", "-p", "-t", "pane", " ".join(f"#{{{name}}}" for name in names)) + pane.tmux(
        "list-buffers"
    )


def willing(pane: Terminal) -> None:
    """Let programs do with the terminal whatever tmux can allow."""
    pane.tmux("set-option", "-s", "set-clipboard", "on")
    for option in ("allow-rename", "allow-passthrough"):
        pane.tmux("set-option", "-g", option, "on")


def a_node(text: str | None) -> dict[str, Answer]:
    """What an agent answers that has the text everywhere."""
    snapshot: Snapshot = a_full_snapshot()
    answer = ["A calm answer."]
    if text is not None:
        snapshot = poisoned(snapshot, text)
        snapshot = snapshot.model_copy(update={"backends": (*snapshot.backends, a_backend_state("z", resident=()))})
        answer = [text, f"# {text}", f"```\n{text}\n```", "and so it ends"]
    deltas = [
        json.dumps({"choices": [{"delta": {"content": f"{part}\n\n", "reasoning_content": part}}]}) for part in answer
    ]
    return {"/api/events": streamed((snapshot.model_dump_json(),)), "/v1/chat/completions": chatted(deltas)}


def beside_the_name(screen: str, name: str) -> str:
    """The columns of a node between its name and its model."""
    lines = screen.splitlines()
    heading = next(line for line in lines if "NODE" in line)
    row = next(line for line in lines if name in line[:12])
    return row[heading.index("GPU") : heading.index("MODEL")]


def test_texts_of_a_node_take_no_terminal_over(home: Home) -> None:
    (home.path / "fleet.toml").write_text(FLEET.format(home=home.path))
    words = (command("fleetview"), "--fleet", str(home.path / "fleet.toml"))
    with (
        an_agent_that_says(home.path / "calm.sock", a_node(None)),
        terminal(*words, environment=home.environment, columns=120, rows=40) as pane,
    ):
        willing(pane)
        pane.wait_for("calm", "odd", "down", "normal")
        before = state(pane)
        with an_agent_that_says(home.path / "odd.sock", a_node(TAKEN)):
            pane.press("j", "r")
            screen = pane.wait_for("]2;taken")
            assert beside_the_name(screen, "odd") == beside_the_name(screen, "calm")
            assert state(pane) == before

            pane.press("Enter")
            pane.wait_for("2 min ago", "]52;c;")
            assert state(pane) == before
            pane.press("c")
            pane.wait_for("INSERT")
            pane.type("hello")
            pane.press("Enter")
            pane.wait_for("Chat · �]2;taken", "and so it ends", "␛]2;taken")
            assert state(pane) == before

            pane.press("Escape")
            pane.wait_for("i to type")
            pane.press("q")
            pane.wait_for("NODE")
            pane.press("q", "q")
            pane.wait_gone("NODE")
            after = state(pane)
            assert "taken" not in after
            assert after.split()[0] == before.split()[0]


def test_the_same_texts_would_take_a_terminal_over_that_is_shown_them(home: Home, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text(TAKEN)
    with terminal("sh", "-c", f"read x; cat {tmp_path}/taken; read x", environment={"HOME": str(home.path)}) as pane:
        willing(pane)
        before = state(pane)
        pane.press("Enter")
        pane.wait_for("[red]taken")
        assert state(pane) != before
        assert "taken" in state(pane)
        assert "buffer0" in state(pane)
