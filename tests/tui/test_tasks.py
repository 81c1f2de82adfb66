"""What people come for, with the keys that the screen itself tells, and no more of them than these."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.pilot import Pilot
from textual.widgets._toast import Toast

from fleetview.app import FleetApp
from fleetview.fleet import LinkUp
from fleetview.present.text import text_of
from fleetview.screens.bulk import Bulk
from fleetview.screens.choose import Choose
from fleetview.screens.confirm import Confirm
from fleetview.screens.fleet import FleetScreen
from fleetview.screens.models.places import Places
from fleetview.screens.show_plan import ShowPlan
from fleetview.screens.why import Why
from fleetview.widgets.fleet_table import FleetTable
from fleetview.widgets.key_bar import KeyBar
from fleetview.widgets.node_panel import NodePanel
from fleetview_agent.wire import (
    Failure,
    OperationChanged,
    Order,
    Plan,
    Snapshot,
    SwapRequest,
    UndoRequest,
    UnloadRequest,
)
from tests.builders import (
    AUTHOR,
    a_backend_state,
    a_plan,
    a_resident,
    a_sample,
    a_snapshot,
    a_swap_request,
    an_operation,
    an_unload_request,
)
from tests.tui.fake_fleet import FakeFleet, screen_text, settled, until
from tests.tui.models_fleet import a_stocked_fleet


class Stranger:
    """Somebody who has never seen it, and counts the keys."""

    def __init__(self, fleet: FakeFleet, app: FleetApp, pilot: Pilot[None]) -> None:
        self.fleet = fleet
        self.app = app
        self.pilot = pilot
        self.pressed = 0

    async def press(self, *keys: str) -> None:
        """Press keys, each of which counts."""
        self.pressed += len(keys)
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, name: str) -> None:
        """Write a name, which is no key of ours."""
        await self.pilot.press(*name)
        await self.pilot.pause()

    async def sees(self, *words: str) -> None:
        """Wait until the screen says all of this."""
        await self.until(lambda: all(word in screen_text(self.app) for word in words))

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something."""
        await until(self.pilot, holds)

    async def meets(self, kind: type[Choose | Confirm | Bulk | ShowPlan]) -> None:
        """Wait until a dialog can be answered: nobody agrees to what was not shown."""
        await self.until(lambda: isinstance(screen := self.app.screen, kind) and _answerable(screen))

    def asked(self, name: str) -> list[Order]:
        """What a node was asked for."""
        return self.fleet.links[name].asked

    @property
    def table(self) -> FleetTable:
        """The nodes."""
        return self.app.screen_stack[0].query_one(FleetTable)

    @property
    def footer(self) -> str:
        """The keys that the fleet tells."""
        return text_of(self.app.screen_stack[0].query_one(KeyBar).lines[0])


def _answerable(screen: object) -> bool:
    """Whether Enter or a letter would be taken now."""
    if isinstance(screen, Choose | Confirm):
        return screen._seen
    return isinstance(screen, Bulk | ShowPlan) and bool(screen.check_action("agree", ()))


@asynccontextmanager
async def a_stranger(fleet: FakeFleet) -> AsyncIterator[Stranger]:
    """Before the fleet, in a pane of 80x24."""
    app = fleet.app()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot)
        yield Stranger(fleet, app, pilot)


def busy(*loads: float) -> FakeFleet:
    """Nodes a, b, … with GPUs as busy as this, the last of which has the least memory left."""
    return FakeFleet(
        {
            name: (a_snapshot(samples=(a_sample(gpu_ratio=load, memory_available_bytes=(90 - 30 * place) << 30),)),)
            for place, (name, load) in enumerate(zip("abcdef", loads, strict=False))
        }
    )


def holding(*names: str) -> Snapshot:
    """A node with these models in memory."""
    return a_snapshot(backends=(a_backend_state(resident=tuple(map(a_resident, names))),))


async def test_the_busiest_node_is_found_with_three_keys() -> None:
    async with a_stranger(busy(0.2, 0.4, 0.9, 0.1)) as who:
        assert "o sort" in who.footer
        await who.press("o")
        await who.sees("sort by", "g GPU")
        await who.press("g", "home")
        assert who.table.selected == "c"
        assert who.pressed == 3


async def test_the_fleet_is_put_in_order_by_memory_with_two_keys_and_the_selection_stays() -> None:
    async with a_stranger(busy(0.2, 0.4, 0.9)) as who:
        await who.press("down")
        who.pressed = 0
        await who.press("o", "m")
        assert who.table.names == ("a", "b", "c")
        await who.press("o", "m")
        assert who.table.names == ("c", "b", "a")
        assert who.table.selected == "b"
        assert who.pressed == 2 * 2


async def test_the_memory_of_a_node_with_one_model_is_freed_with_two_keys() -> None:
    async with a_stranger(FakeFleet({"studio": (holding("small"),)})) as who:
        assert "x unload" in who.footer
        await who.press("x")
        await who.meets(Confirm)
        await who.press("y")
        await who.until(lambda: who.asked("studio") == [an_unload_request(author=AUTHOR)])
        assert who.pressed == 2


