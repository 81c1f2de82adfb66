"""Verbs that ask several nodes at once."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fleetview.cli import bounds, models, status
from fleetview.config import FleetConfig, NodeConfig
from fleetview.models.picking import Choice
from fleetview.remote.client import AgentClient
from fleetview.remote.connect import connect
from fleetview.remote.errors import HostKeyUnknown, RemoteError, Unreachable
from fleetview.remote.host_key import HostKey
from fleetview.remote.logins import Logins
from fleetview.words.parser import parse
from fleetview_agent.wire import Sampled
from tests.builders import a_backend_state, a_model_file, a_plan, a_sample, a_snapshot
from tests.tui.remote.scripted import HOLD, a_local_node, a_scripted_agent, answer, streamed

Output = pytest.CaptureFixture[str]
KEY = HostKey("far", "ssh-ed25519", "SHA256:abc", "ssh-ed25519 AAAA", Path("known_hosts"))
UNKNOWN = HostKeyUnknown("host key of far is unknown: SHA256:abc", "ssh far shows it too", KEY)
REFUSED = Unreachable("refused: nothing listens for ssh at op@far:22")
SNAPSHOT = a_snapshot(backends=(a_backend_state(models=(a_model_file("small"), a_model_file("large")), resident=()),))
EVENTS = streamed(SNAPSHOT.model_dump_json().encode(), Sampled(sample=a_sample()).model_dump_json().encode())


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, since it holds sockets."""
    with tempfile.TemporaryDirectory(prefix="fv-") as folder:
        yield Path(folder)


def a_far_node(name: str) -> NodeConfig:
    return NodeConfig(name=name, host=name)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> dict[str, RemoteError]:
    """Why remote nodes cannot be reached, by their names."""
    problems: dict[str, RemoteError] = {}

    @asynccontextmanager
    async def stub(node: NodeConfig, logins: Logins | None = None, **more: float) -> AsyncIterator[AgentClient]:
        if node.name in problems:
            raise problems[node.name]
        async with connect(node, logins) as client:
            yield client

    monkeypatch.setattr(status, "connect", stub)
    monkeypatch.setattr(models, "connect", stub)
    return problems


async def test_failures_come_first_and_the_others_in_the_order_of_the_file(
    folder: Path, failing: dict[str, RemoteError], capsys: Output
) -> None:
    failing.update(far=UNKNOWN, off=REFUSED)
    socket = folder / "agent.sock"
    nodes = (a_local_node(socket, "one"), a_far_node("far"), a_local_node(socket, "two"), a_far_node("off"))
    config = FleetConfig(nodes=nodes)
    async with a_scripted_agent(socket, *EVENTS, HOLD):
        assert await status.run(parse(["status"]), config, Logins()) == 0
        _, *rows = capsys.readouterr().out.splitlines()
        assert [row.split()[0] for row in rows[:4]] == ["far", "off", "one", "two"]
        assert "SHA256:abc (ssh far shows it too)" in rows[0]
        assert await status.run(parse(["status", "--json"]), config, Logins()) == 0
        assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["one", "far", "two", "off"]


@pytest.mark.parametrize(
    ("names", "expected"), [((), 0), (("one",), 0), (("one", "far"), 3), (("far",), 3), (("off", "far"), 3)]
)
async def test_status_three_means_that_a_named_node_failed(
    folder: Path, failing: dict[str, RemoteError], names: tuple[str, ...], expected: int
) -> None:
    failing.update(far=UNKNOWN, off=REFUSED)
    socket = folder / "agent.sock"
    config = FleetConfig(nodes=(a_local_node(socket, "one"), a_far_node("far"), a_far_node("off")))
    async with a_scripted_agent(socket, *EVENTS, HOLD):
        assert await status.run(parse(["status", *names]), config, Logins()) == expected


async def test_a_fleet_that_is_down_altogether_is_status_three(failing: dict[str, RemoteError], capsys: Output) -> None:
    failing.update(far=UNKNOWN, off=REFUSED)
    config = FleetConfig(nodes=(a_far_node("far"), a_far_node("off")))
    assert await status.run(parse(["status"]), config, Logins()) == 3
    assert await models.run(parse(["models", "--json"]), config, Logins()) == 3
    told = capsys.readouterr()
    assert told.out.splitlines()[-1] == "[]"
    assert told.err.splitlines() == [f"fleetview: {UNKNOWN}", f"fleetview: off: {REFUSED}"]


async def test_a_node_that_says_nothing_holds_nobody_back_and_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setattr(bounds, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(status, "ANSWER_SECONDS", 0.5)
    nodes = (a_local_node(folder / "a.sock", "mute"), a_local_node(folder / "b.sock", "one"))
    began = time.monotonic()
    async with a_scripted_agent(folder / "a.sock", HOLD), a_scripted_agent(folder / "b.sock", *EVENTS, HOLD):
        assert await status.run(parse(["status"]), FleetConfig(nodes=nodes), Logins()) == 0
        assert await models.run(parse(["models", "mute"]), FleetConfig(nodes=nodes), Logins()) == 3
    told = capsys.readouterr()
    _, mute, one = told.out.splitlines()[:3]
    assert mute.split()[:2] == ["mute", "down"]
    assert mute.endswith("mute does not answer within 0.5 s")
    assert one.split()[:2] == ["one", "up"]
    assert told.err == "fleetview: mute does not answer within 0.5 s\n"
    assert time.monotonic() - began < 5


async def test_what_could_be_read_of_the_models_is_printed_beside_why_that_is_not_all(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    asked: list[str] = []

    async def plan(_client: AgentClient, choice: Choice) -> object:
        asked.append(choice.name)
        if len(asked) > 1:
            raise REFUSED
        return a_plan()

    monkeypatch.setattr(models, "_plan", plan)
    monkeypatch.setattr(models, "AT_ONCE", 1)
    socket = folder / "agent.sock"
    async with a_scripted_agent(socket, answer(SNAPSHOT.model_dump_json().encode())):
        config = FleetConfig(nodes=(a_local_node(socket, "one"),))
        assert await models.run(parse(["models", "one", "--json"]), config, Logins()) == 3
    told = capsys.readouterr()
    rows = json.loads(told.out)
    assert len(rows) == 2
    assert [row["plan"] is None for row in rows] == [False, True]
    assert told.err == f"fleetview: one: {REFUSED}\n"
