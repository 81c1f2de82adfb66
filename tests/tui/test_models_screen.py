from __future__ import annotations

from fleetview.screens.models.screen import ModelsScreen
from fleetview.screens.show_plan import ShowPlan
from fleetview.screens.type_name import TypeName
from fleetview_agent.wire import Order, Plan, SwapRequest
from tests.builders import an_operation
from tests.tui.models_fleet import GEMMA, LLAMA, PHI, QWEN, holding, ollama
from tests.tui.models_view import models


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
        assert "1 of 7 ·" in opened.text
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
        await opened.press("space", "escape")  # a step back: the mark, and only then the view
        assert "marked" not in opened.text
        assert opened.view.is_current


async def test_d_says_that_it_is_the_last_copy_that_is_known_of() -> None:
    async with models() as opened:
        await opened.go("SmolLM2-135M-Instruct.Q8_0", "head-primary")
        assert opened.view.why_not("delete") is not None  # llama.cpp deletes nothing
        await opened.go("nomic-embed-text:latest", "head-secondary")
        await opened.press("D")
        await opened.until(lambda: isinstance(opened.app.screen, TypeName))
        assert "No other node has it as far as is known" in opened.text


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