async def test_the_memory_of_a_node_with_several_models_is_freed_with_four_keys() -> None:
    async with a_stranger(FakeFleet({"studio": (holding("small", "large"),)})) as who:
        who.fleet.links["studio"].plan = unloading  # type: ignore[method-assign]  # nobody is being answered
        await who.press("x")
        await who.sees("llamacpp/small  5.0G", "everything that is in memory on studio")
        await who.meets(Choose)
        await who.press("end", "enter")
        await who.meets(Bulk)
        await who.press("enter")
        await who.until(
            lambda: [one.model for one in who.asked("studio") if isinstance(one, UnloadRequest)] == ["small", "large"]
        )
        assert who.pressed == 4


async def unloading(request: Order) -> Plan:
    """A plan that costs nobody anything."""
    about = {} if isinstance(request, UndoRequest) else {"request": request}
    return a_plan(evictions=(), waits_for=0, **about)


async def test_a_model_is_unloaded_from_three_marked_nodes_with_five_keys() -> None:
    async with a_stranger(FakeFleet({name: (holding("small"),) for name in ("one", "two", "three", "four")})) as who:
        for link in who.fleet.links.values():
            link.plan = unloading  # type: ignore[method-assign]  # nobody is being answered
        assert "space mark" in who.footer
        await who.press("space", "space", "space", "x")
        assert "3 marked" in who.footer
        await who.sees("Unload llamacpp/small from 3 nodes", "3 nodes would be asked")
        await who.meets(Bulk)
        await who.press("enter")
        await who.until(lambda: [len(who.asked(name)) for name in ("one", "two", "three", "four")] == [1, 1, 1, 0])
        assert who.pressed == 5


async def test_a_named_model_is_loaded_where_it_fits_best_with_five_keys_and_its_name() -> None:
    async with a_stranger(a_stocked_fleet()) as who:
        await who.press("2", "slash")
        await who.type("gemma")
        await who.press("enter")
        await who.sees("f where it fits")
        await who.press("f")
        await who.until(lambda: isinstance(who.app.screen, Places) and "enter loads it on" in screen_text(who.app))
        await who.press("enter")
        await who.until(lambda: any(map(who.asked, who.fleet.links)))
        (request,) = (one for name in who.fleet.links for one in who.asked(name))
        assert isinstance(request, SwapRequest)
        assert (request.model, request.evict) == ("gemma3:27b", "none")
        assert who.pressed == 5


async def test_why_a_load_failed_is_found_out_with_two_keys_that_the_screen_tells() -> None:
    failure = Failure(reason="the file is damaged", log=("missing tensor blk.18",))
    broken = a_backend_state(resident=(a_resident("broken", phase="failed", failure=failure),))
    async with a_stranger(FakeFleet({"calm": (a_snapshot(),), "sick": (a_snapshot(backends=(broken,)),)})) as who:
        assert "1 alert n" in screen_text(who.app)
        assert "! why" not in who.footer  # nothing failed on the node that is selected
        await who.press("n")
        assert who.table.selected == "sick"
        assert "! why" in who.footer
        await who.press("exclamation_mark")
        await who.until(lambda: isinstance(who.app.screen, Why))
        await who.sees("the file is damaged", "missing tensor blk.18")
        assert who.pressed == 2


async def test_a_swap_is_undone_with_two_keys_that_the_screen_tells() -> None:
    done = an_operation(request=a_swap_request(author=AUTHOR), result="done", inverse=an_unload_request("large"))
    async with a_stranger(FakeFleet({"studio": (LinkUp(), holding("large"), OperationChanged(operation=done))})) as who:
        who.fleet.links["studio"].plan = unloading  # type: ignore[method-assign]  # nobody is being answered
        await who.sees("u undoes it")
        await who.press("u")
        await who.meets(ShowPlan)
        await who.press("enter")
        await who.until(lambda: who.asked("studio") == [UndoRequest(author=AUTHOR)])
        assert who.pressed == 2


async def test_a_plan_that_is_looked_at_goes_with_what_is_done_to_the_node() -> None:
    async with a_stranger(FakeFleet({"studio": (LinkUp(), holding("large"))})) as who:
        link = who.fleet.links["studio"]
        swapping = an_operation(request=a_swap_request(author=AUTHOR))

        async def planned(request: Order) -> Plan:
            in_hand = bool(who.app.fleet["studio"].operations)
            assert isinstance(request, UndoRequest)
            return a_plan(waits_for=0, refusal="a swap is in hand still" if in_hand else None)

        link.plan = planned  # type: ignore[method-assign]  # a node whose answer changes
        link.say(OperationChanged(operation=swapping))
        await who.press("u")
        await who.sees("a swap is in hand still")
        assert not _answerable(who.app.screen)
        link.say(OperationChanged(operation=swapping.model_copy(update={"result": "done", "phase": "ready"})))
        await who.meets(ShowPlan)
        assert "in hand still" not in screen_text(who.app)


async def test_a_toast_leaves_header_footer_and_the_selected_node_alone() -> None:
    async with a_stranger(busy(0.2, 0.4)) as who:
        who.app.notify("one line\nand another one", title="studio")
        await who.until(lambda: bool(who.app.screen.query(Toast)) and who.app.screen.query_one(Toast).region.height > 0)
        assert isinstance(who.app.screen, FleetScreen)
        covered = who.app.screen.query_one(Toast).region
        below = who.app.screen.query_one(NodePanel).region
        assert 2 + len(who.table.names) <= covered.y
        assert covered.bottom <= below.y
