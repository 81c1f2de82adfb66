from __future__ import annotations

import pytest

from fleetview import views
from fleetview.app import FleetApp
from fleetview.fleet import LinkDown
from fleetview.messages import CancelRequested, ChangeRequested, ChatRequested, RequestFailed
from fleetview.screens.chat.screen import ChatScreen
from fleetview.screens.fleet import FleetScreen
from fleetview.screens.help import Help
from fleetview.screens.node import NodeScreen, Pane
from fleetview.screens.node_actions import NodeActions
from fleetview.widgets.fleet_table import FleetTable
from fleetview_agent.wire import ChatMessage, ChatRequest, OperationChanged
from tests.builders import a_sample, a_snapshot, a_swap_request, an_operation, an_unload_request
from tests.tui.fake_fleet import FakeFleet, screen_text, this_machine, until
from tests.tui.fake_link import REFUSED

FORBIDDEN = {
    *(
        f"ctrl+{key}"
        for key in ("b", "a", "space", "at", "h", "i", "m", "j", "s", "q", "d", "tab", "enter", "backslash")
    ),
    "ctrl+left_square_bracket",
    "shift+enter",
    "f11",
    "f12",
}


def a_fleet(*names: str, **fleet_file: object) -> FakeFleet:
    return FakeFleet({name: (a_snapshot(),) for name in names}, **fleet_file)


async def test_what_a_link_receives_becomes_the_fleet() -> None:
    fleet = a_fleet("one", "two")
    app = fleet.app()
    async with app.run_test() as pilot:
        await until(pilot, lambda: len(fleet.links) == 2 and app.fleet["two"].machine is not None)
        before = app.fleet
        fleet.links["one"].say(LinkDown("no route to host", 5.0))
        assert app.fleet["one"].reason == "no route to host"
        assert app.fleet["two"] is before["two"]


async def test_links_end_with_the_program() -> None:
    fleet = a_fleet("one")
    async with fleet.app().run_test() as pilot:
        await until(pilot, lambda: "one" in fleet.links)
    assert fleet.links["one"].ended


async def test_silence_alone_makes_a_node_stale_and_then_down() -> None:
    fleet = a_fleet("one")
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "M2 Ultra" in screen_text(app))
        fleet.now += 5
        app._tick()
        await until(pilot, lambda: "stale 5 s" in screen_text(app))
        fleet.now += 10
        app._tick()
        await until(pilot, lambda: "silent for 15 s" in screen_text(app))


async def test_a_read_only_dashboard_asks_for_no_change_whoever_wishes_it() -> None:
    fleet = a_fleet("one")
    app = fleet.app(readonly=True)
    async with app.run_test() as pilot:
        await until(pilot, lambda: "one" in fleet.links)
        app.post_message(ChangeRequested("one", a_swap_request()))
        app.post_message(CancelRequested("one", "op-7"))
        await until(pilot, lambda: sum("--readonly" in one.message for one in app._notifications) == 2)
        assert (fleet.links["one"].asked, fleet.links["one"].cancelled) == ([], [])


async def test_wishes_reach_the_node_they_name() -> None:
    fleet = a_fleet("one", "two")
    app = fleet.app()
    async with app.run_test() as pilot:
        await until(pilot, lambda: len(fleet.links) == 2)
        app.post_message(ChangeRequested("two", a_swap_request()))
        app.post_message(ChangeRequested("two", an_unload_request()))
        app.post_message(CancelRequested("two", "op-7"))
        await until(pilot, lambda: len(fleet.links["two"].asked) == 2 and bool(fleet.links["two"].cancelled))
        assert set(fleet.links["two"].asked) == {a_swap_request(), an_unload_request()}
        assert fleet.links["two"].cancelled == ["op-7"]
        assert fleet.links["one"].asked == []


async def test_a_refusal_is_told_with_the_node_and_what_to_do() -> None:
    fleet = a_fleet("one")
    app = fleet.app()
    async with app.run_test() as pilot:
        await until(pilot, lambda: "one" in fleet.links)
        fleet.links["one"].problem = REFUSED
        app.post_message(ChangeRequested("one", a_swap_request()))
        await until(pilot, lambda: len(app._notifications) == 1)
        told = next(iter(app._notifications))
        assert (told.title, told.message) == ("one", "large does not fit (unload small first)")


async def test_an_operation_that_fails_is_told_and_nothing_in_it_is_markup() -> None:
    fleet = a_fleet("one")
    app = fleet.app()
    async with app.run_test() as pilot:
        await until(pilot, lambda: "one" in fleet.links)
        failed = an_operation(result="failed", cause="[red]\x1b[31mboom")
        fleet.links["one"].say(OperationChanged(operation=failed))
        await until(pilot, lambda: len(app._notifications) == 1)
        told = next(iter(app._notifications))
        assert told.message == "swap of large failed: [red]�[31mboom; ! tells why"
        assert told.markup is False


async def test_screens_get_plain_failures_and_never_those_of_the_network() -> None:
    fleet = a_fleet("one")
    app = fleet.app()
    async with app.run_test() as pilot:
        await until(pilot, lambda: "one" in fleet.links)
        assert (await app._talk.plan("one", a_swap_request())).verdict == "fits"
        fleet.links["one"].problem = REFUSED
        with pytest.raises(RequestFailed, match="large does not fit \\(unload small first\\)"):
            await app._talk.plan("one", a_swap_request())
        request = ChatRequest(model="small", messages=(ChatMessage(role="user", content="?"),))
        with pytest.raises(RequestFailed):
            await anext(app._talk.chat("one", request))
        with pytest.raises(RequestFailed, match="nowhere is not connected"):
            await app._talk.plan("nowhere", a_swap_request())


