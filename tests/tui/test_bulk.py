"""Verbs over several marked rows: what would be done where, the second look, and what has come of it on each node."""

from __future__ import annotations

import asyncio

import pytest

from fleetview.fleet import LinkDown, LinkUp
from fleetview.messages import ChatRequested
from fleetview.remote.errors import Refused
from fleetview.screens.bulk import Bulk
from fleetview.screens.choose import Choose
from fleetview.screens.confirm import Confirm
from fleetview.screens.fleet import FleetScreen
from fleetview.screens.results import Results
from fleetview.screens.type_name import TypeName
from fleetview.views import Views
from fleetview.widgets.fleet_table import FleetTable
from fleetview.wishes.subject import Subject
from fleetview_agent.wire import (
    DeleteRequest,
    KeepRequest,
    OperationChanged,
    Order,
    PinRequest,
    Plan,
    PullRequest,
    RestartRequest,
    SwapRequest,
    UndoRequest,
)
from tests.builders import AUTHOR, a_model_file, a_resident, an_operation
from tests.tui.fake_fleet import screen_text, until
from tests.tui.several_nodes import UNLOAD, a_dashboard, an_ollama, asked_of, ready, shown, told


@pytest.fixture(autouse=True)
def _everything_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    every = property(lambda screen: tuple(Subject(node) for node in screen.fleet.values()))
    monkeypatch.setattr(FleetScreen, "subjects", every)


async def test_a_verb_for_many_tells_failures_first_asks_them_again_and_finds_what_was_lost() -> None:
    nodes = dict.fromkeys(("alpha", "beta", "gamma", "delta"), an_ollama())
    async with a_dashboard({**nodes, "bare": an_ollama(resident=())}) as (app, pilot, links):
        table = app.screen.query_one(FleetTable)
        await pilot.press("asterisk", "x")
        await until(pilot, ready(app))
        await shown(app, pilot, "Unload ollama/small from 5 nodes", "ollama/small is not in memory", "4 nodes would be")
        links["gamma"].problem = Refused("gamma is read-only", "ask its owner", code="read_only", status=403)
        await pilot.press("enter")
        await shown(app, pilot, "4 nodes are changed: alpha, beta, gamma, delta.", "▸ no")
        await pilot.press("enter")
        await until(pilot, ready(app))
        assert not any(link.asked for link in links.values())
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen._seen)
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, Results))
        running = an_operation(id="op-1", request=UNLOAD, phase="evict", progress=0.4, evictions=())
        for name in ("alpha", "beta", "delta"):
            links[name].say(OperationChanged(operation=running))
        await shown(app, pilot, "evict 40%")
        done = running.model_copy(update={"result": "done", "phase": "ready"})
        links["alpha"].say(OperationChanged(operation=done))
        links["delta"].say(LinkDown("no route to host", 5.0))
        failed = running.model_copy(update={"result": "failed", "cause": "the engine hung"})
        links["beta"].say(OperationChanged(operation=failed))
        await shown(app, pilot, "1 done, 1 lost, 2 failed, 1 left out")
        await shown(app, pilot, "failed    the engine hung", "gamma is read-only", "no route to host; what was begun")
        lines = [line for line in screen_text(app).splitlines() if "│" in line or "┃" in line]
        order = [name for line in lines for name in ("alpha", "beta", "gamma", "delta", "bare") if f" {name} " in line]
        assert order == ["beta", "gamma", "delta", "alpha", "bare"]
        assert table.marked == {"beta", "gamma", "delta"}
        links["gamma"].problem = None
        await pilot.press("r")
        await until(pilot, lambda: [len(links[name].asked) for name in nodes] == [1, 2, 2, 1])
        for name in ("beta", "gamma"):
            links[name].say(OperationChanged(operation=done.model_copy(update={"id": "op-2"})))
        links["delta"].journaled = (done,)
        links["delta"].say(LinkUp())
        links["delta"].say(an_ollama(resident=()))
        await shown(app, pilot, "4 done, 1 left out")
        assert not any(one.startswith("unload:") for one in told(app))  # what stands there is not told once more
        assert links["bare"].asked == []
        assert not table.marked
        await pilot.press("escape")
        assert isinstance(app.screen, FleetScreen)


