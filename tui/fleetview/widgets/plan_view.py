"""The plan of the highlighted model: the settings, memory now and after, who leaves, and the verdict."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.css.query import NoMatches
from textual.reactive import var
from textual.widgets import Static

from fleetview.fleet import NodeState
from fleetview.present import DASH, context, plain
from fleetview.present.plans import leaving, need, verdict
from fleetview.present.text import Line
from fleetview.present.wrapping import wrapped
from fleetview.widgets.plan_bars import PlanBars
from fleetview.widgets.toned import contents
from fleetview_agent.wire import Plan

_LABEL_WIDTH = 9


@dataclass(frozen=True)
class Planned:
    """What is shown of a swap that is being considered."""

    node: NodeState
    at: float
    """Monotonic, for ages."""
    context: int | None
    """Tokens that were chosen; None leaves it to the node."""
    trained: int | None
    evict: str
    plan: Plan | None = None
    """None: not known, or not yet."""


class PlanView(Vertical):
    """Everything that Enter would agree to."""

    DEFAULT_CSS = """
    PlanView { height: auto; }
    PlanView > Static { height: auto; }
    """

    planned: var[Planned | None] = var(None)
    """None: no model is highlighted."""

    def compose(self) -> ComposeResult:
        """Settings, bars, facts."""
        yield Static(id="settings", markup=False)
        yield PlanBars()
        yield Static(id="facts", markup=False)

    def watch_planned(self, planned: Planned | None) -> None:
        """Show another plan."""
        with suppress(NoMatches):  # the picker is being closed in this moment
            self.query_one(PlanBars).plan = planned.plan if planned else None
            self.query_one("#settings", Static).update(contents((settings(planned),)))
            self._show_facts()

    def on_resize(self) -> None:
        """What is too long for a line is told to its end in another width too."""
        self.call_after_refresh(self._show_facts)

    def _show_facts(self) -> None:
        """Show the facts, each as long as it is, below the others."""
        lines = facts(self.planned)
        if width := self.size.width:
            lines = tuple(part for line in lines for part in wrapped(line, width, indent=_LABEL_WIDTH))
        self.query_one("#facts", Static).update(contents(lines))


def settings(planned: Planned | None) -> Line:
    """What the operator can turn: the context, and what leaves."""
    if planned is None:
        return ((f"context  {DASH}", "dim"),)
    chosen = planned.context or (planned.plan.context if planned.plan else None)
    trained = f" of {context(planned.trained)}" if planned.trained else ""
    return (
        ("context".ljust(_LABEL_WIDTH), "dim"),
        ("◂ ", "accent"),
        (context(chosen), "strong"),
        (" ▸", "accent"),
        (trained, "dim"),
        ("   evict ", "dim"),
        (planned.evict, "strong"),
    )


def facts(planned: Planned | None) -> tuple[Line, ...]:
    """What it needs, who leaves, whether it fits, and by what the room was judged where the node says so."""
    if planned is None or planned.plan is None:
        unknown: Line = ((DASH, "dim"),)
        rows = {"need": unknown, "leaves": unknown, "verdict": unknown}
    else:
        plan = planned.plan
        rows = {
            "need": need(plan),
            "leaves": leaving(plan, planned.node, planned.at),
            "verdict": verdict(plan),
        }
        if plan.room_evidence:
            rows["room"] = ((plain(plan.room_evidence), "dim"),)
    return tuple(((label.ljust(_LABEL_WIDTH), "dim"), *row) for label, row in rows.items())
