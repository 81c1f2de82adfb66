"""What the first paint does not wait for: each of these took its share of the start once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable

import pytest
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode

from fleetview.widgets.fleet_table import FleetTable
from fleetview.widgets.node_panel import NodePanel
from fleetview.words.parser import _parsed, _parser, parse
from tests.tui.fake_fleet import settled, six_nodes

START = """
import sys
import fleetview.__main__, fleetview.cli.run, fleetview.last_known, fleetview.status_line, fleetview.watching
from fleetview.app import FleetApp
from fleetview.config import FleetConfig

app = FleetApp(FleetConfig())
app._begin = lambda: app.exit(sorted(sys.modules))
print(*app.run(headless=True, mouse=False))
"""
"""The dashboard until its first picture is out."""
LATE = {
    "asyncssh",
    "fleetview.alerts.rules",
    "fleetview.chats.records",
    "fleetview.cli.fleet_file",
    "fleetview.form_schema",
    "fleetview.last_known_lines",
    "fleetview.models.picking",
    "fleetview.present.node.health",
    "fleetview.remote.client",
    "fleetview.remote.host_key",
    "fleetview.screens.help",
    "fleetview.wishes.batch",
    "fleetview_agent.wire",
    "hashlib",
    "http",
    "httpx",
    "markdown_it",
    "pydantic",
    "pydantic_core",
    "sqlite3",
    "textual.widgets._text_area",
}


def test_nothing_that_the_first_picture_can_do_without_is_loaded_before_it() -> None:
    done = subprocess.run((sys.executable, "-c", START), capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "fleetview.screens.fleet" in loaded
    assert LATE & loaded == set()


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--fleet", "status"),
        ("--fleet=a.toml", "--readonly", "--no-history"),
        ("--log-level", "debug", "--log-file", "a.log"),
    ],
)
def test_options_alone_mean_the_same_as_to_the_parser_of_every_verb(words: tuple[str, ...]) -> None:
    assert vars(parse(words)) == vars(_parsed(_parser(), words))


@pytest.mark.parametrize("size", [(40, 8), (80, 24), (200, 50)])
async def test_the_whole_fleet_is_styled_once(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    styled: list[set[type[DOMNode]]] = []
    update = Stylesheet.update_nodes

    def noted(self: Stylesheet, nodes: Iterable[DOMNode], animate: bool = False) -> None:
        several = tuple(nodes)
        styled.append({type(node) for node in several})
        update(self, several, animate)

    monkeypatch.setattr(Stylesheet, "update_nodes", noted)
    app = six_nodes().app()
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
    assert sum({FleetTable, NodePanel} <= kinds for kinds in styled) == 1
