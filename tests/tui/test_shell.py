"""A shell on a node: what is run, and what is said of its end."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from fleetview import shell
from fleetview.app import FleetApp
from fleetview.config import NodeConfig
from fleetview.fleet import LinkUp
from tests.builders import a_snapshot
from tests.tui.fake_fleet import FakeFleet, settled, until


def test_ssh_is_told_what_the_fleet_file_says_and_reads_the_rest_itself() -> None:
    node = NodeConfig(name="a", host="studio.lan", user="ada", port=2222, identity=Path("/keys/id"))
    assert shell.command_of(node, {}) == ("ssh", "-l", "ada", "-p", "2222", "-i", "/keys/id", "studio.lan")
    assert shell.command_of(NodeConfig(name="b", host="alias"), {}) == ("ssh", "alias")


def test_this_machine_has_the_shell_of_its_operator() -> None:
    here = NodeConfig(name="here", local=True)
    assert shell.command_of(here, {"SHELL": "/bin/zsh"}) == ("/bin/zsh",)
    assert shell.command_of(here, {}) == ("/bin/sh",)


async def test_only_an_end_that_is_not_well_is_told() -> None:
    assert shell.parting(("ssh",), await shell.run(("true",))) is None
    assert shell.parting(("ssh",), await shell.run(("sh", "-c", "exit 3"))) == "ssh ended with exit status 3"
    assert shell.parting(("ssh",), await shell.run(("sh", "-c", "kill -9 $$"))) == "ssh ended by SIGKILL"


async def test_e_leaves_the_terminal_to_a_shell_and_says_how_that_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, ...]] = []

    async def run(command: tuple[str, ...]) -> int:
        ran.append(command)
        return 255

    fleet = FakeFleet({"studio": (LinkUp(), a_snapshot())})
    app = fleet.app()
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press("e")
        await until(pilot, lambda: bool(app._notifications))
        assert [one.message for one in app._notifications] == ["a shell needs a terminal of its own, which this is not"]
        app.clear_notifications()
        monkeypatch.setattr(shell, "run", run)
        monkeypatch.setattr(FleetApp, "suspend", lambda _: nullcontext())
        await pilot.press("e")
        await until(pilot, lambda: bool(app._notifications))
        assert [one.message for one in app._notifications] == ["ssh ended with exit status 255"]
        assert ran == [("ssh", "studio")]


async def test_a_read_only_dashboard_has_no_shell() -> None:
    app = FakeFleet({"studio": (LinkUp(), a_snapshot())}).app(readonly=True)
    async with app.run_test() as pilot:
        await settled(pilot)
        assert "e" not in app.screen.active_bindings
        assert "l" in app.screen.active_bindings