async def test_of_many_chats_only_the_last_ones_stay_as_they_were_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "CHATS_AS_LEFT", 2)
    app = a_fleet("one").app()

    def model_of(screen: object) -> str | None:
        return screen.dialogue.targets[0].model if isinstance(screen, ChatScreen) else None

    async with app.run_test() as pilot:
        for model in ("first", "second", "third", "first"):
            app.post_message(ChatRequested("one", "ollama", model))
            await until(pilot, lambda model=model: model_of(app.screen) == model)  # type: ignore[misc]  # a name of its own
        await until(pilot, lambda: {*map(model_of, app._installed_screens.values())} == {"third", "first"})


async def test_a_chat_that_was_left_is_still_there() -> None:
    fleet = a_fleet("one")
    app = fleet.app()
    async with app.run_test() as pilot:
        await until(pilot, lambda: "one" in fleet.links)
        app.post_message(ChatRequested("one", "llamacpp", "small"))
        await until(pilot, lambda: len(app.screen_stack) == 2)
        chat = app.screen
        await app.action_fleet()
        assert isinstance(app.screen, FleetScreen)
        await app.action_last_chat()
        assert app.screen is chat


async def test_q_quits_only_when_pressed_twice_within_a_moment() -> None:
    fleet = a_fleet("one")
    app = fleet.app()
    async with app.run_test() as pilot:
        await pilot.press("q")
        assert app._exit is False
        fleet.now += 10
        await pilot.press("q")
        assert app._exit is False
        await pilot.press("q")
        assert app._exit is True


async def test_ctrl_c_twice_quits_from_any_screen() -> None:
    app = a_fleet("one").app()
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.fleet["one"].machine is not None)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, NodeScreen))
        await pilot.press("ctrl+c")
        assert app._exit is False
        await pilot.press("ctrl+c")
        assert app._exit is True


async def test_escape_never_quits() -> None:
    app = a_fleet("one").app()
    async with app.run_test() as pilot:
        await pilot.press(*["escape"] * 5, *["backspace"] * 5)
        assert app._exit is False


async def test_one_key_leads_back_from_a_node() -> None:
    for key in ("q", "escape", "backspace", "1"):
        app = a_fleet("one").app()
        async with app.run_test() as pilot:
            await until(pilot, lambda: app.fleet["one"].machine is not None)  # noqa: B023 -- awaited here
            await pilot.press("d")
            await until(pilot, lambda: isinstance(app.screen, NodeScreen))  # noqa: B023 -- awaited here
            await pilot.press(key)
            await until(pilot, lambda: isinstance(app.screen, FleetScreen))  # noqa: B023 -- awaited here


async def test_the_farewell_is_about_agents_of_this_machine_alone() -> None:
    fleet = this_machine()
    app = fleet.app()
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.fleet["here"].machine is not None)
    assert app.farewell == "small stays resident here; fleetview-agent stop ends it"
    elsewhere = a_fleet("one").app()
    async with elsewhere.run_test() as pilot:
        await until(pilot, lambda: elsewhere.fleet["one"].machine is not None)
    assert elsewhere.farewell is None


async def test_keys_of_the_fleet_file_replace_our_own() -> None:
    fleet = a_fleet("one", keys={"app.help": ("f1", "question_mark"), "view.pause": "f5"})
    app = fleet.app()
    async with app.run_test() as pilot:
        await pilot.press("p")
        assert app.paused is False
        await pilot.press("f5")
        assert app.paused is True
        assert {"f1", "question_mark"} <= app.screen.active_bindings.keys()


@pytest.mark.parametrize("theme", ["fleet-dark", "fleet-light", "nord"])
async def test_every_theme_draws(theme: str) -> None:
    app = a_fleet("one", ui={"theme": theme}).app()
    async with app.run_test() as pilot:
        await until(pilot, lambda: "M2 Ultra" in screen_text(app))
        assert app.theme == theme


async def test_no_key_is_one_that_terminals_or_multiplexers_take() -> None:
    fleet = a_fleet("one")
    app = fleet.app()
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.fleet["one"].machine is not None)
        fleet_keys = set(app.screen.active_bindings)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, NodeScreen))
        keys = fleet_keys | set(app.screen.active_bindings)
        assert not keys & FORBIDDEN
        assert not [key for key in keys if key.startswith(("alt+", "ctrl+shift+"))]


def test_every_key_of_ours_has_an_id_and_a_sentence() -> None:
    for owner in (FleetApp, FleetScreen, NodeActions, NodeScreen, FleetTable, Pane, Help):
        for binding in owner.BINDINGS:
            assert binding.id, binding
            assert binding.tooltip, binding


async def test_many_changes_are_drawn_together() -> None:
    fleet = a_fleet("one")
    app = fleet.app()
    async with app.run_test() as pilot:
        await until(pilot, lambda: "M2 Ultra" in screen_text(app))
        drawn: list[float] = []
        screen = app.screen
        assert isinstance(screen, FleetScreen)
        draw = screen.draw

        def watched() -> None:
            drawn.append(app.fleet["one"].samples[-1].cpu_ratio or 0.0)
            draw()

        screen.draw = watched  # type: ignore[method-assign]  # watched
        for step in range(200):
            fleet.links["one"].say(a_snapshot(samples=(a_sample(cpu_ratio=step / 200),)))
        await until(pilot, lambda: bool(drawn) and drawn[-1] == 199 / 200)
        assert len(drawn) < 20
