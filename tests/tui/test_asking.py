"""Questions of the network, put through the real app by a link that runs in its worker as every link does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import UnionType
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from fleetview.app import FleetApp
from fleetview.asking import Asking
from fleetview.config import NodeConfig
from fleetview.fleet import Change
from fleetview.links import LinkLike
from fleetview.messages import ChatRequested
from fleetview.remote.errors import IdentityLocked, Unreachable
from fleetview.remote.host_key import HostKey
from fleetview.remote.logins import Logins
from fleetview.screens.chat.screen import ChatScreen
from fleetview.screens.fleet import FleetScreen
from fleetview.screens.node import NodeScreen
from fleetview.screens.passphrase import Passphrase
from fleetview.screens.pick_model import PickModel
from fleetview.screens.trust_host import TrustHost
from fleetview.widgets.model_filter import ModelFilter
from tests.builders import a_snapshot
from tests.tui.fake_fleet import FakeFleet, screen_text, until
from tests.tui.fake_link import FakeLink

KEY = HostKey("head", "ssh-ed25519", "SHA256:" + "x" * 43, "ssh-ed25519 AAAA", Path.home() / ".ssh" / "known_hosts")
FILE = Path.home() / ".ssh" / "id_ed25519"
Ask = Callable[[Asking], Awaitable[object]]


class AskingLink(FakeLink):
    """Asks when the test says so, and keeps the answer."""

    def __init__(self, node: NodeConfig, receive: Callable[[str, Change], None], first: tuple[Change, ...]) -> None:
        super().__init__(node, receive, first)
        self.questions: asyncio.Queue[Awaitable[object]] = asyncio.Queue()
        self.answers: list[object] = []

    async def run(self) -> None:
        for change in self.first:
            self.say(change)
        try:
            while True:
                self.answers.append(await (await self.questions.get()))
        finally:
            self.ended = True


class AskingFleet(FakeFleet):
    """Two nodes: one to operate, one whose link asks."""

    def __init__(self) -> None:
        super().__init__({"one": (a_snapshot(),), "asker": ()})
        self.asker: AskingLink | None = None

    def _open(self, node: NodeConfig, interval: float, receive: Callable[[str, Change], None]) -> LinkLike:
        if node.name != "asker":
            return super()._open(node, interval, receive)
        self.asker = AskingLink(node, receive, self._first[node.name])
        return self.asker

    async def asks(self, app: FleetApp, pilot: Pilot[None], ask: Ask) -> AskingLink:
        """Have the link ask."""
        await until(pilot, lambda: self.asker is not None and app.fleet["one"].machine is not None)
        assert self.asker
        self.asker.questions.put_nowait(ask(Asking(app, app.idle_seconds)))
        return self.asker


def trust(asking: Asking) -> Awaitable[object]:
    return asking.trust("asker", KEY)


def passphrase(asking: Asking) -> Awaitable[object]:
    return asking.passphrase("asker", FILE, wrong=False)


async def appears(app: FleetApp, pilot: Pilot[None], kind: type[Screen[Any]] | UnionType) -> None:
    """Wait until such a screen is on top and drawn, so that it takes keys."""
    await until(pilot, lambda: isinstance(app.screen, kind) and app.screen.is_mounted and screen_text(app) != "")


def told(app: FleetApp) -> list[str]:
    return [f"{one.title}: {one.message}" for one in app._notifications]


@pytest.mark.parametrize(("keys", "answer"), [("y", True), ("n", False), ("enter", False), ("escape", False)])
async def test_a_link_gets_the_answer_about_a_host_key(keys: str, answer: bool) -> None:
    fleet = AskingFleet()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        link = await fleet.asks(app, pilot, trust)
        await appears(app, pilot, TrustHost)
        assert KEY.fingerprint in screen_text(app)
        assert "~/.ssh/known_hosts" in screen_text(app)
        await pilot.press(keys)
        await until(pilot, lambda: link.answers == [answer])
        assert isinstance(app.screen, FleetScreen)
        assert told(app) == []


async def test_a_link_gets_the_passphrase_and_no_notice_tells_it() -> None:
    fleet = AskingFleet()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        link = await fleet.asks(app, pilot, passphrase)
        await appears(app, pilot, Passphrase)
        assert "~/.ssh/id_ed25519" in screen_text(app)
        await pilot.press(*"hunter2", "enter")
        await until(pilot, lambda: link.answers == ["hunter2"])
        assert told(app) == []


async def test_a_question_waits_while_a_prompt_is_typed_and_is_put_on_the_fleet() -> None:
    fleet = AskingFleet()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.fleet["one"].machine is not None)
        app.post_message(ChatRequested("one", "llamacpp", "small"))
        await appears(app, pilot, ChatScreen)
        link = await fleet.asks(app, pilot, trust)
        await until(pilot, lambda: len(told(app)) == 1)
        await pilot.press(*"yes", "y")
        fleet.now += 10
        await pilot.pause(0.3)
        assert isinstance(app.screen, ChatScreen)
        assert told(app) == ["asker: asks whether its host key may be trusted: the question waits on the fleet screen"]
        await app.action_fleet()
        await appears(app, pilot, TrustHost)
        assert link.answers == []


async def test_a_question_waits_behind_another_dialog() -> None:
    fleet = AskingFleet()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.fleet["one"].machine is not None)
        await pilot.press("s")
        await appears(app, pilot, PickModel)
        fleet.now += 10
        await fleet.asks(app, pilot, passphrase)
        await until(pilot, lambda: len(told(app)) == 1)
        await pilot.press("y")
        await until(pilot, lambda: app.screen.query_one(ModelFilter).value == "y")
        await pilot.press("escape")  # what was typed
        await until(pilot, lambda: app.screen.query_one(ModelFilter).value == "")
        await pilot.press("escape")
        await appears(app, pilot, FleetScreen)
        fleet.now += 10
        await appears(app, pilot, Passphrase)


async def test_a_question_waits_while_a_filter_is_typed() -> None:
    fleet = AskingFleet()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash")
        fleet.now += 10
        await fleet.asks(app, pilot, trust)
        await until(pilot, lambda: len(told(app)) == 1)
        assert isinstance(app.screen, FleetScreen)
        await pilot.press("enter")
        fleet.now += 10
        await appears(app, pilot, TrustHost)


async def test_no_dialog_appears_within_a_second_of_a_key() -> None:
    fleet = AskingFleet()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.fleet["one"].machine is not None)
        await pilot.press("d")
        await appears(app, pilot, NodeScreen)
        fleet.now += 0.9
        await fleet.asks(app, pilot, trust)
        await pilot.pause(0.3)
        assert isinstance(app.screen, NodeScreen)
        assert told(app) == []
        fleet.now += 0.1
        await appears(app, pilot, TrustHost)


async def test_a_dialog_that_is_taken_away_is_a_no() -> None:
    fleet = AskingFleet()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        link = await fleet.asks(app, pilot, trust)
        await appears(app, pilot, TrustHost)
        await app.action_fleet()
        await until(pilot, lambda: link.answers == [False])


async def test_a_question_goes_when_its_node_leaves_the_fleet_file() -> None:
    fleet = AskingFleet()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        link = await fleet.asks(app, pilot, passphrase)
        await appears(app, pilot, Passphrase)
        app._connections.follow(fleet.config.nodes[:1], 1.0)
        await until(pilot, lambda: link.ended and isinstance(app.screen, FleetScreen))
        assert link.answers == []


@pytest.mark.parametrize("ask", [trust, passphrase])
async def test_the_program_ends_with_a_question_open(ask: Ask) -> None:
    fleet = AskingFleet()
    app = fleet.app()
    async with asyncio.timeout(5), app.run_test(size=(80, 24)) as pilot:
        link = await fleet.asks(app, pilot, ask)
        await appears(app, pilot, TrustHost | Passphrase)
        app.exit()
    assert link.ended
    assert link.answers == []


async def test_the_program_ends_while_a_question_waits() -> None:
    fleet = AskingFleet()
    app = fleet.app()
    async with asyncio.timeout(5), app.run_test(size=(80, 24)) as pilot:
        await pilot.press("d")
        link = await fleet.asks(app, pilot, trust)
        await pilot.pause(0.2)
    assert link.ended


async def test_many_links_with_one_question_ask_once_and_r_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleetview.remote.identities.unlock", lambda _file, text: object() if text == "right" else None)
    fleet = AskingFleet()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        logins: list[Logins] = []

        async def both(asking: Asking) -> tuple[bool, bool]:
            logins[:] = logins or [Logins(asking)]
            problem: Unreachable = IdentityLocked("locked", None, FILE)
            first, second = await asyncio.gather(logins[0].solve("asker", problem), logins[0].solve("two", problem))
            return first, second

        link = await fleet.asks(app, pilot, both)
        await appears(app, pilot, Passphrase)
        await pilot.press("escape")
        await until(pilot, lambda: link.answers == [(False, False)])
        await fleet.asks(app, pilot, both)
        await until(pilot, lambda: len(link.answers) == 2)  # nobody is bothered twice
        logins[0].ask_again()
        fleet.now += 10
        await fleet.asks(app, pilot, both)
        await appears(app, pilot, Passphrase)
        await pilot.press(*"wrong", "enter")
        await until(pilot, lambda: "! That did not open it." in screen_text(app))
        await pilot.press(*"right", "enter")
        await until(pilot, lambda: len(link.answers) == 3)
        assert link.answers[2] == (True, True)
