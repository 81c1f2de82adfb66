"""Keys that lead through dialogs to a change of a node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from fleetview.fleet import LinkDown, LinkUp
from fleetview.remote.errors import Refused
from fleetview.screens.choose import Choose
from fleetview.screens.confirm import Confirm
from fleetview.screens.show_plan import ShowPlan
from fleetview.screens.type_name import NameLine, TypeName
from fleetview_agent.wire import (
    DeleteRequest,
    KeepRequest,
    Order,
    PinRequest,
    Plan,
    PullRequest,
    RestartRequest,
    StopRequest,
    UndoRequest,
    UnloadRequest,
)
from tests.builders import AUTHOR, a_backend_state, a_model_file, a_plan, a_resident, a_snapshot, an_operation
from tests.tui.fake_fleet import FakeFleet, screen_text, settled, until
from tests.tui.fake_link import REFUSED
from tests.tui.one_node import a_dashboard, an_ollama, asked, shown

BREW = "launchd agent homebrew.mxcl.ollama (Homebrew)"


@pytest.mark.parametrize(
    ("keys", "request_"),
    [
        (("enter",), PinRequest(author=AUTHOR, backend="ollama", model="small")),
        (("j", "j", "enter"), KeepRequest(author=AUTHOR, backend="ollama", model="small", keep=7200.0)),
        (("end", "k", "enter"), KeepRequest(author=AUTHOR, backend="ollama", model="small", keep="forever")),
        (("end", "enter"), KeepRequest(author=AUTHOR, backend="ollama", model="small", keep=None)),
    ],
)
async def test_t_says_how_long_a_model_stays(keys: Sequence[str], request_: Order) -> None:
    async with a_dashboard(an_ollama()) as (app, pilot, link):
        await pilot.press("t")
        await shown(app, pilot, "Keep small on studio", "pin: leaves only when named", "as long as ollama likes")
        await pilot.press(*keys)
        assert await asked(pilot, link) == request_


async def test_where_several_models_are_ready_t_asks_which() -> None:
    two = (a_resident("a"), a_resident("b"), a_resident("c", phase="loading"))
    async with a_dashboard(an_ollama(resident=two)) as (app, pilot, link):
        await pilot.press("t")
        await shown(app, pilot, "Keep on studio", "ollama/b")
        assert "ollama/c" not in screen_text(app)
        await pilot.press("j", "enter")
        await shown(app, pilot, "Keep b on studio")
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert link.asked == []


async def test_a_shows_who_runs_the_server_and_every_command_before_enter_agrees() -> None:
    plan = {"supervisor": BREW, "commands": ("brew services restart ollama",), "evictions": ("ollama/small",)}
    async with a_dashboard(an_ollama(), **plan) as (app, pilot, link):
        await pilot.press("a")
        await shown(app, pilot, "restart ollama", "stop ollama")
        await pilot.press("enter")
        await shown(app, pilot, "Restart ollama on studio", f"run by   {BREW}", "runs     brew services restart ollama")
        assert link.asked == []
        await pilot.press("enter")
        assert await asked(pilot, link) == RestartRequest(author=AUTHOR, backend="ollama")


async def test_an_unload_that_is_asked_about_follows_the_node_and_cannot_be_agreed_to_once_it_makes_no_sense() -> None:
    async with a_dashboard(an_ollama()) as (app, pilot, link):
        await pilot.press("x")
        await shown(app, pilot, "It leaves ollama and frees", "▸ no")
        link.say(an_ollama(resident=(a_resident("small", pinned=True),)))
        await shown(app, pilot, "It is pinned.")
        for gone, told in (
            (an_ollama(resident=()), "It is not in memory on studio any more."),
            (LinkDown("no route to host", 5.0), "studio is not connected: no route to host"),
        ):
            link.say(gone)
            await shown(app, pilot, told)
            await pilot.press("y")
            assert isinstance(app.screen, Confirm)
        link.say(LinkUp())
        link.say(an_ollama())
        await shown(app, pilot, "It leaves ollama and frees")
        await pilot.press("y")
        assert await asked(pilot, link) == UnloadRequest(author=AUTHOR, backend="ollama", model="small")


async def test_a_server_that_may_not_be_touched_is_left_alone_with_the_reason() -> None:
    async with a_dashboard(an_ollama(), refusal="two servers run on 11434; end one of them") as (app, pilot, link):
        await pilot.press("a", "enter")
        await shown(app, pilot, "two servers run on 11434; end one of them")
        await pilot.press("enter")
        assert isinstance(app.screen, ShowPlan)
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert link.asked == []


async def test_a_plan_that_cannot_be_had_is_told_and_cannot_be_agreed_to() -> None:
    async with a_dashboard(an_ollama()) as (app, pilot, link):
        link.problem = REFUSED
        await pilot.press("a", "enter")
        await shown(app, pilot, "large does not fit (unload small first)")
        await pilot.press("enter")
        assert isinstance(app.screen, ShowPlan)


async def test_stopping_a_server_that_answers_asks_once_more_with_no_as_the_default() -> None:
    async with a_dashboard(an_ollama(), waits_for=2, evictions=("ollama/small",)) as (app, pilot, link):
        await pilot.press("a", "j", "enter")
        await shown(app, pilot, "Stop ollama on studio", "for 2 answers in progress")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ShowPlan))
        assert link.asked == []
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        assert await asked(pilot, link) == StopRequest(author=AUTHOR, backend="ollama")


async def test_a_model_is_pulled_by_the_name_that_is_typed() -> None:
    async with a_dashboard(an_ollama(version="0.33.0")) as (app, pilot, link):
        await pilot.press("P")
        await shown(app, pilot, "Pull to studio", "ollama 0.33.0 fetches it")
        await pilot.press("enter")
        await shown(app, pilot, "Type the name of the model.")
        await pilot.press(*"qwen3:8b", "enter")
        assert await asked(pilot, link) == PullRequest(author=AUTHOR, backend="ollama", model="qwen3:8b")


async def test_a_model_is_deleted_only_when_its_whole_name_is_typed() -> None:
    async with a_dashboard(an_ollama()) as (app, pilot, link):
        await pilot.press("D")
        await shown(app, pilot, "ollama/large")
        await pilot.press("j", "enter")
        await shown(app, pilot, "Delete large from studio", "40G on the disk of studio", "Type its name")
        await pilot.press(*"larg", "enter")
        await shown(app, pilot, "That is not large.")
        assert link.asked == []
        await pilot.press("e", "enter")
        assert await asked(pilot, link) == DeleteRequest(author=AUTHOR, backend="ollama", model="large")


async def test_a_copy_that_others_have_too_is_deleted_after_a_plain_question() -> None:
    async with a_dashboard(an_ollama()) as (app, pilot, link):
        twin = replace(app.fleet["studio"], name="other")
        app.fleet = {**app.fleet, "other": twin}
        await pilot.press("D")
        await shown(app, pilot, "ollama/large")
        await pilot.press("j", "enter")
        await shown(app, pilot, "Delete large from studio", "The same file is also on other.")
        assert isinstance(app.screen, Confirm)
        await pilot.press("enter")
        assert link.asked == []
        await pilot.press("D", "j", "enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.pause()
        await pilot.press("y")
        assert await asked(pilot, link) == DeleteRequest(author=AUTHOR, backend="ollama", model="large")


async def test_a_model_in_memory_is_not_deleted() -> None:
    async with a_dashboard(an_ollama()) as (app, pilot, link):
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        await pilot.press("enter")
        await until(pilot, lambda: bool(app._notifications))
        assert next(iter(app._notifications)).message.startswith("small is in memory; unload it")
        assert len(app.screen_stack) == 1
        assert link.asked == []


async def test_a_file_that_may_not_be_deleted_is_not_offered() -> None:
    files = (a_model_file("large", undeletable="the file of large is Ollama's"), a_model_file("own"))
    async with a_dashboard(an_ollama(models=files, resident=())) as (app, pilot, _):
        await pilot.press("D")
        await shown(app, pilot, "Delete on studio", "ollama/own")
        assert "ollama/large" not in screen_text(app)
    async with a_dashboard(an_ollama(models=files[:1], resident=())) as (app, pilot, _):
        await pilot.press("D")
        assert len(app.screen_stack) == 1


async def test_a_typed_name_is_text_and_not_a_verb() -> None:
    async with a_dashboard(an_ollama()) as (app, pilot, link):
        await pilot.press("P")
        await until(pilot, lambda: isinstance(app.screen, TypeName))
        await pilot.press(*"sxtaqDP?:1")
        assert app.screen.query_one(NameLine).value == "sxtaqDP?:1"
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert link.asked == []


async def test_x_ends_an_orphan_under_its_own_name() -> None:
    orphan = a_resident("small#4711", phase="orphaned")
    async with a_dashboard(an_ollama(resident=(orphan,))) as (app, pilot, link):
        await pilot.press("x")
        await shown(app, pilot, "End the orphaned small#4711 on studio", "keeps 5.0G")
        await pilot.press("y")
        assert await asked(pilot, link) == UnloadRequest(author=AUTHOR, backend="ollama", model="small#4711")


async def test_ctrl_x_asks_which_of_several_operations_is_meant() -> None:
    pull = an_operation(id="op-2", request=PullRequest(author=AUTHOR, backend="ollama", model="gemma3"), phase="pull")
    first = a_snapshot(operations=(an_operation(), pull))
    async with a_dashboard(first) as (app, pilot, link):
        await pilot.press("ctrl+x")
        await shown(app, pilot, "Cancel on studio", "swap llamacpp/large", "pull ollama/gemma3")
        await pilot.press("j", "enter")
        await shown(app, pilot, "Cancel the pull of gemma3 on studio", "goes on from there")
        await pilot.press("y")
        await until(pilot, lambda: link.cancelled == ["op-2"])


async def test_u_shows_the_inverse_before_enter_takes_the_last_operation_back() -> None:
    plan = {"undoes": "op-7", "evictions": ()}
    async with a_dashboard(an_ollama()) as (app, pilot, link):

        async def inverse(request: Order) -> Plan:
            assert request == UndoRequest(author=AUTHOR)
            return a_plan(request=UnloadRequest(author=AUTHOR, backend="ollama", model="small"), **plan)

        link.plan = inverse  # type: ignore[method-assign]  # it answers what a test is about
        await pilot.press("u")
        await shown(app, pilot, "Undo on studio", "unload   ollama/small", "undoes   op-7")
        assert link.asked == []
        await pilot.press("enter")
        assert await asked(pilot, link) == UndoRequest(author=AUTHOR)


async def test_where_there_is_nothing_to_undo_the_dialog_says_so() -> None:
    async with a_dashboard(an_ollama()) as (app, pilot, link):
        link.problem = Refused("there is nothing to undo", code="bad_request", status=400)
        await pilot.press("u")
        await shown(app, pilot, "Undo on studio", "there is nothing to undo")
        await pilot.press("enter", "escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert link.asked == []


async def test_keys_without_an_engine_that_understands_them_say_why_they_do_nothing() -> None:
    files = (a_model_file(),)
    bare = a_snapshot(backends=(a_backend_state(models=files, resident=()),))
    async with a_dashboard(bare) as (app, pilot, _):
        await pilot.press("t", "P", "D")
        assert len(app.screen_stack) == 1
        said = [one.message for one in app._notifications]
        assert said == [
            "no model is ready on studio; load one with s",
            "nothing on studio can pull a model",
            "studio has no model that can be deleted from here",
        ]


async def test_a_verb_about_a_model_that_has_no_key_is_in_the_menu_and_shows_its_plan() -> None:
    async with a_dashboard(an_ollama()) as (app, pilot, link):
        await pilot.press("a")
        await shown(app, pilot, "restart ollama", "pin: let a resident model leave only when it is named")
        await pilot.press("j", "j", "enter")
        await shown(app, pilot, "Pin small on studio")
        assert link.asked == []
        await pilot.press("enter")
        assert await asked(pilot, link) == PinRequest(author=AUTHOR, backend="ollama", model="small")


async def test_the_menu_reconnects_and_tells_the_health_of_a_node_that_is_down() -> None:
    fleet = FakeFleet({"studio": (LinkDown("no route to host", 9.0),)})
    app = fleet.app()
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await pilot.press("a")
        await shown(app, pilot, "On studio", "reconnect now", "health: what is wrong")
        await pilot.press("enter")
        await until(pilot, lambda: fleet.links["studio"].retries == 1)
        await pilot.press("a", "j", "enter")
        await shown(app, pilot, "Health of studio", "no route to host")


async def test_a_read_only_dashboard_offers_none_of_it() -> None:
    fleet = FakeFleet({"studio": (LinkUp(), an_ollama())})
    app = fleet.app(readonly=True)
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        assert not {"t", "a", "P", "D", "u"} & app.screen.active_bindings.keys()
