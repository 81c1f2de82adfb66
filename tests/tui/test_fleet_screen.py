from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from textual.geometry import Region

from fleetview.app import FleetApp
from fleetview.fleet import LinkDown
from fleetview.present.text import text_of
from fleetview.widgets.fleet_table import FleetTable
from fleetview.widgets.key_bar import KeyBar
from fleetview.widgets.node_panel import NodePanel
from fleetview_agent.wire import BackendChanged, OperationChanged, Sampled
from tests.builders import AUTHOR, a_backend_state, a_resident, a_sample, a_snapshot, a_traffic, an_operation
from tests.tui.fake_fleet import AT, FakeFleet, an_ollama, screen_text, settled, six_nodes, this_machine, until

SIX = (
    "head-primary",
    "head-secondary",
    "worker-primary",
    "worker-secondary",
    "laptop-primary",
    "laptop-secondary",
)


def table(app: FleetApp) -> FleetTable:
    return app.screen_stack[0].query_one(FleetTable)


def named_below(app: FleetApp) -> str:
    """The node that the panel is about."""
    return text_of(app.screen.query_one(NodePanel).lines[0]).split()[0]


def tones(app: FleetApp) -> dict[str, str]:
    """Each text of the last line and how it is meant."""
    return {text.strip(): tone for line in app.screen.query_one(KeyBar).lines for text, tone in line}


def heard(app: FleetApp) -> Callable[[], bool]:
    return lambda: all(node.machine is not None or node.link == "down" for node in app.fleet.values())


async def test_the_selection_follows_the_keys_and_the_panel_follows_the_selection() -> None:
    app = six_nodes().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, heard(app))
        expected = {"j": 1, "down": 2, "k": 1, "up": 0, "G": 5, "g": 0, "end": 5, "home": 0, "pagedown": 5, "pageup": 0}
        for key, place in expected.items():
            await pilot.press(key)
            assert table(app).selected == SIX[place]
            await until(pilot, lambda: named_below(app) == table(app).selected)


async def test_the_selection_and_the_scroll_survive_whatever_arrives() -> None:
    names = [f"node-{number:02}" for number in range(40)]
    fleet = FakeFleet({name: (a_snapshot(),) for name in names})
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, heard(app))
        await pilot.press("G", "k")
        await until(pilot, lambda: table(app).scroll_offset.y > 0)
        top = table(app).scroll_offset.y
        for link in fleet.links.values():
            link.say(Sampled(sample=a_sample(at=AT + 1, gpu_ratio=0.77)))
        fleet.links["node-39"].say(LinkDown("refused", 1.0))
        await until(pilot, lambda: "77%" in screen_text(app))
        assert table(app).selected == "node-38"
        assert table(app).scroll_offset.y == top
        assert "▸● node-38" in screen_text(app)


async def test_only_the_row_that_changed_is_drawn_again() -> None:
    fleet = six_nodes()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, heard(app))
        await pilot.pause(0.1)
        refreshed: set[int] = set()

        def watched(*regions: Region, **_: object) -> FleetTable:
            refreshed.update(region.y for region in regions)
            return table(app)

        table(app).refresh = watched  # type: ignore[method-assign]  # watched
        fleet.links["worker-secondary"].say(Sampled(sample=a_sample(at=AT + 1, gpu_ratio=0.99)))
        await until(pilot, lambda: bool(refreshed))
        assert refreshed == {3}


async def test_a_filter_stays_is_shown_and_is_cleared_by_escape() -> None:
    app = six_nodes().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, heard(app))
        await pilot.press("slash", *"Work")
        assert table(app).names == ("worker-primary", "worker-secondary")
        assert table(app).selected == "worker-primary"
        await pilot.press("enter", "j")
        assert table(app).selected == "worker-secondary"
        await until(pilot, lambda: "/Work" in screen_text(app).splitlines()[0])
        await pilot.press("escape")
        assert table(app).names == SIX
        assert table(app).selected == "worker-secondary"


