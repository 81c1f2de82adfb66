"""The command line: what it completes, what it does, and what it says of what makes no sense."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from textual.pilot import Pilot

from fleetview.app import FleetApp
from fleetview.commands.completing import Known, complete
from fleetview.commands.history import LINES, Typed
from fleetview.commands.palette import pairs
from fleetview.fleet import LinkUp, NodeState
from fleetview.present.completion import Candidate, Completion, choice_lines
from fleetview.present.text import text_of
from fleetview.screens.chat.screen import ChatScreen
from fleetview.screens.choose import Choose
from fleetview.screens.command_line import CommandLine
from fleetview.screens.confirm import Confirm
from fleetview.screens.fleet import FleetScreen
from fleetview.screens.health import Health
from fleetview.screens.help import Help
from fleetview.screens.journal import JournalScreen
from fleetview.screens.logs import LogsScreen
from fleetview.screens.models.screen import ModelsScreen
from fleetview.screens.node import NodeScreen
from fleetview.screens.show_plan import ShowPlan
from fleetview.widgets.command_input import CommandInput
from fleetview_agent.wire import SwapRequest
from tests.builders import a_backend_state, a_model_file, a_resident, a_snapshot
from tests.tui.fake_fleet import FakeFleet, screen_text, settled, until

ENGINE = a_backend_state(
    "ollama",
    abilities=("start", "stop", "restart", "pin", "unpin", "keep", "pull", "delete"),
    models=(a_model_file("qwen3:32b"), a_model_file("gemma3:27b")),
    resident=(a_resident("qwen3:32b"),),
)


@dataclass(frozen=True)
class Desk:
    fleet: FakeFleet
    app: FleetApp
    pilot: Pilot[None]

    async def type(self, line: str) -> None:
        """Open the command line and type a line into it, without Enter."""
        await self.pilot.press("colon")
        await until(self.pilot, lambda: isinstance(self.app.screen, CommandLine) and self.app.screen.is_mounted)
        await self.pilot.pause()
        self.box.value = line
        await self.pilot.pause()

    async def do(self, line: str) -> None:
        await self.type(line)
        await self.pilot.press("enter")
        await self.pilot.pause()

    @property
    def box(self) -> CommandInput:
        return self.app.screen.query_one(CommandInput)


@asynccontextmanager
async def running(*, readonly: bool = False, size: tuple[int, int] = (100, 24)) -> AsyncIterator[Desk]:
    first = {name: (LinkUp(), a_snapshot(backends=(ENGINE,))) for name in ("head", "studio")}
    fleet = FakeFleet(first)
    app = fleet.app(readonly=readonly)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        yield Desk(fleet, app, pilot)


def words(line: str) -> list[str]:
    """What can stand at the end of a line, over two nodes with one engine."""
    node = NodeState("head", backends={"ollama": ENGINE})
    known = Known({"head": node, "studio": NodeState("studio")}, ("name", "gpu", "tps"), ("fleet-dark", "fleet-mono"))
    return [one.word for one in complete(line, known).candidates]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("sw", ["swap"]),
        ("swap ", ["head", "studio"]),
        ("swap he", ["head"]),
        ("swap head ", ["ollama/qwen3:32b", "ollama/gemma3:27b"]),
        ("swap head gemma", ["ollama/gemma3:27b"]),
        ("swap head x --evict ", ["auto", "none", "all", "ollama/qwen3:32b"]),
        ("swap head x --ev", ["--evict"]),
        ("unload head ", ["ollama/qwen3:32b"]),
        ("keep head ollama/qwen3:32b ", ["30m", "2h", "24h", "forever", "default"]),
        ("restart head ", ["ollama"]),
        ("copy head ollama/qwen3:32b st", ["studio"]),
        ("logs studio --level e", ["error", "debug"]),
        ("sort t", ["tps"]),
        ("columns name g", ["gpu"]),
        ("theme mono", ["fleet-mono"]),
        ("mouse ", ["on", "off"]),
        ("frobnicate ", []),
    ],
)
def test_what_can_be_typed_next(line: str, expected: list[str]) -> None:
    assert words(line) == expected


def test_what_was_typed_is_kept_for_the_operator_alone(tmp_path: Path) -> None:
    file = tmp_path / "state" / "commands"
    typed = Typed(file)
    for number in range(LINES + 5):
        typed.note(f"sort {number}")
    typed.note("sort 100")
    kept = Typed(file).lines
    assert (len(kept), kept[-1], kept.count("sort 100")) == (LINES, "sort 100", 1)
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("line", "screen"),
    [
        ("models", ModelsScreen),
        ("journal", JournalScreen),
        ("logs head", LogsScreen),
        ("logs", LogsScreen),
        ("node studio", NodeScreen),
        ("status studio", NodeScreen),
        ("doctor head", Health),
        ("help", Help),
        ("chat head qwen3:32b", ChatScreen),
        ("swap head gemma3:27b", ShowPlan),
        ("load head gemma3:27b --ctx 4096", ShowPlan),
        ("plan head gemma3:27b", ShowPlan),
        ("keep head qwen3:32b 2h", ShowPlan),
        ("restart head ollama", ShowPlan),
        ("undo head", ShowPlan),
        ("unload head qwen3:32b", Confirm),
    ],
)
async def test_a_line_leads_where_its_key_leads(line: str, screen: type[object]) -> None:
    async with running() as desk:
        await desk.do(line)
        await until(desk.pilot, lambda: isinstance(desk.app.screen, screen))


async def test_a_swap_by_name_is_carried_out_after_its_plan_was_agreed_to() -> None:
    async with running() as desk:
        await desk.do("swap head gemma3:27b --evict none --ctx 4096")
        await until(desk.pilot, lambda: isinstance(desk.app.screen, ShowPlan))
        assert desk.fleet.links["head"].asked == []
        await desk.pilot.pause(0.1)
        await desk.pilot.press("enter")
        await until(desk.pilot, lambda: bool(desk.fleet.links["head"].asked))
        (order,) = desk.fleet.links["head"].asked
        assert isinstance(order, SwapRequest)
        assert (order.model, order.evict, order.options.context) == ("gemma3:27b", "none", 4096)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("swpa head gemma3:27b", "there is no verb swpa; did you mean swap?"),
        ("swap haed gemma3:27b", "there is no node haed in the fleet; did you mean head?"),
        ("swap head gemma", "there is no model gemma on head; did you mean ollama/gemma3:27b?"),
        ("swap head", "swap needs MODEL"),
        ("unload head gemma3:27b", "gemma3:27b is not in memory on head"),
        ("sort gpuu", "there is no column gpuu; did you mean gpu?"),
        ("theme fleet-drak", "there is no theme fleet-drak; did you mean fleet-dark?"),
        ("group colour", "there is no by colour"),
        ("filter mem>", "mem"),
        ("keep head qwen3:32b soon", "soon is no time to keep a model"),
        ("fleet now", "fleet takes no now"),
        ("swap head 'x", "a quotation mark has no other one"),
        ("--version", "--version"),
    ],
)
async def test_what_makes_no_sense_is_said_and_stays_to_be_mended(line: str, said: str) -> None:
    async with running() as desk:
        await desk.do(line)
        await until(desk.pilot, lambda: said in screen_text(desk.app))
        assert isinstance(desk.app.screen, CommandLine)
        assert desk.box.value == line


async def test_a_readonly_dashboard_changes_nothing_by_name_either() -> None:
    async with running(readonly=True) as desk:
        await desk.do("unload head qwen3:32b")
        await until(desk.pilot, lambda: "--readonly" in screen_text(desk.app))


async def test_the_picture_is_changed_by_name() -> None:
    async with running() as desk:
        screen = desk.app.screen
        assert isinstance(screen, FleetScreen)
        await desk.do("sort name")
        await desk.do("filter !head")
        await until(desk.pilot, lambda: screen.table.names == ("studio",))
        await desk.do("filter")
        await until(desk.pilot, lambda: len(screen.table.names) == 2)
        await desk.do("theme fleet-mono")
        await until(desk.pilot, lambda: desk.app.theme == "fleet-mono")
        await desk.do("columns name tps")
        await until(desk.pilot, lambda: screen.table.choice.names == ("name", "tps"))
        assert screen.table.sort is not None
        await desk.do("quit")
        await until(desk.pilot, lambda: not desk.app.is_running or desk.app._exit)


async def test_tab_completes_and_up_brings_back_what_was_typed() -> None:
    async with running() as desk:
        await desk.do("sort gpu")
        await desk.type("")
        await desk.pilot.press("s", "w", "tab")
        await until(desk.pilot, lambda: desk.box.value == "swap ")
        await desk.pilot.press("tab")
        assert desk.box.value == "swap head"
        await desk.pilot.press("tab")
        assert desk.box.value == "swap studio"
        await desk.pilot.press("up")
        assert desk.box.value == "sort gpu"
        await desk.pilot.press("down")
        assert desk.box.value == "swap studio"
        await desk.pilot.press("escape")
        await until(desk.pilot, lambda: isinstance(desk.app.screen, FleetScreen))


async def test_the_command_line_stands_in_the_last_line_of_a_small_pane() -> None:
    async with running(size=(40, 8)) as desk:
        await desk.type("swap head ")
        text = screen_text(desk.app).splitlines()
        assert text[-1].startswith(" :swap head")
        assert any("gemma3" in line for line in text)


async def test_a_readonly_dashboard_shows_a_plan_that_nobody_can_agree_to() -> None:
    async with running(readonly=True) as desk:
        await desk.do("plan head qwen3:32b")
        await until(desk.pilot, lambda: isinstance(desk.app.screen, ShowPlan) and desk.app.screen._plan is not None)
        assert "plan.agree" not in {active.binding.id for active in desk.app.screen.active_bindings.values()}


def test_choices_that_do_not_fit_are_counted_and_no_others() -> None:
    some = tuple(Candidate(f"word-{number}") for number in range(9))
    assert len(choice_lines(Completion(0, some[:3]), None, 8, 40)) == 3
    lines = choice_lines(Completion(0, some), 8, 5, 40)
    assert (len(lines), text_of(lines[-1]).strip()) == (5, "5 more; tab goes on, letters narrow")
    assert "word-8" in text_of(lines[-2])


def test_a_long_name_is_cut_only_where_what_is_said_of_it_needs_the_room() -> None:
    name = "llamacpp/Qwen3-30B-A3B-Instruct-2507-Q4_K_M"
    assert name in text_of(choice_lines(Completion(0, (Candidate(name, "on disk"),)), None, 8, 80)[0])
    assert "…" in text_of(choice_lines(Completion(0, (Candidate(name, "x" * 60),)), None, 8, 80)[0])


async def test_the_row_is_copied_by_name_as_json_or_as_a_command_line() -> None:
    async with running() as desk:
        copied: list[str] = []
        desk.app.copy_to_clipboard = copied.append  # type: ignore[method-assign]  # no terminal listens here
        for downs in (0, 1):
            await desk.pilot.press("y")
            await until(desk.pilot, lambda: isinstance(desk.app.screen, Choose))
            await desk.pilot.pause(0.1)
            await desk.pilot.press(*["down"] * downs, "enter")
            await until(desk.pilot, lambda: len(copied) == downs + 1)  # noqa: B023 -- waited for at once
        assert copied[0] == "head"
        assert json.loads(copied[1])["backends"][0]["backend"] == "ollama"


def test_the_palette_names_what_can_be_done_to_a_node() -> None:
    node = NodeState("head", link="up", backends={"ollama": ENGINE})
    lines = [line for line, _ in pairs(node, readonly=False)]
    assert {"unload head ollama/qwen3:32b", "swap head ollama/gemma3:27b", "chat head ollama/qwen3:32b"} <= set(lines)
    assert not [line for line, _ in pairs(node, readonly=True) if line.startswith(("swap", "unload", "undo"))]
