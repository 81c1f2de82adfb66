"""What was last heard of a node outlives the dashboard, and is never taken for news."""

from __future__ import annotations

import json
import math
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fleetview import last_known
from fleetview.app import FleetApp
from fleetview.config import NodeConfig, config_of
from fleetview.fleet import Fleet, LinkDown, NodeState, condition
from fleetview.last_known import SAVE_SECONDS, LastKnown
from fleetview.widgets.fleet_table import FleetTable
from tests.builders import a_backend_state, a_node, a_resident, a_sample, a_snapshot, a_traffic, an_operation
from tests.tui.fake_fleet import FakeFleet, screen_text, until

WALL = 1_700_000_000.0
STUDIO, LAPTOP = NodeConfig(name="studio", host="studio.lan"), NodeConfig(name="laptop", host="laptop.lan")


class Desk:
    """One account's file, and a wall clock that stands still."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "state" / "last-known.json"
        self.wall = WALL

    def memory(self) -> LastKnown:
        return LastKnown(self.file, lambda: self.wall)

    def save(self, *nodes: NodeConfig, at: float = 100.0, **changes: Any) -> None:
        """What a dashboard leaves that has heard of all these nodes at the time 100."""
        self.memory().save(nodes, {node.name: a_node(node.name, **changes) for node in nodes}, at)

    def recall(self, *nodes: NodeConfig, at: float = 5.0) -> Fleet:
        """What a new dashboard begins with."""
        return self.memory().recall(nodes, {node.name: NodeState(node.name) for node in nodes}, at)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_what_was_heard_is_there_again_with_its_age_and_as_old(desk: Desk) -> None:
    desk.save(STUDIO, at=130.0)
    desk.wall += 3600
    node = desk.recall(STUDIO)["studio"]
    assert node.heard_at == pytest.approx(5.0 - 3630.0)
    assert (node.link, condition(node, 5.0)) == ("connecting", "stale")
    assert node.machine == a_node("studio").machine
    assert node.backends == a_node().backends
    assert node.backends_heard_at == {"llamacpp": node.heard_at}


def test_neither_operations_nor_traffic_come_back(desk: Desk) -> None:
    busy = a_sample(traffic=(a_traffic(in_flight=2, generation_tokens_per_second=40.0),))
    desk.save(STUDIO, samples=(a_sample(), busy), operations=(an_operation(),))
    node = desk.recall(STUDIO)["studio"]
    assert node.samples == (a_sample(traffic=()),)
    assert node.operations == ()


def test_a_wall_clock_that_went_back_makes_nothing_younger_than_now(desk: Desk) -> None:
    desk.save(STUDIO)
    desk.wall -= 86_400
    assert desk.recall(STUDIO)["studio"].heard_at == 5.0


@pytest.mark.parametrize(
    "other",
    [
        {"name": "renamed"},
        {"host": "elsewhere.lan"},
        {"user": "ada"},
        {"port": 2222},
        {"socket": Path("/run/agent.sock")},
        {"host": None, "local": True},
    ],
)
def test_another_name_or_address_is_another_node(desk: Desk, other: dict[str, Any]) -> None:
    desk.save(STUDIO)
    node = replace(STUDIO, **other)
    assert desk.recall(node)[node.name] == NodeState(node.name)


def test_nodes_that_left_the_fleet_file_are_forgotten(desk: Desk) -> None:
    desk.save(STUDIO, LAPTOP)
    desk.save(STUDIO)
    assert desk.recall(LAPTOP)["laptop"].machine is None


def test_what_is_known_already_is_not_replaced(desk: Desk) -> None:
    desk.save(STUDIO)
    fleet = {"studio": a_node("studio", heard_at=3.0)}
    assert desk.memory().recall((STUDIO,), fleet, 5.0) is fleet


def test_the_file_and_its_folder_are_for_their_owner_alone_and_nothing_else_is_left(desk: Desk) -> None:
    desk.save(STUDIO)
    assert stat.S_IMODE(desk.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(desk.file.parent.stat().st_mode) == 0o700
    assert tuple(desk.file.parent.iterdir()) == (desk.file,)


def test_a_node_that_was_lost_or_never_came_keeps_what_is_known_of_it(desk: Desk) -> None:
    desk.save(STUDIO, LAPTOP)
    desk.wall += 60
    memory = desk.memory()
    fleet = memory.recall((STUDIO, LAPTOP), {name: NodeState(name) for name in ("studio", "laptop")}, 5.0)
    memory.save((STUDIO, LAPTOP), {**fleet, "laptop": a_node("laptop", link="down", heard_at=4.0)}, 10.0)
    now = desk.recall(STUDIO, LAPTOP)
    assert (now["studio"].heard_at, now["laptop"].heard_at) == (pytest.approx(-55.0), pytest.approx(-1.0))


def test_two_dashboards_keep_the_newest_of_each_node(desk: Desk) -> None:
    one, two = desk.memory(), desk.memory()
    nodes, nothing = (STUDIO, LAPTOP), {name: NodeState(name) for name in ("studio", "laptop")}
    for memory in (one, two):
        memory.recall(nodes, nothing, 5.0)
    one.save(nodes, {"studio": a_node("studio", heard_at=50.0), "laptop": a_node("laptop", heard_at=90.0)}, 100.0)
    two.save(nodes, {**nothing, "studio": a_node("studio", heard_at=80.0)}, 100.0)
    one.save(nodes, {"studio": a_node("studio", heard_at=50.0), "laptop": a_node("laptop", heard_at=90.0)}, 100.0)
    now = desk.recall(*nodes, at=100.0)
    assert (now["studio"].heard_at, now["laptop"].heard_at) == (80.0, 90.0)


def test_a_record_of_tomorrow_gives_way_to_what_is_heard_today(desk: Desk) -> None:
    desk.wall += 86_400
    desk.save(STUDIO)
    desk.wall -= 86_400
    desk.save(STUDIO, samples=(a_sample(gpu_ratio=0.9),))
    sample = desk.recall(STUDIO)["studio"].sample
    assert sample is not None
    assert sample.gpu_ratio == 0.9


def test_it_is_written_once_a_minute_and_only_when_there_is_something_new(desk: Desk) -> None:
    memory = desk.memory()
    memory.recall((STUDIO,), {}, 0.0)
    for second in range(1, int(SAVE_SECONDS)):
        memory.note((STUDIO,), {"studio": a_node("studio", heard_at=float(second))}, float(second))
        assert not desk.file.exists()
    memory.note((STUDIO,), {"studio": a_node("studio", heard_at=60.0)}, SAVE_SECONDS)
    written = desk.file.stat().st_ino, desk.file.stat().st_mtime_ns
    memory.note((STUDIO,), {"studio": a_node("studio", heard_at=60.0)}, SAVE_SECONDS * 2)
    assert (desk.file.stat().st_ino, desk.file.stat().st_mtime_ns) == written


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\xff" * 50, b"[" * 100_000, b'{"file":"fleetview last known","version":2}\n', last_known.FORMAT],
)
def test_a_damaged_or_foreign_file_is_ignored_and_replaced(desk: Desk, content: bytes) -> None:
    desk.save(STUDIO)
    line = desk.file.read_bytes().split(b"\n")[1] + b"\n"
    desk.file.write_bytes(content + line * (content != last_known.FORMAT))
    assert desk.recall(STUDIO)["studio"].machine is None
    desk.save(STUDIO)
    assert desk.recall(STUDIO)["studio"].machine is not None


def test_a_damaged_line_costs_its_node_alone(desk: Desk) -> None:
    desk.save(STUDIO, LAPTOP)
    first, studio, laptop, _ = desk.file.read_bytes().split(b"\n")
    endless = json.dumps({**json.loads(laptop), "heard": -math.inf}).encode()
    desk.file.write_bytes(b"\n".join((first, studio[:-9], b"{}", b"\xff", endless, studio, b"")))
    assert [node.machine is not None for node in desk.recall(STUDIO, LAPTOP).values()] == [True, False]


def test_what_is_too_large_is_left_out(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    large = a_backend_state(resident=(a_resident("x" * last_known.NODE_BYTES),))
    desk.save(STUDIO, backends={"llamacpp": large})
    assert desk.recall(STUDIO)["studio"].machine is None
    desk.save(STUDIO, LAPTOP)
    monkeypatch.setattr(last_known, "FILE_BYTES", desk.file.stat().st_size - 1)
    assert desk.recall(STUDIO, LAPTOP)["studio"].machine is None
    desk.save(STUDIO, LAPTOP)
    assert [node.machine is not None for node in desk.recall(STUDIO, LAPTOP).values()] == [True, False]


def test_a_disk_that_cannot_be_written_keeps_nobody_from_looking(tmp_path: Path) -> None:
    (tmp_path / "in-the-way").write_text("a file where the folder should be")
    memory = LastKnown(tmp_path / "in-the-way" / "last-known.json")
    fleet = {"studio": a_node("studio")}
    assert memory.recall((STUDIO,), fleet, 5.0) is fleet
    memory.save((STUDIO,), fleet, 100.0)


def test_without_a_file_nothing_is_known_and_nothing_is_kept() -> None:
    memory = LastKnown()
    fleet: Fleet = {"studio": NodeState("studio")}
    assert memory.recall((STUDIO,), fleet, 5.0) is fleet
    memory.save((STUDIO,), {"studio": a_node("studio")}, 100.0)


async def test_a_dashboard_begins_with_old_figures_and_replaces_them_by_new_ones(desk: Desk) -> None:
    fleet = FakeFleet({"studio": (), "new": ()})
    config = config_of({"node": [{"name": name, "host": name} for name in ("studio", "new")]})
    desk.memory().save(config.nodes, {"studio": a_node("studio")}, 100.0)
    desk.wall += 7200
    app = FleetApp(config, fleet._open, clock=lambda: fleet.now, memory=desk.memory())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "2 h old, connecting" in screen_text(app))
        assert "… new    connecting" in screen_text(app)
        assert "alert" not in screen_text(app)
        assert app.screen.query_one(FleetTable).selected == "studio"
        fleet.links["studio"].say(LinkDown("no route to host", 5.0))
        await until(pilot, lambda: "no route to host" in screen_text(app) and "last heard 2 h ago" in screen_text(app))
        fleet.links["studio"].say(a_snapshot())
        await until(pilot, lambda: "● studio" in screen_text(app))
        assert "2 h" not in screen_text(app)


async def test_a_running_dashboard_writes_once_a_minute(desk: Desk) -> None:
    fleet = FakeFleet({"studio": (a_snapshot(),)})
    app = FleetApp(fleet.config, fleet._open, clock=lambda: fleet.now, memory=desk.memory())
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.fleet["studio"].machine is not None)
        fleet.now += SAVE_SECONDS
        app._tick()
        assert desk.file.exists()
    assert desk.recall(*fleet.config.nodes)["studio"].machine == a_snapshot().machine