async def test_letters_in_the_filter_are_text_and_not_verbs() -> None:
    fleet = six_nodes()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, heard(app))
        await pilot.press("slash", *"sxcqp?:13")
        assert len(app.screen_stack) == 1
        assert app.paused is False
        assert table(app).names == ()
        await pilot.press("escape")
        assert table(app).names == SIX


async def test_keys_that_cannot_work_are_dimmed_until_they_can() -> None:
    fleet = FakeFleet({"one": (a_snapshot(backends=(a_backend_state(resident=()),)),)})
    app = fleet.app()
    async with app.run_test(size=(120, 24)) as pilot:
        await until(pilot, lambda: "swap" in tones(app))
        assert {"x unload", "c chat"} <= tones(app).keys()
        await pilot.press("x", "c", "ctrl+x")
        assert len(app.screen_stack) == 1
        fleet.links["one"].say(BackendChanged(state=a_backend_state()))
        await until(pilot, lambda: {"unload", "chat"} <= tones(app).keys())
        fleet.links["one"].say(LinkDown("refused", 1.0))
        await until(pilot, lambda: "s swap" in tones(app))


async def test_a_swap_is_picked_with_its_plan_and_then_asked_for() -> None:
    fleet = six_nodes()
    app = fleet.app()
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, heard(app))
        await pilot.press("j", "s")
        await until(pilot, lambda: "Swap on head-secondary" in screen_text(app) and "computed" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: bool(fleet.links["head-secondary"].asked))
        (request,) = fleet.links["head-secondary"].asked
        assert (request.verb, request.author) == ("swap", AUTHOR)


async def test_unloading_asks_first_names_node_and_model_and_no_is_the_default() -> None:
    busy = a_sample(traffic=(a_traffic(in_flight=2),))
    fleet = FakeFleet({"one": (a_snapshot(samples=(busy,)),)})
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, heard(app))
        await pilot.press("x")
        await until(pilot, lambda: "Unload small from one" in screen_text(app))
        assert "2 requests running" in screen_text(app)
        await pilot.press("enter")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert fleet.links["one"].asked == []
        await pilot.press("x")
        await until(pilot, lambda: "Unload small from one" in screen_text(app))
        await pilot.press("y")
        await until(pilot, lambda: bool(fleet.links["one"].asked))
        assert fleet.links["one"].asked[0].verb == "unload"


async def test_where_several_models_are_resident_one_is_chosen_first() -> None:
    two = a_backend_state(resident=(a_resident("a"), a_resident("b")))
    fleet = FakeFleet({"one": (a_snapshot(backends=(two,)),)})
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, heard(app))
        await pilot.press("x")
        await until(pilot, lambda: "llamacpp/b" in screen_text(app))
        await pilot.press("j", "enter")
        await until(pilot, lambda: "Unload b from one" in screen_text(app))
        await pilot.press("y")
        await until(pilot, lambda: bool(fleet.links["one"].asked))
        assert fleet.links["one"].asked[0].model == "b"


async def test_an_operation_is_cancelled_after_asking() -> None:
    fleet = six_nodes()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, heard(app))
        await pilot.press("j", "j", "ctrl+x")
        await until(pilot, lambda: "Cancel the swap of qwen3:32b on worker-primary" in screen_text(app))
        await pilot.press("y")
        await until(pilot, lambda: fleet.links["worker-primary"].cancelled == ["op-1"])


async def test_r_skips_the_wait_of_a_lost_node() -> None:
    fleet = six_nodes()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, heard(app))
        await pilot.press("r")
        assert fleet.links["head-primary"].retries == 0
        await pilot.press("G", "r")
        await until(pilot, lambda: fleet.links["laptop-secondary"].retries == 1)


