from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from fleetview.app import FleetApp
from fleetview.fleet import LinkUp
from fleetview.screens.copy_model import CopyModel
from fleetview.screens.models import ModelsScreen
from fleetview.screens.places import Places
from fleetview.screens.show_plan import ShowPlan
from fleetview.screens.type_name import TypeName
from fleetview_agent.wire import CopyRequest, ModelPart, Order, Plan, SwapRequest
from tests.builders import AUTHOR, a_plan, a_resident, an_operation
from tests.tui.fake_fleet import FakeFleet, screen_text, settled, until
from tests.tui.models_fleet import GEMMA, LLAMA, PHI, QWEN, a_stocked_fleet, holding, ollama

PART = ModelPart(sha256="ab" * 32, size_bytes=16 << 30, name="gemma3.gguf")


class FakeCopies:
    """Reads at once, and writes down what is begun."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, tuple[str, ...]]] = []

    async def read(self, source: str, backend: str, model: str, show: Callable[[float], None]) -> CopyRequest:
        show(0.5)
        return CopyRequest(author=AUTHOR, backend=backend, model=model, source=source, parts=(PART,))

    def start(self, request: CopyRequest, targets: tuple[str, ...]) -> None:
        self.begun.append((f"{request.source}/{request.backend}/{request.model}", targets))


class Opened:
    """The Models view of a fleet, with the selection on the first model and node."""

    def __init__(self, fleet: FakeFleet, app: FleetApp, pilot: Pilot[None], copies: FakeCopies) -> None:
        self.fleet = fleet
        self.app = app
        self.pilot = pilot
        self.copies = copies

    @property
    def view(self) -> ModelsScreen:
        return next(screen for screen in self.app.screen_stack if isinstance(screen, ModelsScreen))

    @property
    def text(self) -> str:
        return screen_text(self.app)

    @property
    def at(self) -> tuple[str, str | None]:
        entry = self.view.entry
        return (entry.name if entry else "", self.view.matrix.node)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def go(self, model: str, node: str) -> None:
        """Select a cell."""
        matrix = self.view.matrix
        matrix.key = next(entry.key for entry in self.view._rows if model in entry.names)
        matrix.node = node
        await self.pilot.pause()

    async def until(self, holds: Callable[[], bool]) -> None:
        await until(self.pilot, holds)


@asynccontextmanager
async def models(
    fleet: FakeFleet | None = None, size: tuple[int, int] = (100, 30), *, readonly: bool = False
) -> AsyncIterator[Opened]:
    fleet = fleet or a_stocked_fleet()
    app = fleet.app(readonly=readonly)
    copies = FakeCopies()
    app._copies = copies  # type: ignore[assignment]  # stands for those that need real nodes
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, ModelsScreen) and app.screen.entry is not None)
        yield Opened(fleet, app, pilot, copies)


async def test_the_selection_moves_among_models_and_nodes_and_stays_in_the_matrix() -> None:
    async with models() as opened:
        assert opened.at == ("deepseek-r1:671b", "head-primary")
        await opened.press("down", "j", "right", "right")
        assert opened.at == ("llama3.3:70b", "worker-primary")
        await opened.press("k", "left", "left", "left")
        assert opened.at == ("gemma3:27b", "head-primary")
        await opened.press("G", "up")
        assert opened.at[0] == "qwen3:32b"
        await opened.press("g", "pagedown", "down")
        assert opened.at[0] == "SmolLM2-135M-Instruct.Q8_0"
        for _ in range(9):
            await opened.press("right")
        assert opened.at[1] == "laptop-secondary"
        assert "down" in opened.text


async def test_the_selection_and_the_order_survive_what_the_nodes_say() -> None:
    async with models() as opened:
        await opened.go("phi4:14b", "laptop-primary")
        await opened.press("o", "s")
        assert "by size" in opened.text
        assert opened.at[0] == "phi4:14b"
        pulled = holding(ollama(GEMMA, PHI, LLAMA, QWEN))
        opened.fleet.links["laptop-primary"].say(pulled)
        await opened.until(lambda: "● 4k" not in opened.text)
        assert opened.at == ("phi4:14b", "laptop-primary")
        await opened.press("o", "s")
        assert "by size ▼" in opened.text
        assert [entry.size_bytes for entry in opened.view._rows] == sorted(e.size_bytes or 0 for e in opened.view._rows)


async def test_a_filter_narrows_and_escape_clears_it_before_it_leads_back() -> None:
    async with models() as opened:
        await opened.press("slash", *"qwen", "enter")
        assert opened.at[0] == "qwen3:32b"
        assert "1 of 7 models" in opened.text
        await opened.press("escape")
        assert "7 models" in opened.text
        await opened.press("escape")
        assert not isinstance(opened.app.screen, ModelsScreen)


async def test_the_verdict_is_asked_for_once_the_selection_rests_and_never_where_there_is_nothing_to_ask() -> None:
    async with models() as opened:
        asked: list[SwapRequest] = []
        link = opened.fleet.links["head-primary"]
        plan = link.plan

        async def planning(request: Order) -> Plan:
            assert isinstance(request, SwapRequest)
            asked.append(request)
            return await plan(request)

        link.plan = planning  # type: ignore[method-assign]  # to see what is asked
        await opened.press("down", "down", "up")
        await opened.until(lambda: "66G to spare" in opened.text)
        assert [(request.model, request.evict) for request in asked] == [("gemma3:27b", "none")]
        await opened.press("down", "up")
        assert "66G to spare" in opened.text
        await opened.go("llama3.3:70b", "head-primary")
        assert "pinned" in opened.text
        assert "asking" not in opened.text


async def test_s_shows_the_plan_of_exactly_this_model_and_enter_agrees_to_it() -> None:
    async with models() as opened:
        await opened.go("gemma3:27b", "laptop-primary")
        await opened.press("s")
        await opened.until(lambda: isinstance(opened.app.screen, ShowPlan) and "do it" in opened.text)
        assert "gemma3:27b on laptop-primary" in opened.text
        await opened.until(lambda: "needs" in opened.text)
        await opened.press("enter")
        link = opened.fleet.links["laptop-primary"]
        await opened.until(lambda: bool(link.asked))
        (request,) = link.asked
        assert isinstance(request, SwapRequest)
        assert (request.backend, request.model) == ("ollama", "gemma3:27b")


async def test_a_key_that_has_nothing_to_act_on_says_why() -> None:
    async with models() as opened:
        await opened.go("phi4:14b", "head-primary")
        assert opened.view.why_not("unload") == "phi4:14b is not in memory on head-primary"
        assert opened.view.why_not("swap") == "phi4:14b is not on head-primary; pull or copy it first"
        await opened.go("llama3.3:70b", "head-primary")
        assert opened.view.why_not("unload") is None


async def test_marked_cells_are_what_verbs_act_on() -> None:
    async with models() as opened:
        await opened.press("space", "space")
        assert opened.at[0] == "llama3.3:70b"
        assert "2 marked" in opened.text
        chosen = [(one.node.name, one.backend, one.model) for one in opened.view.subjects]
        assert chosen == [
            ("head-primary", "ollama", "deepseek-r1:671b"),
            ("head-primary", "ollama", "gemma3:27b"),
        ]
        await opened.press("asterisk")
        assert "5 marked" in opened.text  # all that the node has
        await opened.press("asterisk")
        assert "marked" not in opened.text


async def test_d_says_that_it_is_the_last_copy_that_is_known_of() -> None:
    async with models() as opened:
        await opened.go("SmolLM2-135M-Instruct.Q8_0", "head-primary")
        assert opened.view.why_not("delete") is not None  # llama.cpp deletes nothing
        await opened.go("nomic-embed-text:latest", "head-secondary")
        await opened.press("D")
        await opened.until(lambda: isinstance(opened.app.screen, TypeName))
        assert "No other node has it as far as is known" in opened.text


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


async def test_a_narrow_pane_lists_the_nodes_below_and_a_tiny_one_still_shows_models() -> None:
    async with models(size=(44, 24)) as opened:
        await opened.go("gemma3:27b", "worker-secondary")
        assert "▸ worker-secondary" in opened.text
        assert "copy 38%" in opened.text
        await opened.pilot.resize_terminal(40, 8)
        await opened.pilot.pause()
        assert "▸ gemma3:27b" in opened.text


async def test_progress_that_comes_in_is_drawn_in_its_cell_alone() -> None:
    async with models() as opened:
        link = opened.fleet.links["worker-secondary"]
        before = opened.view._rows
        link.say(holding(ollama(PHI), operations=(an_operation(progress=0.25),)))
        await opened.until(lambda: opened.text.count("! failed") == 1)  # in the legend
        assert [entry.key for entry in opened.view._rows] == [entry.key for entry in before]
