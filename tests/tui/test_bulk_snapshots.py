"""Pictures of the dialogs over several nodes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from fleetview.screens.batch import Batch
from fleetview.screens.bulk import Bulk
from fleetview.screens.results import Results
from fleetview.wishes.batch import Row, Target
from fleetview_agent.wire import Order, Plan, SwapRequest, UnloadRequest
from tests.builders import AUTHOR, a_node, a_plan, an_operation
from tests.tui.stage import Stage, until

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
SWAP = SwapRequest(author=AUTHOR, backend="ollama", model="qwen3:32b")
UNLOAD = UnloadRequest(author=AUTHOR, backend="ollama", model="gemma3:27b")
NODES = {name: a_node(name) for name in ("head-primary", "head-secondary", "laptop-primary", "laptop-secondary")}


async def plan(node: str, request: Order) -> Plan:
    short = "qwen3:32b does not fit on laptop-primary: 21G are needed and 9.0G would be free"
    refused = node == "laptop-primary"
    return a_plan(request=request, evictions=("llamacpp/small",), refusal=short if refused else None)


def make(evict: str) -> tuple[Target, ...]:
    swap = SWAP.model_copy(update={"evict": evict})
    asked = tuple(Target(name, swap) for name in tuple(NODES)[:3])
    return (*asked, Target("laptop-secondary", refusal="not connected: no route to host"))


@SIZES
def test_what_would_be_done_on_every_node(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    async def planned(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: isinstance(pilot.app.screen, Bulk) and pilot.app.screen._seen)

    app = Stage(Bulk("Swap in qwen3:32b on 4 nodes", make, plan, NODES, 100.0, evicts=True))
    assert snap_compare(app, terminal_size=size, run_before=planned)


@SIZES
def test_what_has_come_of_it_failures_first(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    targets = tuple(Target(name, UNLOAD) for name in NODES)
    batch = Batch("unload", targets, None, None)  # type: ignore[arg-type]  # nobody is asked
    running = an_operation(request=UNLOAD, phase="drain", progress=None)
    done, failed = (running.model_copy(update={"result": result}) for result in ("done", "failed"))
    batch.rows = (
        Row(targets[0], "op-1", done),
        Row(targets[1], "op-1", running),
        Row(targets[2], "op-1", failed.model_copy(update={"cause": "the engine does not answer: restart it with a"})),
        Row(targets[3], "op-1", running, lost="no route to host"),
        Row(Target("worker", refusal="ollama/gemma3:27b is not in memory")),
    )
    app = Stage(Results("Unload: results", batch, lambda: None))
    assert snap_compare(app, terminal_size=size)
