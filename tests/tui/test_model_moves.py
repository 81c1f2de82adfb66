"""Where a model fits, and copies of it to other nodes."""

from __future__ import annotations

import asyncio

from fleetview.fleet import LinkDown, LinkUp
from fleetview.screens.choose import Choose
from fleetview.screens.models.copy import CopyModel
from fleetview.screens.models.places import Places
from fleetview.screens.models.screen import ModelsScreen
from fleetview_agent.wire import Order, Plan, SwapRequest
from tests.builders import a_plan, a_resident
from tests.tui.fake_fleet import FakeFleet
from tests.tui.models_fleet import GEMMA, LLAMA, holding, ollama
from tests.tui.models_view import models


async def test_where_it_fits_asks_every_node_and_a_longer_context_asks_again() -> None:
    async with models() as opened:
        await opened.go("gemma3:27b", "worker-primary")
        await opened.press("f")
        await opened.until(lambda: isinstance(opened.app.screen, Places) and opened.text.count("yes, 66G spare") == 2)
        assert "copy from head-primary (16G)" in opened.text
        assert "no route to host" in opened.text
        link = opened.fleet.links["laptop-primary"]
        plan, released = link.plan, asyncio.Event()

        async def planning(request: Order) -> Plan:
            await released.wait()
            return await plan(request)

        link.plan = planning  # type: ignore[method-assign]  # a node that takes its time
        await opened.press("down", "right")
        assert "◂ 16k ▸ of 128k" in opened.text
        await opened.press("left", "left", "enter")
        assert "◂ 4k ▸" in opened.text
        assert isinstance(opened.app.screen, Places)  # nothing is agreed to that was not shown
        released.set()
        await opened.until(lambda: opened.text.count("yes, 66G spare") == 2)
        assert "enter loads it on laptop-primary" in opened.text
        await opened.press("enter")
        await opened.until(lambda: bool(link.asked))
        (request,) = link.asked
        assert isinstance(request, SwapRequest)
        assert (request.model, request.evict, request.options.context) == ("gemma3:27b", "none", 4096)


async def test_a_place_without_the_file_leads_to_a_copy() -> None:
    async with models() as opened:
        await opened.go("gemma3:27b", "head-primary")
        await opened.press("f")
        await opened.until(lambda: isinstance(opened.app.screen, Places) and opened.text.count("copy from") == 3)
        await opened.press("down", "down")
        assert "enter shows what copying it to head-secondary would take" in opened.text
        await opened.press("enter")
        await opened.until(lambda: isinstance(opened.app.screen, CopyModel) and "[x] head-secondary" in opened.text)
        await opened.until(lambda: "enter copies 16G to head-secondary" in opened.text)
        await opened.press("enter")
        assert opened.copies.begun == [("head-primary/ollama/gemma3:27b", ("head-secondary",))]


async def test_a_pinned_model_leaves_only_after_a_second_question() -> None:
    pinned = (a_resident("gemma3:27b", pinned=True),)
    fleet = FakeFleet({"studio": (LinkUp(), holding(ollama(GEMMA, LLAMA, resident=pinned)))})
    async with models(fleet) as opened:
        link = opened.fleet.links["studio"]

        async def planning(request: Order) -> Plan:
            assert isinstance(request, SwapRequest)
            if request.evict == "none":
                return a_plan(request=request, verdict="does_not_fit", refusal="it does not fit", evictions=())
            return a_plan(request=request, evictions=("ollama/gemma3:27b",))

        link.plan = planning  # type: ignore[method-assign]  # a node with no room beside what is there
        await opened.go("llama3.3:70b", "studio")
        await opened.press("f")
        await opened.until(lambda: "when gemma3:27b leaves" in opened.text)
        await opened.press("enter")
        assert "is pinned, and would leave" in opened.text
        await opened.press("y")
        await opened.until(lambda: bool(link.asked))
        assert getattr(link.asked[0], "evict", None) == "auto"


