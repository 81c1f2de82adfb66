from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from fleetview.fleet import NodeState
from fleetview.models.elsewhere import Placed
from fleetview.present.operations.dialogs import TYPE_IT, deleting
from fleetview.screens.choose import Choose
from fleetview.screens.confirm import Confirm
from fleetview.screens.pick_model import PickModel
from fleetview.screens.show_plan import ShowPlan
from fleetview.screens.type_name import TypeName
from fleetview.widgets.model_list import ModelList
from fleetview.wishes.changes import keeping
from fleetview_agent.wire import Plan, StopRequest, SwapRequest
from tests.builders import AUTHOR, GIB, a_backend_state, a_model_file, a_node, a_plan, a_resident
from tests.tui.stage import Stage, text_of, until

Compare = Callable[..., bool]
SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])


def a_studio() -> NodeState:
    ollama = a_backend_state(
        "ollama",
        models=(
            a_model_file("qwen3:32b", size_bytes=19 * GIB, context_length=40_960),
            a_model_file("qwen3:235b", size_bytes=132 * GIB),
            a_model_file("gemma3:27b", size_bytes=16 * GIB),
        ),
        resident=(a_resident("gemma3:27b", idle_seconds=720.0),),
    )
    llamacpp = a_backend_state(
        models=(
            a_model_file("SmolLM2-135M-Instruct.Q8_0", size_bytes=145 << 20, quantization="Q8_0", context_length=2048),
            a_model_file("broken", refusal="the header is cut off after 12 bytes"),
        ),
        resident=(a_resident("SmolLM2-135M-Instruct.Q8_0", phase="loading"),),
    )
    return a_node(backends={"ollama": ollama, "llamacpp": llamacpp}, backends_heard_at={})


async def plan(request: SwapRequest) -> Plan:
    if request.model == "qwen3:235b":
        return a_plan(
            request=request,
            evictions=("ollama/gemma3:27b",),
            need_bytes=134 * GIB,
            weights_bytes=132 * GIB,
            memory_after_bytes=158 * GIB,
            verdict="does_not_fit",
            expected_seconds=None,
            refusal="qwen3:235b does not fit on studio: 134G are needed and 109G would be free",
        )
    return a_plan(request=request, evictions=("ollama/gemma3:27b",), confidence="measured", need_bytes=21 * GIB)


async def all_planned(pilot: Pilot[None]) -> None:
    await until(pilot, lambda: len(pilot.app.screen.query_one(ModelList).plans) == 4)


async def refused(pilot: Pilot[None]) -> None:
    await all_planned(pilot)
    await pilot.press("down")
    await until(pilot, lambda: "does not fit on studio" in text_of(pilot.app))


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50), (60, 20), (40, 12)], ids="{0[0]}x{0[1]}".format)
def test_the_picker_with_its_plan(snap_compare: Compare, size: tuple[int, int]) -> None:
    elsewhere = (Placed("head-primary", "ollama", a_model_file("llama3.3:70b", size_bytes=42 * GIB)),)
    app = Stage(PickModel(a_studio(), plan, AUTHOR, lambda: elsewhere))
    assert snap_compare(app, terminal_size=size, run_before=all_planned)


def test_the_picker_with_a_plan_that_is_refused(snap_compare: Compare) -> None:
    assert snap_compare(Stage(PickModel(a_studio(), plan, AUTHOR)), terminal_size=(80, 24), run_before=refused)


def test_the_picker_in_forty_columns(snap_compare: Compare) -> None:
    app = Stage(PickModel(a_studio(), plan, AUTHOR))
    assert snap_compare(app, terminal_size=(40, 24), run_before=all_planned)


def test_asking_before_an_answer_is_cut(snap_compare: Compare) -> None:
    lines = ("2 answers are being written; what has not ended when the waiting time is over is cut.",)
    app = Stage(Confirm("Unload qwen3:32b on studio?", lines, "unload"))
    assert snap_compare(app, terminal_size=(80, 24))


def test_choosing_among_resident_models(snap_compare: Compare) -> None:
    app = Stage(Choose("Unload which model on studio?", ("ollama/gemma3:27b", "llamacpp/SmolLM2-135M")))
    assert snap_compare(app, terminal_size=(80, 24))


async def stopping() -> Plan:
    return a_plan(
        request=StopRequest(author=AUTHOR, backend="ollama"),
        supervisor="launchd agent homebrew.mxcl.ollama (Homebrew)",
        evictions=("ollama/gemma3:27b", "ollama/qwen3:32b"),
        commands=("/opt/homebrew/bin/brew services stop ollama",),
        memory_after_bytes=4 * GIB,
    )


def test_the_plan_of_a_server(snap_compare: Compare) -> None:
    async def planned(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: all(word in text_of(pilot.app) for word in ("brew services stop", "do it")))
        await pilot.resize_terminal(81, 24)
        await pilot.resize_terminal(80, 24)  # what is written twice must come out the same

    app = Stage(ShowPlan("Stop ollama on studio", a_studio(), stopping))
    assert snap_compare(app, terminal_size=(80, 24), run_before=planned)


def test_deleting_a_model_by_its_name(snap_compare: Compare) -> None:
    async def typed(pilot: Pilot[None]) -> None:
        await pilot.press(*"qwen3", "enter")
        await until(pilot, lambda: "That is not" in text_of(pilot.app))

    node = a_studio()
    state = node.backends["ollama"]
    lines = (*deleting(node, state, state.models[0]), TYPE_IT)
    app = Stage(TypeName("Delete qwen3:32b from studio", lines, "its name", "qwen3:32b"))
    assert snap_compare(app, terminal_size=(80, 24), run_before=typed)


def test_how_long_a_model_stays(snap_compare: Compare) -> None:
    node = a_node(backends={"ollama": a_backend_state("ollama", abilities=("pin", "unpin", "keep"))})
    labels = [wish.label for wish in keeping(node, "ollama", a_resident(), AUTHOR)]
    assert snap_compare(Stage(Choose("Keep small on studio", labels)), terminal_size=(80, 24))
