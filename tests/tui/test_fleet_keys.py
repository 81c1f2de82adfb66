from __future__ import annotations

from dataclasses import replace
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input

from fleetview.app import FleetApp
from fleetview.config import FleetConfig
from fleetview.fleet import LinkDown
from fleetview.present.table.sorting import Sort
from fleetview.present.text import text_of
from fleetview.screens.fleet import FleetScreen
from fleetview.widgets.fleet_table import FleetTable, Heading
from fleetview.widgets.key_bar import KeyBar
from fleetview.widgets.node_panel import NodePanel
from fleetview_agent.wire import BackendChanged, Sampled
from tests.builders import a_backend_state, a_resident, a_sample, a_snapshot, a_traffic
from tests.tui.fake_fleet import AT, FakeFleet, screen_text, settled, six_nodes, until
from tests.tui.grouped_fleet import with_roles


def screen(app: FleetApp) -> FleetScreen:
    found = app.screen_stack[0]
    assert isinstance(found, FleetScreen)
    return found


def table(app: FleetApp) -> FleetTable:
    return screen(app).query_one(FleetTable)


def over(app: FleetApp) -> str:
    return text_of(screen(app).query_one(Heading).lines[0])


def below(app: FleetApp) -> str:
    return "\n".join(text_of(line) for line in screen(app).query_one(NodePanel).lines)


def footer(app: FleetApp) -> str:
    return text_of(screen(app).query_one(KeyBar).lines[0])


def speeds(*rates: float) -> FakeFleet:
    """Nodes a, b, … that generate at these rates."""
    return FakeFleet({name: (a_snapshot(samples=(speed(rate),)),) for name, rate in zip("abcdef", rates, strict=False)})


def speed(rate: float, at: float = AT) -> object:
    return a_sample(at=at, traffic=(a_traffic(generation_tokens_per_second=rate),))


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


async def test_o_and_a_letter_sort_and_again_the_other_way_round() -> None:
    app = speeds(10.0, 30.0, 20.0).app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, "j", "o")
        await until(pilot, lambda: "sort by" in screen_text(app))
        assert "u uptime  esc cancel" in screen_text(app)
        await press(pilot, "t")
        await until(pilot, lambda: table(app).names == ("b", "c", "a"))
        assert table(app).selected == "b"
        assert " T/S▼" in over(app)
        await press(pilot, "o", "t")
        await until(pilot, lambda: table(app).names == ("a", "c", "b"))
        assert " T/S▲" in over(app)
        await press(pilot, "o", "escape", "o", "x")
        assert table(app).sort == Sort("tps", descending=False)


async def test_every_letter_of_the_sort_line_stands_for_a_column() -> None:
    app = speeds(10.0, 30.0).app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for key, column in (("n", "name"), ("g", "gpu"), ("m", "memory"), ("p", "pressure"), ("u", "uptime")):
            await press(pilot, "o", key)
            await until(pilot, lambda wanted=column: table(app).sort is not None and table(app).sort.column == wanted)


async def test_the_order_can_be_asked_for_by_name_and_an_unknown_one_is_told() -> None:
    app = speeds(10.0, 30.0).app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await app.run_action("sort('power')", screen(app))
        assert table(app).sort == Sort.by("power")
        await app.run_action("sort('powr')", screen(app))
        told = "there is no column powr; did you mean power?"
        await until(pilot, lambda: [one.message for one in app._notifications] == [told])
        assert table(app).sort == Sort.by("power")
        await app.run_action("sort('file')", screen(app))
        assert table(app).sort is None


async def test_rows_wait_before_they_change_places_and_the_selection_goes_with_its_node() -> None:
    fleet = speeds(30.0, 20.0, 10.0)
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, "o", "t", "j")
        assert table(app).selected == "b"
        fleet.links["b"].say(Sampled(sample=speed(90.0, AT + 1)))
        await until(pilot, lambda: "90.0" in screen_text(app))
        assert table(app).names == ("a", "b", "c")
        fleet.now += 3
        app._tick()
        await until(pilot, lambda: table(app).names == ("b", "a", "c"))
        assert table(app).selected == "b"


async def test_w_shows_more_columns_and_fewer_again() -> None:
    app = six_nodes().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert "POWER" not in over(app)
        await press(pilot, "w")
        assert {"POWER", "TEMP"} <= set(over(app).split())
        await press(pilot, "w")
        assert "POWER" not in over(app)


async def test_z_groups_by_role_then_by_tag_then_not_at_all_and_headings_are_stepped_over() -> None:
    app = with_roles().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, "z")
        shown = [line[:8].strip(" ▸─") for line in screen_text(app).splitlines()[2:7]]
        assert shown == ["head", "● a", "worke", "● b", "● c"]
        await press(pilot, "j")
        assert table(app).selected == "b"
        await press(pilot, "z")
        assert "no tag" in screen_text(app)
        await press(pilot, "z")
        assert table(app).rows == ("a", "b", "c")


async def test_space_marks_and_moves_on_and_star_marks_all_or_none() -> None:
    app = speeds(1.0, 2.0, 3.0).app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert [subject.node.name for subject in screen(app).subjects] == ["a"]
        await press(pilot, "space", "space")
        assert table(app).selected == "c"
        assert "●*a" in screen_text(app)
        assert "2 marked" in footer(app)
        assert [subject.node.name for subject in screen(app).subjects] == ["a", "b"]
        await press(pilot, "k", "space")
        assert table(app).marked == {"a"}
        await press(pilot, "asterisk")
        assert table(app).marked == {"a", "b", "c"}
        await press(pilot, "asterisk")
        assert table(app).marked == frozenset()
        assert "marked" not in footer(app)