async def test_c_copies_to_the_marked_nodes_once_their_plans_are_shown() -> None:
    async with models() as opened:
        await opened.go("gemma3:27b", "head-primary")
        await opened.press("C")
        await opened.until(lambda: isinstance(opened.app.screen, CopyModel) and "can come" in opened.text)
        await opened.press("space", "space")
        await opened.until(lambda: "enter copies 32G to head-secondary, worker-primary" in opened.text)
        await opened.press("G", "space")  # what is not connected takes no mark
        assert opened.text.count("[x]") == 2
        await opened.press("enter")
        assert opened.copies.begun == [("head-primary/ollama/gemma3:27b", ("head-secondary", "worker-primary"))]


async def test_a_node_that_refuses_a_copy_says_why_and_holds_it_back() -> None:
    async with models() as opened:
        link = opened.fleet.links["head-secondary"]

        async def planning(request: Order) -> Plan:
            return a_plan(request=request, refusal="the disk of /models has 3G free")

        link.plan = planning  # type: ignore[method-assign]  # a full disk
        await opened.go("gemma3:27b", "head-primary")
        await opened.press("C")
        await opened.until(lambda: "head-secondary: the disk of /models has 3G free" in opened.text)
        await opened.press("enter")
        assert isinstance(opened.app.screen, CopyModel)
        await opened.press("escape")
        assert opened.copies.begun == []


async def test_a_read_only_dashboard_neither_copies_nor_loads() -> None:
    async with models(readonly=True) as opened:
        await opened.press("C", "s")
        assert isinstance(opened.app.screen, ModelsScreen)
        await opened.press("f")
        await opened.until(lambda: isinstance(opened.app.screen, Places) and "yes, 66G spare" in opened.text)
        assert "read-only" in opened.text
        await opened.press("enter")
        assert isinstance(opened.app.screen, Places)


async def test_c_in_the_fleet_view_asks_which_model_first() -> None:
    async with models() as opened:
        await opened.press("1", "C")
        await opened.until(lambda: isinstance(opened.app.screen, Choose))
        await opened.press("enter")
        await opened.until(lambda: isinstance(opened.app.screen, CopyModel))
        assert f"from {next(iter(opened.app.fleet))}" in opened.text


async def test_where_it_fits_follows_the_fleet_and_the_highlight_stays() -> None:
    async with models() as opened:
        await opened.go("gemma3:27b", "worker-primary")
        await opened.press("f")
        await opened.until(lambda: isinstance(opened.app.screen, Places) and opened.text.count("yes, 66G spare") == 2)
        await opened.press("down")
        at = "laptop-primary"
        lines = [line for line in opened.text.splitlines() if "spare" in line]
        link = opened.fleet.links["laptop-primary"]
        link.say(LinkDown("no route to host", 5.0))
        await opened.until(lambda: "laptop-primary is not connected" in opened.text)
        assert opened.app.screen.at == at  # type: ignore[attr-defined]  # of Places, as was waited for
        await opened.press("enter")
        assert isinstance(opened.app.screen, Places)
        link.say(LinkUp())
        link.say(link.first[1])
        await opened.until(lambda: "enter loads it on laptop-primary" in opened.text)
        assert [line for line in opened.text.splitlines() if "spare" in line] == lines


async def test_a_copy_follows_the_fleet_and_is_not_begun_to_nor_from_who_is_lost() -> None:
    async with models() as opened:
        await opened.go("gemma3:27b", "head-primary")
        await opened.press("C")
        await opened.until(lambda: isinstance(opened.app.screen, CopyModel))
        await opened.press("space")
        await opened.until(lambda: "enter copies 16G to head-secondary" in opened.text)
        target, source = opened.fleet.links["head-secondary"], opened.fleet.links["head-primary"]
        for link in (target, source):
            link.say(LinkDown("no route to host", 5.0))
            lost = f"{link.name} is not connected"
            await opened.until(lambda lost=lost: lost in opened.text.replace(": not", " is not"))  # type: ignore[misc]  # bound now
            await opened.press("enter")
            assert opened.copies.begun == []
            link.say(LinkUp())
            link.say(link.first[1])
            await opened.until(lambda: "enter copies 16G to head-secondary" in opened.text)
        await opened.press("enter")
        assert opened.copies.begun == [("head-primary/ollama/gemma3:27b", ("head-secondary",))]
