from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from fleetview.fleet import LinkDown
from fleetview.remote.errors import NotConnected, Refused
from fleetview.screens.node import NodeScreen, Pane
from fleetview_agent.wire import History, HistoryCurve, OperationChanged, Sampled
from tests.builders import GIB, a_sample, a_snapshot, an_operation
from tests.tui.fake_fleet import AT, FakeFleet, an_ollama, screen_text, settled, six_nodes, this_machine, until


async def test_the_node_view_follows_the_node_and_not_the_selection() -> None:
    fleet = six_nodes()
    app = fleet.app()
    async with app.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: app.fleet["worker-primary"].machine is not None)
        await pilot.press("j", "j", "enter")
        await until(pilot, lambda: isinstance(app.screen, NodeScreen) and "last 2 min" in screen_text(app))
        assert "swap llamacpp/qwen3:32b · load 62%" in screen_text(app)
        fleet.links["worker-primary"].say(Sampled(sample=a_sample(at=AT + 120, gpu_ratio=0.01)))
        await until(pilot, lambda: " 1%" in screen_text(app))
        fleet.links["worker-primary"].say(LinkDown("refused", 3.0))
        await until(pilot, lambda: "down 0 s · refused" in screen_text(app))


async def test_verbs_work_in_the_node_view_too() -> None:
    fleet = FakeFleet({"one": (a_snapshot(),)})
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.fleet["one"].machine is not None)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, NodeScreen))
        await pilot.press("x")
        await until(pilot, lambda: "Unload small from one" in screen_text(app))
        await pilot.press("y")
        await until(pilot, lambda: [request.verb for request in fleet.links["one"].asked] == ["unload"])


async def test_the_covered_fleet_is_current_when_one_comes_back() -> None:
    fleet = FakeFleet({"one": (a_snapshot(),)})
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.fleet["one"].machine is not None)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, NodeScreen))
        fleet.links["one"].say(OperationChanged(operation=an_operation(progress=0.33)))
        await pilot.press("escape")
        await until(pilot, lambda: "load 33%" in screen_text(app).splitlines()[2])


def days(gpu: float) -> History:
    """Two days of which the GPU alone was read."""
    curve = HistoryCurve(mean=(gpu,) * 288, high=(0.99,) * 288)
    return History(began_at=AT - 288 * 600, step_seconds=600, figures={"gpu_ratio": curve})


def two_days() -> History:
    """Days of work with nights between them, and a morning on which the machine was off."""

    def curve(low: float, high: float) -> HistoryCurve:
        day = [None if 60 <= step < 84 else high if 84 <= step % 144 < 132 else low for step in range(288)]
        return HistoryCurve(mean=tuple(day), high=tuple(one and one * 1.1 for one in day))

    figures = {
        "gpu_ratio": curve(0.02, 0.8),
        "cpu_ratio": curve(0.01, 0.2),
        "memory_used_bytes": curve(30.0 * GIB, 64.0 * GIB),
        "gpu_memory_used_bytes": curve(5.0 * GIB, 45.0 * GIB),
        "gpu_celsius": curve(38.0, 61.0),
        "power_watts": curve(30.0, 140.0),
    }
    return History(began_at=AT - 288 * 600, step_seconds=600, figures=figures)


async def test_longer_charts_are_of_the_history_that_the_node_is_asked_for() -> None:
    fleet = FakeFleet({"one": (a_snapshot(),)})
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.fleet["one"].machine is not None)
        link = fleet.links["one"]
        link.past = days(0.11)
        await pilot.press("d", "[", "]")
        await until(pilot, lambda: "1 h ago" in screen_text(app))
        await pilot.press("]", "]")
        await until(pilot, lambda: "11%     99%" in screen_text(app))
        assert "48 h ago" in screen_text(app)
        assert link.past_asked == [(AT - 3600, 60), (AT - 48 * 3600, 600)]
        screen = app.screen
        assert isinstance(screen, NodeScreen)
        assert screen.why_not("longer") == "charts go back 48 h at most"
        await pilot.press("[", "[")
        await until(pilot, lambda: "2 min ago" in screen_text(app))
        assert screen.why_not("shorter") == "charts go back 2 min at least"


async def test_a_history_that_cannot_be_had_is_told_and_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleetview.screens.node.AGAIN_SECONDS", 0.05)
    fleet = FakeFleet({"one": (a_snapshot(),)})
    app = fleet.app()
    async with app.run_test(size=(100, 24)) as pilot:
        await until(pilot, lambda: app.fleet["one"].machine is not None)
        link = fleet.links["one"]
        link.problem = Refused("there is no GET /api/history", code="not_found", status=404)
        await pilot.press("d", "]")
        told = "no history: the agent of one is older than fleetview, and has no history"
        await until(pilot, lambda: told in screen_text(app))
        link.problem = NotConnected("one is not connected")
        await until(pilot, lambda: "no history: one is not connected" in screen_text(app))
        link.problem = None
        link.past = days(0.22)
        await until(pilot, lambda: "22%     99%" in screen_text(app))


async def test_what_is_drawn_again_stays_where_it_was_scrolled_to() -> None:
    fleet = FakeFleet({"one": (a_snapshot(),)})
    app = fleet.app()
    async with app.run_test(size=(80, 14)) as pilot:
        await until(pilot, lambda: app.fleet["one"].machine is not None)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, NodeScreen))
        pane = app.screen.query_one(Pane)
        await until(pilot, lambda: pane.max_scroll_y > 8)
        await pilot.press("j", "j", "j", "j")
        await until(pilot, lambda: pane.scroll_offset.y == 4)
        fleet.links["one"].past = days(0.33)
        await pilot.press("]")
        await until(pilot, lambda: "99%" in screen_text(app))
        fleet.links["one"].say(Sampled(sample=a_sample(at=AT + 1, gpu_ratio=0.07, fans_rpm=None)))
        await until(pilot, lambda: " 7%" in screen_text(app))
        assert pane.scroll_offset.y == 4


def test_everything_about_a_busy_mac(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(six_nodes().app(), press=["j", "j", "d"], terminal_size=(100, 40), run_before=settled)


def test_two_days_of_a_busy_mac(snap_compare: Callable[..., bool]) -> None:
    fleet = six_nodes()

    async def looked_back(pilot: Pilot[None]) -> None:
        await settled(pilot)
        fleet.links["worker-primary"].past = two_days()
        await pilot.press("j", "j", "d", "]", "]")
        await until(pilot, lambda: "48 h ago" in screen_text(fleet_app))

    fleet_app = fleet.app()
    assert snap_compare(fleet_app, terminal_size=(80, 24), run_before=looked_back)


def test_everything_about_this_machine(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(this_machine().app(), press=["d"], terminal_size=(80, 24), run_before=settled)


def test_everything_about_an_ollama_that_others_use(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(an_ollama().app(), press=["d"], terminal_size=(120, 48), run_before=settled)
