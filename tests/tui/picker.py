"""A picker on a stage, with a node that plans what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual.pilot import Pilot

from fleetview.fleet import NodeState
from fleetview.messages import RequestFailed
from fleetview.screens.pick_model import PickModel
from fleetview.widgets.model_list import ModelList
from fleetview.widgets.plan_view import PlanView
from fleetview_agent.wire import Plan, SwapRequest
from tests.builders import AUTHOR, GIB, a_backend_state, a_model_file, a_node, a_plan, a_resident
from tests.tui.stage import Stage, until


class Planner:
    """Answers with plans, keeps what it was asked, and fails or waits where it is told to."""

    def __init__(self, **changes: object) -> None:
        self.asked: list[SwapRequest] = []
        self.changes = changes
        self.failing: set[str] = set()
        self.held: set[str] = set()
        self.released = asyncio.Event()

    async def __call__(self, request: SwapRequest) -> Plan:
        self.asked.append(request)
        if request.model in self.failing:
            raise RequestFailed("studio does not answer", "it is tried again by itself")
        if request.model in self.held:
            await self.released.wait()
        context = request.options.context or 4096
        return a_plan(request=request, context=context, **self.changes)


def a_full_node(**changes: object) -> NodeState:
    files = (
        a_model_file("small"),
        a_model_file("large", size_bytes=40 * GIB, context_length=40_960),
        a_model_file("large-coder", size_bytes=41 * GIB),
        a_model_file("broken", refusal="the header is cut off"),
    )
    state = a_backend_state(models=files, resident=(a_resident(**changes),))
    return a_node(backends={state.backend: state})


def a_picker(planner: Planner, node: NodeState | None = None) -> Stage[SwapRequest]:
    return Stage(PickModel(node or a_full_node(), planner, AUTHOR))


def chosen(app: Stage[SwapRequest]) -> str | None:
    choice = app.shown.query_one(ModelList).choice
    return choice.file.name if choice else None


def planned(app: Stage[SwapRequest]) -> Callable[[], bool]:
    def holds() -> bool:
        shown = app.shown.query_one(PlanView).planned
        return shown is not None and shown.plan is not None

    return holds


async def ready(pilot: Pilot[None], app: Stage[SwapRequest], name: str) -> None:
    """Wait until the plan of a model is shown."""
    await until(pilot, lambda: chosen(app) == name and planned(app)())
