"""What `fleetview status` says of agents that are too old, too new, lost, or talk nonsense."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetview.cli import status
from fleetview.cli.status import Look, _object, _remarks, look
from fleetview.config import config_of
from fleetview.remote.logins import Logins
from fleetview.words.parser import parse
from fleetview_agent.wire import PROTOCOL, Sampled
from tests.builders import a_node, a_sample, a_snapshot
from tests.tui.remote.scripted import HOLD, a_local_node, a_scripted_agent, streamed

SAMPLED = Sampled(sample=a_sample()).model_dump_json().encode()


@pytest.fixture
def socket() -> Iterator[Path]:
    """Where an agent may serve, under a path that is short enough."""
    with tempfile.TemporaryDirectory(prefix="fv-") as folder:
        yield Path(folder) / "agent.sock"


async def test_lines_without_sense_and_a_newer_agent_are_remarked_and_counted(socket: Path) -> None:
    newer = a_snapshot(protocol=PROTOCOL + 1).model_dump_json().encode()
    async with a_scripted_agent(socket, *streamed(b"motd", newer, b"nonsense", b"[]", SAMPLED), HOLD):
        node = (await look(a_local_node(socket, "head-primary"), Logins())).node
    version, dropped = _remarks(node)
    assert "the agent of head-primary is newer" in version
    assert dropped == "3 lines of head-primary made no sense and were skipped"
    told = _object(node, node.heard_at or 0.0)
    assert (told["condition"], told["stale"], told["dropped"]) == ("up", False, 3)


async def test_an_agent_that_is_too_old_is_down_with_what_to_upgrade(socket: Path) -> None:
    async with a_scripted_agent(socket, *streamed(json.dumps({"type": "snapshot", "protocol": 0}).encode()), HOLD):
        node = (await look(a_local_node(socket, "head-primary"), Logins())).node
    assert node.link == "down"
    assert str(node.reason).startswith("agent too old")
    assert str(node.reason).endswith("(upgrade fleetview-agent on head-primary)")
    assert _object(node, 0.0)["stale"] is False


def test_old_figures_are_called_so_with_the_reason() -> None:
    lost = a_node("one", link="down", reason="no route to host")
    assert _object(lost, 100.0)["stale"] is True
    assert tuple(_remarks(lost)) == ("one is down, and its figures are old: no route to host",)
    assert _object(a_node(), 105.0)["stale"] is True
    assert _object(a_node(), 100.0)["stale"] is False


async def test_a_node_that_answers_at_once_is_no_older_because_another_one_does_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def answered(*_: object) -> Look:
        return Look(a_node("one", heard_at=-100.0, link_since=-101.0), -99.5)

    monkeypatch.setattr(status, "look", answered)
    config = config_of({"node": [{"name": "one", "host": "one"}]})
    assert await status.run(parse(("status",)), config, Logins()) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:2] == ["one", "up"]
