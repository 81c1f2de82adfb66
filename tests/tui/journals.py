"""A fleet whose nodes have something in their journals."""

from __future__ import annotations

from textual.pilot import Pilot

from fleetview.app import FleetApp
from fleetview.screens.journal import JournalScreen
from fleetview.widgets.row_list import RowList
from fleetview_agent.wire import Operation, PhaseTime
from tests.builders import a_swap_request, an_operation, an_unload_request
from tests.tui.fake_fleet import AT, FakeFleet, settled, until


def ended(operation_id: str, ago: float, **changes: object) -> Operation:
    """A swap that ended so many seconds before the newest sample."""
    at = AT + 119 - ago
    done = {"result": "done", "inverse": an_unload_request("large")}
    return an_operation(id=operation_id, phase="ready", queued_at=at - 12, ended_at=at, **{**done, **changes})


FAILED = {
    "result": "failed",
    "inverse": None,
    "cause": "exit status 137: killed while it read the weights",
    "log": ("llama_model_load: error loading model", "out of memory"),
    "phases": (PhaseTime(phase="plan", seconds=0.01), PhaseTime(phase="load", seconds=8.1)),
}


def write(fleet: FakeFleet) -> None:
    """Give the nodes something to tell."""
    links = fleet.links
    links["head-primary"].journaled = (ended("a", 19), ended("b", 4000, request=a_swap_request("qwen3:235b"), **FAILED))
    links["head-secondary"].journaled = (
        ended("c", 300, result="rolled_back", cause="the engine ran out of memory", inverse=None),
        ended("d", 90_000, request=an_unload_request("small"), evictions=()),
    )
    links["worker-secondary"].journaled = (ended("e", 60, result="interrupted", cause="the agent ended"),)
    links["laptop-primary"].journaled = (ended("f", 200_000, undoes="e", inverse=None),)


def rows(app: FleetApp) -> RowList:
    return app.screen.query_one(RowList)


def keys(app: FleetApp) -> tuple[object, ...]:
    """Node and id of each row."""
    return rows(app)._keys


async def opened(pilot: Pilot[None], app: FleetApp, fleet: FakeFleet, amount: int = 8) -> None:
    """Wait for the journal with everything in it."""
    await settled(pilot)
    write(fleet)
    await pilot.press("5")
    await until(pilot, lambda: isinstance(app.screen, JournalScreen) and len(keys(app)) == amount)