async def test_the_results_may_be_closed_and_the_end_is_told_all_the_same() -> None:
    async with a_dashboard(dict.fromkeys(("alpha", "beta"), an_ollama())) as (app, pilot, links):
        await pilot.press("x")
        await until(pilot, ready(app))
        await pilot.press("enter")
        await asked_of(pilot, links)
        await pilot.press("escape")
        for link in links.values():
            link.say(OperationChanged(operation=an_operation(id="op-1", request=UNLOAD, phase="ready", result="done")))
        await until(pilot, lambda: "unload: 2 done" in told(app))


async def test_a_swap_for_many_asks_each_node_for_its_own_plan_and_tab_lets_nothing_leave() -> None:
    two = (a_model_file("small"), a_model_file("qwen3:32b"))
    nodes = {"alpha": an_ollama(models=two), "beta": an_ollama(models=two), "gamma": an_ollama()}
    async with a_dashboard(nodes) as (app, pilot, links):
        await pilot.press("s")
        await shown(app, pilot, "Swap in on 3 nodes", "on 2 of 3  qwen3:32b")
        await pilot.press("end", "k", "enter")
        if "qwen3" not in screen_text(app):
            await pilot.press("escape")
        await until(pilot, ready(app))
        await pilot.press("tab")
        await until(pilot, ready(app))
        await shown(app, pilot, "what leaves: none", "it has no", "left out")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Results))
        requests = [request for link in links.values() for request in link.asked]
        assert len(requests) == 2
        assert all(isinstance(one, SwapRequest) and one.evict == "none" for one in requests)


async def test_a_model_is_kept_on_all_and_what_cannot_be_kept_is_left_out() -> None:
    nodes = {"alpha": an_ollama(), "beta": an_ollama(abilities=("pin", "unpin"))}
    async with a_dashboard(nodes) as (app, pilot, links):
        await pilot.press("t")
        await shown(app, pilot, "Keep ollama/small on 2 nodes", "2 h after its last answer")
        await pilot.press("j", "j", "j", "enter")
        await until(pilot, ready(app))
        await shown(app, pilot, "cannot be told that")
        await pilot.press("enter")
        await until(pilot, lambda: bool(links["alpha"].asked))
        assert links["alpha"].asked == [KeepRequest(author=AUTHOR, backend="ollama", model="small", keep=7200.0)]
        assert links["beta"].asked == []


async def test_engines_of_all_are_restarted_from_the_menu_which_also_reconnects() -> None:
    async with a_dashboard(dict.fromkeys(("alpha", "beta"), an_ollama())) as (app, pilot, links):
        await pilot.press("a")
        await shown(app, pilot, "On 2 marked", "start, stop or restart an engine on the 2 marked")
        await pilot.press("enter")
        await shown(app, pilot, "restart ollama")
        await pilot.press("enter")
        await until(pilot, ready(app))
        await pilot.press("enter")
        assert await asked_of(pilot, links) == [[RestartRequest(author=AUTHOR, backend="ollama")]] * 2
        links["beta"].say(LinkDown("gone", 5.0))
        await pilot.press("escape", "a")
        await shown(app, pilot, "reconnect now")
        await pilot.press("end", "enter")
        await until(pilot, lambda: links["beta"].retries == 1)
        assert links["alpha"].retries == 0


async def test_a_verb_about_a_model_that_has_no_key_is_done_on_all_from_the_menu() -> None:
    async with a_dashboard(dict.fromkeys(("alpha", "beta"), an_ollama())) as (app, pilot, links):
        await pilot.press("a")
        await shown(app, pilot, "pin: let a resident model leave only when it is named")
        await pilot.press("j", "enter")
        await until(pilot, ready(app))
        assert "Pin ollama/small on 2 nodes" in screen_text(app)
        await pilot.press("enter")
        assert await asked_of(pilot, links) == [[PinRequest(author=AUTHOR, backend="ollama", model="small")]] * 2


