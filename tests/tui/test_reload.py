"""The fleet file changes while the dashboard runs."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from textual.pilot import Pilot

from fleetview.app import FleetApp
from fleetview.messages import ChatRequested
from fleetview.screens.chat.screen import ChatScreen
from fleetview.screens.models.screen import ModelsScreen
from fleetview.screens.node import NodeScreen
from fleetview.screens.pick_model import PickModel
from fleetview.watching import FleetFile
from fleetview.widgets.fleet_table import FleetTable
from fleetview.widgets.prompt import Prompt
from tests.builders import a_snapshot
from tests.tui.fake_fleet import FakeFleet, fleet_toml, screen_text, until


@dataclass(frozen=True)
class Running:
    """A dashboard that follows a fleet file."""

    fleet: FakeFleet
    app: FleetApp
    pilot: Pilot[None]
    file: Path

    def rewrite(self, text: str) -> None:
        """Change the file, and look as often as it takes to believe it."""
        self.file.write_text(text)
        self.look()

    def look(self) -> None:
        """See whether the file has changed, as the dashboard does each half second."""
        for _ in range(2):
            self.app._look()

    @property
    def told(self) -> list[str]:
        return [notification.message for notification in self.app._notifications]

    @property
    def rows(self) -> tuple[str, ...]:
        return self.app.screen.query_one(FleetTable).names


@asynccontextmanager
async def running(folder: Path, text: str, *, screen: tuple[int, int] = (100, 24)) -> AsyncIterator[Running]:
    """A dashboard over a file, connected to every node of it."""
    file = folder / "fleet.toml"
    file.write_text(text)
    fleet_file = FleetFile(file)
    fleet = FakeFleet({"unused": (a_snapshot(),)})
    fleet.config = fleet_file.read()
    app = fleet.app(fleet_file=fleet_file)
    async with app.run_test(size=screen) as pilot:
        await until(pilot, lambda: all(node.machine is not None for node in app.fleet.values()))
        await pilot.pause()
        yield Running(fleet, app, pilot, file)


async def test_nodes_come_and_go_with_the_file_and_the_others_keep_link_and_data(tmp_path: Path) -> None:
    async with running(tmp_path, fleet_toml("a", "b", "c")) as desk:
        links, known = dict(desk.fleet.links), desk.app.fleet["b"]
        desk.rewrite(fleet_toml("d", "b", "a"))
        await until(desk.pilot, lambda: desk.app.fleet["d"].machine is not None and links["c"].ended)
        await until(desk.pilot, lambda: desk.rows == ("d", "b", "a"))
        assert desk.app.fleet["b"] is known
        assert {name: desk.fleet.links[name] is links[name] for name in "ab"} == {"a": True, "b": True}
        assert not links["a"].ended
        await until(desk.pilot, lambda: desk.told == ["the fleet file was read again: new d, gone c"])


async def test_a_node_that_has_changed_is_another_machine(tmp_path: Path) -> None:
    async with running(tmp_path, fleet_toml("a", "b")) as desk:
        old, known = desk.fleet.links["a"], desk.app.fleet["a"]
        desk.rewrite(fleet_toml("a", "b").replace("a.lan", "other.lan"))
        assert desk.app.fleet["a"].machine is None
        await until(desk.pilot, lambda: old.ended and desk.app.fleet["a"].machine is not None)
        assert desk.fleet.links["a"] is not old
        old.say(a_snapshot())
        assert desk.app.fleet["a"] is not known
        await until(desk.pilot, lambda: desk.told == ["the fleet file was read again: changed a"])


async def test_what_a_closed_link_still_says_is_not_heard(tmp_path: Path) -> None:
    async with running(tmp_path, fleet_toml("a", "b")) as desk:
        old = desk.fleet.links["a"]
        desk.rewrite(fleet_toml("b"))
        old.say(a_snapshot())
        assert set(desk.app.fleet) == {"b"}


async def test_another_interval_is_asked_for_at_once_and_nothing_is_forgotten(tmp_path: Path) -> None:
    async with running(tmp_path, fleet_toml("a")) as desk:
        old = desk.fleet.links["a"]
        desk.rewrite("[fleet]\ninterval_seconds = 5.0\n" + fleet_toml("a"))
        assert desk.app.fleet["a"].machine is not None
        assert desk.app.fleet["a"].interval_seconds == 5.0
        await until(desk.pilot, lambda: old.ended and desk.app.fleet["a"].link == "up")
        assert desk.fleet.links["a"].interval == 5.0


async def test_a_wrong_file_is_told_once_and_the_old_fleet_stays(tmp_path: Path) -> None:
    async with running(tmp_path, fleet_toml("a")) as desk:
        desk.rewrite(fleet_toml("a") + "[ui]\ntheme = 'fleet-drak'\n[keys]\n'node.swap' = 'ctrl+b'\n")
        mistake = f"{desk.file}:5: there is no theme fleet-drak; did you mean fleet-dark?"
        more = "(and one more mistake; `fleetview config check` names all)"
        await until(desk.pilot, lambda: desk.told == [f"{mistake} {more}; the fleet stays as it was"])
        desk.look()
        await desk.pilot.pause()
        assert len(desk.told) == 1
        assert not desk.fleet.links["a"].ended
        desk.rewrite(fleet_toml("a", "b"))
        await until(desk.pilot, lambda: desk.rows == ("a", "b"))


async def test_a_file_that_vanishes_takes_no_node_with_it(tmp_path: Path) -> None:
    async with running(tmp_path, fleet_toml("a")) as desk:
        desk.file.unlink()
        desk.look()
        desk.look()
        gone = f"{desk.file}: it is not there any more; the fleet stays as it was"
        await until(desk.pilot, lambda: desk.told == [gone])
        assert set(desk.app.fleet) == {"a"}
        desk.rewrite(fleet_toml("a", "b"))
        await until(desk.pilot, lambda: desk.rows == ("a", "b"))


async def test_a_file_that_an_editor_puts_in_place_of_the_old_one_is_noticed_by_itself(tmp_path: Path) -> None:
    async with running(tmp_path, fleet_toml("a")) as desk:
        state = desk.file.stat()
        other = tmp_path / "fleet.toml.new"
        other.write_text(fleet_toml("b"))
        os.utime(other, ns=(state.st_atime_ns, state.st_mtime_ns))
        other.replace(desk.file)
        await until(desk.pilot, lambda: desk.rows == ("b",))


async def test_theme_keys_and_name_apply_at_once_and_go_back_with_the_file(tmp_path: Path) -> None:
    async with running(tmp_path, fleet_toml("a")) as desk:
        own = '[fleet]\nname = "cellar"\n[ui]\ntheme = "nord"\n[keys]\n"view.pause" = "f5"\n'
        desk.rewrite(own + fleet_toml("a"))
        await until(desk.pilot, lambda: "cellar" in screen_text(desk.app))
        assert desk.app.theme == "nord"
        await desk.pilot.press("p")
        assert not desk.app.paused
        await desk.pilot.press("f5", "f5")
        assert {"f5"} <= desk.app.screen.active_bindings.keys()
        desk.rewrite(fleet_toml("a"))
        await until(desk.pilot, lambda: "cellar" not in screen_text(desk.app))
        assert desk.app.theme == "fleet-dark"
        await desk.pilot.press("f5")
        assert not desk.app.paused
        await desk.pilot.press("p")
        assert desk.app.paused


async def test_the_last_line_shows_the_new_keys_in_the_old_order(tmp_path: Path) -> None:
    async with running(tmp_path, fleet_toml("a")) as desk:
        await until(desk.pilot, lambda: "s swap  x unload" in screen_text(desk.app))
        desk.rewrite(fleet_toml("a") + '[keys]\n"node.swap" = "f3"\n')
        await until(desk.pilot, lambda: "f3 swap  x unload" in screen_text(desk.app))
        assert screen_text(desk.app).rstrip().endswith("? help")


async def test_a_key_that_was_shared_stays_with_those_who_keep_it(tmp_path: Path) -> None:
    async with running(tmp_path, fleet_toml("a") + '[keys]\n"chat.stop" = "f5"\n') as desk:
        desk.app.post_message(ChatRequested("a", "llamacpp", "small"))
        await until(desk.pilot, lambda: isinstance(desk.app.screen, ChatScreen))
        await until(desk.pilot, lambda: isinstance(desk.app.focused, Prompt))
        await desk.pilot.press("escape")
        await until(desk.pilot, lambda: not isinstance(desk.app.focused, Prompt))
        await desk.pilot.press("escape")
        await until(desk.pilot, lambda: not isinstance(desk.app.screen, ChatScreen))


async def test_a_theme_that_was_chosen_meanwhile_stays(tmp_path: Path) -> None:
    async with running(tmp_path, fleet_toml("a")) as desk:
        desk.app.theme = "gruvbox"
        desk.rewrite(fleet_toml("a", "b"))
        assert desk.app.theme == "gruvbox"


async def test_the_selection_stays_on_its_node(tmp_path: Path) -> None:
    async with running(tmp_path, fleet_toml("a", "b", "c")) as desk:
        table = desk.app.screen.query_one(FleetTable)
        await desk.pilot.press("j")
        assert table.selected == "b"
        desk.rewrite(fleet_toml("c", "a", "d", "b"))
        await until(desk.pilot, lambda: desk.rows == ("c", "a", "d", "b"))
        assert table.selected == "b"
        desk.rewrite(fleet_toml("c", "a"))
        await until(desk.pilot, lambda: desk.rows == ("c", "a"))
        assert table.selected == "a"


async def test_another_order_alone_is_shown_too(tmp_path: Path) -> None:
    async with running(tmp_path, fleet_toml("a", "b")) as desk:
        desk.rewrite(fleet_toml("b", "a"))
        await until(desk.pilot, lambda: desk.rows == ("b", "a"))
        await until(desk.pilot, lambda: desk.told == ["the fleet file was read again: the same nodes"])


async def test_a_selected_node_that_moves_out_of_view_is_followed(tmp_path: Path) -> None:
    names = [f"n{place:02}" for place in range(40)]
    async with running(tmp_path, fleet_toml(*names), screen=(80, 24)) as desk:
        table = desk.app.screen.query_one(FleetTable)
        desk.rewrite(fleet_toml(*names[1:], names[0]))
        await until(desk.pilot, lambda: desk.rows[-1] == "n00")
        assert table.selected == "n00"
        await until(desk.pilot, lambda: table.scroll_offset.y + table.size.height == len(names))


async def test_an_open_node_that_is_removed_says_so_and_comes_back_with_the_file(tmp_path: Path) -> None:
    async with running(tmp_path, fleet_toml("a", "b")) as desk:
        await desk.pilot.press("d")
        await until(desk.pilot, lambda: "M2 Ultra" in screen_text(desk.app))
        desk.rewrite(fleet_toml("b"))
        await until(desk.pilot, lambda: "a is not in the fleet file any more" in screen_text(desk.app))
        await desk.pilot.press("s", "x", "c", "r")
        assert isinstance(desk.app.screen, NodeScreen)
        desk.rewrite(fleet_toml("a", "b"))
        await until(desk.pilot, lambda: "M2 Ultra" in screen_text(desk.app))
        desk.rewrite(fleet_toml("b"))
        await desk.pilot.press("escape")
        await until(desk.pilot, lambda: "b" in desk.rows)
        assert desk.app.screen.query_one(FleetTable).selected == "b"


async def test_a_swap_that_is_planned_for_a_node_that_is_removed_comes_to_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, fleet_toml("a", "b")) as desk:
        await desk.pilot.press("s")
        await until(desk.pilot, lambda: isinstance(desk.app.screen, PickModel))
        desk.rewrite(fleet_toml("b"))
        await until(desk.pilot, lambda: "a" not in desk.app.fleet)
        await desk.pilot.press("tab")  # asks for another plan
        await until(desk.pilot, lambda: "a is not connected" in screen_text(desk.app))
        await desk.pilot.press("enter")
        assert isinstance(desk.app.screen, PickModel)
        await desk.pilot.press("escape")
        await until(desk.pilot, lambda: desk.app.screen.query(FleetTable).first().names == ("b",))


async def test_a_chat_with_a_node_that_is_removed_keeps_what_was_said(tmp_path: Path) -> None:
    async with running(tmp_path, fleet_toml("a", "b")) as desk:
        desk.app.post_message(ChatRequested("a", "llamacpp", "small"))
        await until(desk.pilot, lambda: isinstance(desk.app.screen, ChatScreen))
        await desk.pilot.press(*"hello", "enter")
        await until(desk.pilot, lambda: screen_text(desk.app).count("hello") == 3)
        desk.rewrite(fleet_toml("b"))
        await desk.pilot.press(*"again", "enter")
        await until(desk.pilot, lambda: "a is not connected" in screen_text(desk.app))
        assert screen_text(desk.app).count("hello") == 3


async def test_a_paused_picture_keeps_its_rows_until_it_goes_on(tmp_path: Path) -> None:
    async with running(tmp_path, fleet_toml("a", "b")) as desk:
        await desk.pilot.press("p")
        desk.rewrite(fleet_toml("b", "c"))
        await until(desk.pilot, lambda: "c" in desk.app.fleet)
        await desk.pilot.press("j", "k", "d")
        assert desk.rows == ("a", "b")
        await desk.pilot.press("p")
        await until(desk.pilot, lambda: desk.rows == ("b", "c"))


async def test_a_view_that_is_not_shown_gets_what_the_file_says_too(tmp_path: Path) -> None:
    async with running(tmp_path, fleet_toml("a", "b")) as desk:
        await desk.pilot.press("2")
        await until(desk.pilot, lambda: isinstance(desk.app.screen, ModelsScreen))
        models = desk.app.screen
        await desk.pilot.press("1")
        desk.rewrite(fleet_toml("a", "c"))
        assert isinstance(models, ModelsScreen)
        assert [node.name for node in models.desk.config.nodes] == ["a", "c"]
