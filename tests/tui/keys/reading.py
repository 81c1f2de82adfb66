"""The keys of dialogs that are read: what is wrong, what is known, what was done, what would be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from textual.widgets import Input

from fleetview.bench.book import Kept
from fleetview.bench.task import Task
from fleetview.present.keys import HelpKey
from fleetview.present.node.health import Finding
from fleetview.present.operations.journal import Entry
from fleetview.present.operations.why import Then, Trouble
from fleetview.screens.batch import Batch
from fleetview.screens.bench import Bench
from fleetview.screens.bulk import Bulk
from fleetview.screens.health import Health
from fleetview.screens.help import Help
from fleetview.screens.results import Results
from fleetview.screens.show_operation import ShowOperation
from fleetview.screens.show_plan import ShowPlan
from fleetview.screens.why import Why
from fleetview.wishes.batch import Target
from fleetview.wishes.subject import Subject
from fleetview_agent.wire import Operation, Order, Plan
from tests.builders import a_backend_state, a_node, a_plan, a_resident, an_operation, an_unload_request
from tests.tui.fake_link import AT
from tests.tui.keys.pressing import Row, Scene, is_shown, is_told
from tests.tui.keys.staging import a_desk, answered, dialog, longer_than, of_dialog, scrolled, scrolls, shows, top

MANY = 40
LOG = tuple(f"line {number}" for number in range(MANY))
NODES = {f"node-{number}": a_node(f"node-{number}") for number in range(MANY)}
TARGETS = tuple(Target(name, an_unload_request()) for name in NODES)
FAILED = an_operation(phase="ready", result="failed", cause="out of memory", ended_at=AT, log=LOG)
COMMAND = "fleetview swap studio large"
CROWD = a_node(backends={"llamacpp": a_backend_state(resident=tuple(a_resident(line) for line in LOG))})


async def plan(_node: str, request: Order) -> Plan:
    return a_plan(request=request, evictions=())


async def swap() -> Plan:
    return a_plan(evictions=tuple(f"llamacpp/{line}" for line in LOG))


async def operate(_node: str, _request: Order) -> str:
    return "op-1"


async def journal(_node: str, _limit: int) -> tuple[Operation, ...]:
    return ()


async def measure(_task: Task, tell: Callable[[str], None]) -> Kept:
    tell("run 1 of 3")
    return await asyncio.Future()


def a_batch() -> Batch:
    batch = Batch("unload", TARGETS, operate, journal)
    batch.rows = tuple(replace(row, problem="it is not connected") for row in batch.rows)
    return batch


def results() -> Results:
    batch = a_batch()
    return Results("Unload", batch, batch.forget_failures)


def planned(scene: Scene) -> bool:
    """Every plan is there, and more of them than can be seen."""
    return bool(of_dialog(scene, "_seen")) and bool(longer_than("#targets")(scene))


READ = (
    dialog(
        "ShowOperation",
        lambda: ShowOperation(Entry("studio", FAILED), COMMAND),
        longer_than("#operation"),
        *scrolls("#operation"),
        Row("y", is_told(f"copied: {COMMAND}")),
        Row("escape backspace q enter", answered(None)),
        home=top("#operation"),
    ),
    dialog(
        "ShowPlan",
        lambda: ShowPlan("Swap on studio", a_node(), swap),
        longer_than("#plan", 6),
        Row("down j", scrolled("#plan", 3)),
        Row("up k", scrolled("#plan", 0), first=("down",)),
        Row("enter", answered(True)),
        Row("escape n q", answered(False)),
        size=(40, 8),
    ),
    dialog(
        "Bulk",
        lambda: Bulk("Unload", lambda _: TARGETS, plan, NODES, 100.0, evicts=True),
        planned,
        *scrolls("#targets"),
        Row("tab", shows("what leaves: none")),
        Row("enter", is_shown("Confirm")),
        Row("escape n q", answered(None)),
        home=top("#targets"),
    ),
    dialog(
        "Bench",
        lambda: Bench((Subject(CROWD),), measure),
        longer_than("#rows"),
        *scrolls("#rows"),
        Row("tab left right", shows("prompts of 512 tokens")),
        Row("enter", shows("run 1 of 3")),
        Row("escape q", answered(None)),
        home=top("#rows"),
    ),
    dialog(
        "Results",
        results,
        longer_than("#rows"),
        *scrolls("#rows"),
        Row("r", lambda scene: not of_dialog(scene, "_batch").failed),
        Row("escape backspace q enter", answered(None)),
        home=top("#rows"),
    ),
    dialog(
        "Help",
        lambda: Help(tuple(HelpKey((str(number),), line) for number, line in enumerate(LOG))),
        longer_than("#help"),
        *scrolls("#help"),
        Row("slash", lambda scene: isinstance(scene.app.focused, Input)),
        Row("escape backspace q question_mark enter", answered(None)),
        openings=((), ("slash", "a", "b")),
        home=top("#help"),
    ),
    dialog(
        "Health",
        lambda: Health("studio", tuple(Finding("wrong", "figures", line) for line in LOG)),
        longer_than("#health"),
        *scrolls("#health"),
        Row("escape backspace q h enter", answered(None)),
        home=top("#health"),
    ),
    dialog(
        "Why",
        lambda: Why(a_desk(), Trouble("studio", "swap llamacpp/large", " ".join(LOG), LOG), Then()),
        longer_than("#why"),
        *scrolls("#why"),
        Row("escape backspace q enter exclamation_mark", answered(None)),
        home=top("#why"),
    ),
)