async def test_marks_survive_the_filter_and_what_it_hides_is_not_acted_on() -> None:
    app = six_nodes().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, "asterisk", "slash", *"worker", "enter")
        assert [subject.node.name for subject in screen(app).subjects] == ["worker-primary", "worker-secondary"]
        assert "6 marked, 4 hidden: not acted on" in footer(app)
        await press(pilot, "escape")
        assert len(screen(app).subjects) == 6
        await press(pilot, "escape")  # nothing is hidden any more
        assert (table(app).marked, type(app.screen).__name__) == (frozenset(), "FleetScreen")


async def test_a_node_that_leaves_the_fleet_file_loses_its_mark() -> None:
    fleet = speeds(1.0, 2.0)
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, "asterisk")
        app.change_fleet(replace(fleet.config, nodes=fleet.config.nodes[:1]))
        await until(pilot, lambda: table(app).marked == {"a"})


async def test_n_goes_from_alert_to_alert_and_the_panel_says_what_it_is() -> None:
    app = six_nodes().app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert "▲ 3 alerts n" in screen_text(app).splitlines()[0]
        await press(pilot, "n")
        assert table(app).selected == "worker-secondary"
        await until(pilot, lambda: "▲ small failed" in below(app))
        await press(pilot, "n")
        assert table(app).selected == "laptop-primary"
        await until(pilot, lambda: "▲ memory pressure is critical" in below(app))
        await press(pilot, "n", "n")
        assert table(app).selected == "worker-secondary"
        await press(pilot, "slash", *"head", "enter", "n")
        told = "the filter hides 3 nodes with an alert; esc shows all"
        await until(pilot, lambda: told in [one.message for one in app._notifications])


async def test_n_does_nothing_while_all_is_well_and_says_why() -> None:
    app = speeds(1.0, 2.0).app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert screen(app).why_not("next_alert") == "nothing is wrong with any node"
        await press(pilot, "n")
        assert table(app).selected == "a"


async def test_a_filter_that_makes_no_sense_is_told_below_it_and_the_last_good_one_stays() -> None:
    app = six_nodes().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, "slash", *"gpu>55 ")
        expected = ("head-primary", "head-secondary", "worker-primary", "laptop-primary")
        assert table(app).names == expected
        await press(pilot, *"& meme>")
        await until(pilot, lambda: "there is no field meme; did you mean mem?" in screen_text(app))
        assert table(app).names == ()  # "gpu>55 & meme" still was words
        await press(pilot, "enter")
        assert app.focused is app.screen.query_one("#filter", Input)
        await press(pilot, *["backspace"] * 7, "enter")
        await until(pilot, lambda: table(app).names == expected)
        assert app.focused is table(app)
        assert "/gpu>55" in screen_text(app).splitlines()[0]


async def test_the_selection_comes_back_when_the_filter_is_cleared() -> None:
    app = six_nodes().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, "j", "slash", *"laptop", "enter")
        assert table(app).selected in table(app).names == ("laptop-primary", "laptop-secondary")
        await press(pilot, "backspace")
        assert table(app).selected == "head-secondary"


async def test_nothing_to_see_says_why() -> None:
    app = six_nodes().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, "slash", *"zz", "enter")
        assert "no node matches /zz; esc shows all 6" in screen_text(app)
        assert screen(app).subjects == ()
    lost = FakeFleet({"a": (LinkDown("refused", 1.0),)}).app()
    async with lost.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert "no node is up; h tells what is wrong" in screen_text(lost)


async def test_the_fleet_file_s_wishes_are_followed_live_and_a_choice_since_then_stays() -> None:
    fleet = speeds(10.0, 30.0)
    app = fleet.app()

    def wished(**ui: Any) -> FleetConfig:  # Any: each field has a type of its own
        return replace(fleet.config, ui=replace(fleet.config.ui, **ui))

    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.change_fleet(wished(sort="tps", columns=("tps", "uptime"), group="role"))
        await until(pilot, lambda: table(app).names == ("b", "a"))
        assert over(app).split() == ["NODE", "T/S▼", "UP"]
        assert "no role" in screen_text(app)
        await press(pilot, "o", "n")
        app.change_fleet(wished(sort="tps", group="role"))
        await until(pilot, lambda: "GPU" in over(app))
        assert table(app).sort == Sort.by("name")


async def test_a_model_s_new_phase_is_bright_for_a_second_and_then_calm() -> None:
    fleet = speeds(1.0)
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        row = lambda: table(app)._drawn["a"]  # noqa: E731 -- the line as it stands
        fleet.links["a"].say(BackendChanged(state=a_backend_state(resident=(a_resident("b"),))))
        await until(pilot, lambda: ("b", "strong") in row())
        fleet.now += 1.5
        app._tick()
        await until(pilot, lambda: ("b", "plain") in row())


async def test_the_sort_line_has_all_of_its_letters_in_a_narrow_pane_too() -> None:
    app = six_nodes().app()
    async with app.run_test(size=(40, 12)) as pilot:
        await settled(pilot)
        await pilot.press("o")
        await until(pilot, lambda: all(words in screen_text(app) for words in ("n name", "u uptime", "esc cancel")))