async def test_a_model_is_pulled_to_all_by_the_name_that_is_typed() -> None:
    async with a_dashboard(dict.fromkeys(("alpha", "beta"), an_ollama())) as (app, pilot, links):
        await pilot.press("P")
        await shown(app, pilot, "Pull to 2 nodes")
        await pilot.press(*"qwen3", "enter")
        await until(pilot, ready(app))
        await pilot.press("enter")
        assert await asked_of(pilot, links) == [[PullRequest(author=AUTHOR, backend="ollama", model="qwen3")]] * 2


async def test_a_model_is_deleted_from_all_only_when_its_whole_name_is_typed() -> None:
    async with a_dashboard(dict.fromkeys(("alpha", "beta"), an_ollama(resident=()))) as (app, pilot, links):
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, Choose) and app.screen._seen)
        await pilot.press("j", "enter")
        await until(pilot, ready(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TypeName))
        await shown(app, pilot, "It leaves the 2 disks of alpha, beta.")
        await pilot.press(*"larg", "enter")
        assert not any(link.asked for link in links.values())
        await pilot.press("e", "enter")
        assert await asked_of(pilot, links) == [[DeleteRequest(author=AUTHOR, backend="ollama", model="large")]] * 2


async def test_u_takes_back_the_last_operation_of_each() -> None:
    async with a_dashboard(dict.fromkeys(("alpha", "beta"), an_ollama())) as (app, pilot, links):
        await pilot.press("u")
        await until(pilot, ready(app))
        await shown(app, pilot, "Undo on 2 nodes", "unload ollama/small")
        await pilot.press("enter")
        assert await asked_of(pilot, links) == [[UndoRequest(author=AUTHOR)]] * 2


async def test_enter_pressed_before_the_plans_are_there_agrees_to_nothing() -> None:
    async with a_dashboard(dict.fromkeys(("alpha", "beta"), an_ollama())) as (app, pilot, links):
        asked = links["beta"].plan
        gate = asyncio.Event()

        async def slow(request: Order) -> Plan:
            await gate.wait()
            return await asked(request)

        links["beta"].plan = slow  # type: ignore[method-assign]  # it waits for the test
        await pilot.press("x", "enter")
        await shown(app, pilot, "planning …")
        await pilot.press("enter")
        assert isinstance(app.screen, Bulk)
        gate.set()
        await until(pilot, ready(app))
        await pilot.press("escape")
        assert not any(link.asked for link in links.values())


async def test_c_on_several_rows_asks_for_a_chat_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    wishes: list[ChatRequested] = []

    async def chat(_: Views, wish: ChatRequested) -> None:
        wishes.append(wish)

    monkeypatch.setattr(Views, "chat", chat)
    two = an_ollama(resident=(a_resident("a"), a_resident("b")))
    async with a_dashboard({"alpha": an_ollama(), "beta": two, "bare": an_ollama(resident=())}) as (app, pilot, _):
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, Choose) and app.screen._seen)
        await pilot.press("j", "enter")
        await until(pilot, lambda: bool(wishes))
        assert [(one.node, one.model) for one in wishes[0].targets] == [("alpha", "small"), ("beta", "b")]


async def test_a_key_that_works_on_none_of_the_marked_says_so_of_all() -> None:
    async with a_dashboard(dict.fromkeys(("alpha", "beta", "gamma"), an_ollama())) as (app, pilot, links):
        for link in links.values():
            link.say(LinkDown("no route to host", 5.0))
        await until(pilot, lambda: "no node is up" in screen_text(app))
        await pilot.press("x")
        await until(pilot, lambda: told(app) == ["none of the 3 marked nodes is connected"])
        assert isinstance(app.screen, FleetScreen)
