from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from textual.pilot import Pilot

from fleetview.app import FleetApp
from fleetview.fleet import LinkDown
from fleetview.remote.errors import NotConnected, Refused
from fleetview.screens.node import NodeScreen, Pane
from fleetview_agent.wire import History, HistoryCurve, OperationChanged, PhaseTime, ProcessMemory, Sampled
from tests.builders import GIB, a_load_request, a_sample, a_snapshot, an_operation, an_unload_request
from tests.tui.fake_fleet import AT, FakeFleet, an_ollama, screen_text, settled, six_nodes, this_machine, until
from tests.tui.journals import FAILED, ended


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
        await pilot.press("j", "j")
        await until(pilot, lambda: pane.scroll_offset.y == 2)
        fleet.links["one"].past = days(0.33)
        await pilot.press("]")
        await until(pilot, lambda: "99%" in screen_text(app))
        fleet.links["one"].say(Sampled(sample=a_sample(at=AT + 1, gpu_ratio=0.07, fans_rpm=None)))
        await until(pilot, lambda: " 7%" in screen_text(app))
        assert pane.scroll_offset.y == 2


async def test_tab_goes_from_section_to_section_and_back_to_the_first() -> None:
    fleet = FakeFleet({"one": (a_snapshot(),)})
    app = fleet.app()
    async with app.run_test(size=(80, 16)) as pilot:
        await until(pilot, lambda: app.fleet["one"].machine is not None)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, NodeScreen))
        pane = app.screen.query_one(Pane)
        await until(pilot, lambda: pane.max_scroll_y > 8)
        await pilot.press("tab")
        await until(pilot, lambda: screen_text(app).splitlines()[2].startswith(" last 2 min"))
        await pilot.press("tab")
        await until(pilot, lambda: screen_text(app).splitlines()[2].startswith(" models in memory"))
        await pilot.press("shift+tab", "shift+tab")
        await until(pilot, lambda: pane.scroll_offset.y == 0)
        await pilot.press("shift+tab")
        await until(pilot, lambda: pane.scroll_offset.y == pane.max_scroll_y)
        await pilot.press("tab")
        await until(pilot, lambda: pane.scroll_offset.y == 0)


async def test_v_tells_where_each_figure_is_read_and_again_what_was_there_before() -> None:
    fleet = FakeFleet({"one": (a_snapshot(samples=(a_sample(power_watts=None, reasons={"power_watts": "none"}),)),)})
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.fleet["one"].machine is not None)
        await pilot.press("d", "v")
        await until(pilot, lambda: screen_text(app).splitlines()[2].startswith(" every figure"))
        rows = [" ".join(row.rstrip("▁▂▃▄▅▆▇█ ").split()) for row in screen_text(app).splitlines()]
        assert "CPU load 25% a test" in rows
        assert "power – none" in rows
        await pilot.press("v")
        await until(pilot, lambda: "last 2 min" in screen_text(app))
        assert "every figure" not in screen_text(app)


async def test_who_holds_the_memory_is_asked_for_at_once_and_again_after_a_while() -> None:
    fleet = FakeFleet({"one": (a_snapshot(),)})
    app = fleet.app()
    async with app.run_test(size=(100, 60)) as pilot:
        await until(pilot, lambda: app.fleet["one"].machine is not None)
        link = fleet.links["one"]
        link.holders = (ProcessMemory(pid=4711, name="python3", memory_bytes=5 * GIB, serves="llamacpp"),)
        await pilot.press("d")
        await until(pilot, lambda: "serves llamacpp/small" in screen_text(app))
        link.problem = Refused("there is no GET /api/processes", code="not_found", status=404)
        fleet.now += 11
        app._tick()
        await until(pilot, lambda: "the agent of one is older than fleetview, and has no lists" in screen_text(app))


async def test_what_was_done_is_marked_under_the_charts_as_soon_as_it_ends() -> None:
    fleet = FakeFleet({"one": (a_snapshot(),)})
    app = fleet.app()
    async with app.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: app.fleet["one"].machine is not None)
        link = fleet.links["one"]
        link.journaled = (ended("a", 150, request=a_load_request("qwen3:32b")),)
        await pilot.press("d")
        await until(pilot, lambda: "load of qwen3:32b, 12 s" in screen_text(app))
        over = an_operation(phase="ready", result="failed", cause="out of memory", ended_at=AT)
        link.journaled = (over, *link.journaled)
        link.say(OperationChanged(operation=over))
        await until(pilot, lambda: "swap to large failed: out of memory" in screen_text(app))
        await until(pilot, lambda: "2 events" in screen_text(app) and link.journal_asked == 2)


async def test_a_load_in_hand_says_how_long_it_will_take_still() -> None:
    phases = (PhaseTime(phase="plan", seconds=0.1), PhaseTime(phase="load", began_at=AT - 3))
    swap = an_operation(phases=phases, expected_seconds=12.0, progress=None)
    fleet = FakeFleet({"one": (a_snapshot(operations=(swap,)),)})
    app = fleet.app()
    async with app.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: "load · about 9 s left" in screen_text(app))
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, NodeScreen) and "about 9 s left" in screen_text(app))
        fleet.now += 30
        app._tick()
        await until(pilot, lambda: "load · longer than expected" in screen_text(app))


async def told(pilot: Pilot[None], fleet: FakeFleet) -> None:
    """Let a machine say what was done to it and who holds its memory, and show it."""
    await settled(pilot)
    link = fleet.links["worker-primary"]
    link.past = two_days()
    link.holders = (
        ProcessMemory(pid=4711, name="python3.12", memory_bytes=5 * GIB, user="operator", serves="llamacpp"),
        ProcessMemory(pid=412, name="WindowServer", memory_bytes=GIB, user="_windowserver"),
    )
    link.journaled = (
        ended("a", 30),
        ended("b", 3000, request=a_load_request("qwen3:235b"), **FAILED),
        ended("c", 90_000, request=an_unload_request("small"), evictions=()),
        ended("d", 90_100, request=a_load_request("small")),
    )
    await pilot.press("j", "j", "d")
    app = pilot.app
    assert isinstance(app, FleetApp)
    await until(pilot, lambda: "swap to large, 12 s" in screen_text(app))


@pytest.fixture(autouse=True)
def _greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times of day are those of Greenwich."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=lambda size: "x".join(map(str, size)))
def test_everything_about_a_busy_mac(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    fleet = six_nodes()
    assert snap_compare(fleet.app(), terminal_size=size, run_before=partial(told, fleet=fleet))


def test_two_days_of_a_busy_mac(snap_compare: Callable[..., bool]) -> None:
    fleet = six_nodes()

    async def looked_back(pilot: Pilot[None]) -> None:
        await told(pilot, fleet)
        await pilot.press("]", "]")
        assert isinstance(pilot.app, FleetApp)
        await until(pilot, lambda: "48 h ago" in screen_text(pilot.app))

    assert snap_compare(fleet.app(), terminal_size=(80, 24), run_before=looked_back)


def test_a_node_in_forty_columns(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(six_nodes().app(), press=["j", "j", "d"], terminal_size=(40, 8), run_before=settled)


def test_where_each_figure_is_read(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(this_machine().app(), press=["d", "v"], terminal_size=(80, 24), run_before=settled)


def test_everything_about_an_ollama_that_others_use(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(an_ollama().app(), press=["d"], terminal_size=(120, 48), run_before=settled)
