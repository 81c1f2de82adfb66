from __future__ import annotations

from collections.abc import Callable

from fleetview.fleet import LinkDown
from fleetview.screens.node import NodeScreen
from fleetview_agent.wire import OperationChanged, Sampled
from tests.builders import a_sample, a_snapshot, an_operation
from tests.tui.fake_fleet import AT, FakeFleet, an_ollama, screen_text, settled, six_nodes, this_machine, until


async def test_the_node_view_follows_the_node_and_not_the_selection() -> None:
    fleet = six_nodes()
    app = fleet.app()
    async with app.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: app.fleet["worker-primary"].machine is not None)
        await pilot.press("j", "j", "enter")
        await until(pilot, lambda: isinstance(app.screen, NodeScreen) and "last 2 minutes" in screen_text(app))
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


def test_everything_about_a_busy_mac(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(six_nodes().app(), press=["j", "j", "d"], terminal_size=(100, 40), run_before=settled)


def test_everything_about_this_machine(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(this_machine().app(), press=["d"], terminal_size=(80, 24), run_before=settled)


def test_everything_about_an_ollama_that_others_use(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(an_ollama().app(), press=["d"], terminal_size=(120, 48), run_before=settled)