async def test_pausing_keeps_the_picture_while_the_fleet_goes_on() -> None:
    fleet = FakeFleet({"one": (a_snapshot(),)})
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "50%" in screen_text(app))
        await pilot.press("p")
        await until(pilot, lambda: "paused" in screen_text(app))
        fleet.links["one"].say(Sampled(sample=a_sample(at=AT + 1, gpu_ratio=0.77)))
        await pilot.pause(0.1)
        assert app.fleet["one"].sample is not None
        assert app.fleet["one"].sample.gpu_ratio == 0.77
        assert "77%" not in screen_text(app)
        await pilot.press("p")
        await until(pilot, lambda: "77%" in screen_text(app) and "paused" not in screen_text(app))


async def test_a_read_only_dashboard_has_no_verbs_that_change_something() -> None:
    app = six_nodes().app(readonly=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, heard(app))
        assert not {"s", "x", "ctrl+x"} & app.screen.active_bindings.keys()
        assert "c" in app.screen.active_bindings
        assert "read-only" in screen_text(app)


async def test_a_short_pane_gives_its_lines_to_the_nodes() -> None:
    app = six_nodes().app()
    async with app.run_test(size=(50, 10)) as pilot:
        await until(pilot, lambda: "laptop-secondary" in screen_text(app))
        lines = screen_text(app).splitlines()
        assert lines[0].split()[0] == "NODE"
        assert lines[-1].endswith("? help")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "studio" in screen_text(app).splitlines()[0])


async def test_names_from_a_node_are_shown_as_text() -> None:
    nasty = "[bold]\x1b[2J[/bold]"
    fleet = FakeFleet({"one": (a_snapshot(backends=(a_backend_state(resident=(a_resident(nasty),)),)),)})
    app = fleet.app()
    async with app.run_test(size=(120, 24)) as pilot:
        await until(pilot, lambda: "[bold]�[2J[/bold]" in screen_text(app))
        assert "\x1b" not in screen_text(app)


async def test_an_operation_lives_in_its_row_and_its_result_stays_a_moment() -> None:
    fleet = FakeFleet({"one": (a_snapshot(),)})
    app = fleet.app()
    async with app.run_test(size=(100, 24)) as pilot:
        await until(pilot, heard(app))
        fleet.links["one"].say(OperationChanged(operation=an_operation()))
        await until(pilot, lambda: "load 50%" in screen_text(app).splitlines()[2])
        fleet.links["one"].say(OperationChanged(operation=an_operation(result="done", ended_at=AT + 11)))
        await until(pilot, lambda: "✓ large 11 s" in screen_text(app).splitlines()[2])
        fleet.now += 2
        fleet.links["one"].say(Sampled(sample=a_sample(at=AT + 2)))
        fleet.now += 7
        fleet.links["one"].say(Sampled(sample=a_sample(at=AT + 9)))
        app._tick()
        await until(pilot, lambda: "✓" not in screen_text(app).splitlines()[2])
        assert "✓ llamacpp/large swapped in · 11 s · 9 s ago" in screen_text(app)


async def test_the_palette_does_what_keys_do() -> None:
    app = six_nodes().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, heard(app))
        await pilot.press("colon")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        await pilot.press(*"pause")
        await pilot.pause(0.4)
        await pilot.press("enter")
        await until(pilot, lambda: app.paused)


def test_the_fleet_at_80x24(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(six_nodes().app(), press=["j", "j"], terminal_size=(80, 24), run_before=settled)


def test_the_fleet_at_120x40(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(six_nodes().app(), terminal_size=(120, 40), run_before=settled)


def test_one_machine_without_a_gpu(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(this_machine().app(), terminal_size=(80, 24), run_before=settled)


def test_the_fleet_in_light_colours(snap_compare: Callable[..., bool]) -> None:
    fleet = six_nodes()
    fleet.config = replace(fleet.config, ui=replace(fleet.config.ui, theme="fleet-light"))
    assert snap_compare(fleet.app(), terminal_size=(80, 24), run_before=settled)


def test_an_orphan_and_a_pull_beside_an_engine_that_is_not_installed(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(an_ollama().app(), terminal_size=(80, 24), run_before=settled)
