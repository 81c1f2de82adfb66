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
from fleetview.models.picking import Choice, Settings
from fleetview.present import DASH, age, context, plain
from fleetview.present.operations.plans import leaving, need, verdict
from fleetview.present.text import Line, cut_line, fitting
from fleetview.present.wrapping import flowing, wrapped
from fleetview.widgets.plan_bars import PlanBars
from fleetview.widgets.toned import contents
from fleetview_agent.wire import Keep, Plan

_LABEL_WIDTH = 9


@dataclass(frozen=True)
class Planned:
    """What is shown of a swap that is being considered."""

    node: NodeState
    at: float
    """Monotonic, for ages."""
    row: Choice
    settings: Settings
    plan: Plan | None = None
    """None: not known, or not yet."""

    @property
    def context(self) -> int | None:
        """Tokens: those that were chosen, else those that the node would choose."""
        chosen = self.settings.contexts.get(self.row.name, self.row.context)
        return chosen or (self.plan.context if self.plan else None)

    @property
    def trained(self) -> int | None:
        """Tokens that the model was trained for."""
        return self.row.file.context_length


class PlanView(Vertical):
    """Everything that Enter would agree to."""

    DEFAULT_CSS = """
    PlanView { height: auto; }
    PlanView > Static { height: auto; }
    PlanView.-nothing { visibility: hidden; }
    """

    planned: var[Planned | None] = var(None)
    """None: no model is highlighted."""

    def compose(self) -> ComposeResult:
        """Settings, bars, facts."""
        yield Static(id="settings", markup=False)
        yield PlanBars()
        yield Static(id="facts", markup=False)

    def watch_planned(self, planned: Planned | None) -> None:
        """Show another plan; without a model there is nothing to plan, and the room stays as it is."""
        self.set_class(planned is None, "-nothing")
        with suppress(NoMatches):  # the picker is being closed in this moment
            self.query_one(PlanBars).plan = planned.plan if planned else None
            self._show_facts()

    def on_resize(self) -> None:
        """What is too long for a line is told to its end in another width too."""
        self.call_after_refresh(self._show_facts)

    def _show_facts(self) -> None:
        """Show the facts, each as long as it is, below the others."""
        width = self.size.width or 80
        short = self.screen.has_class("-short")
        turns = settings(self.planned)
        turned = (fitting(turns, width),) if short else flowing(turns, width, _LABEL_WIDTH)
        self.query_one("#settings", Static).update(contents(turned))
        lines = facts(self.planned)
        if short:
            lines = tuple(cut_line(line, width) for line in (lines[-1], lines[1], lines[0]))
        else:
            lines = tuple(part for line in lines for part in wrapped(line, width, indent=_LABEL_WIDTH))
        self.query_one("#facts", Static).update(contents(lines))


def settings(planned: Planned | None) -> tuple[Line, ...]:
    """What the operator can turn: the context, what leaves, and how long it stays."""
    if planned is None:
        return ((("context".ljust(_LABEL_WIDTH), "dim"), (DASH, "dim")),)
    of = f" of {context(planned.trained)}" if planned.trained else ""
    return (
        (
            ("context".ljust(_LABEL_WIDTH), "dim"),
            ("◂ ", "accent"),
            (context(planned.context), "strong"),
            (" ▸", "accent"),
            (of, "dim"),
        ),
        (("evict ", "dim"), *_leavers(planned)),
        (("keep ", "dim"), (kept(planned.settings.keep), "strong")),
    )


def _leavers(planned: Planned) -> Line:
    """The policy, and who leaves by it; or those who were named."""
    evict = planned.settings.evict
    if isinstance(evict, tuple):
        return ((plain(", ".join(map(_short, evict))) or "nobody", "strong"), (" by name", "dim"))
    names = ", ".join(map(_short, planned.plan.evictions)) if planned.plan else ""
    return ((evict, "strong"), *(((f": {plain(names)}", "plain"),) if names else ()))


def _short(name: str) -> str:
    """A `BACKEND/MODEL` without its engine."""
    return name.partition("/")[2] or name


def kept(keep: Keep | None) -> str:
    """How long a model stays after its last answer, in short."""
    if keep is None:
        return "its engine's time"
    return "for good" if keep == "forever" else age(keep)


def facts(planned: Planned | None) -> tuple[Line, ...]:
    """What it needs, who leaves, whether it fits, and by what the room was judged where the node says so."""
    if planned is None or planned.plan is None:
        unknown: Line = ((DASH, "dim"),)
        rows = {"need": unknown, "leaves": unknown, "verdict": unknown}
    else:
        plan = planned.plan
        rows = {
            "need": need(plan),
            "leaves": leaving(plan, planned.node, planned.at) if plan.evictions else (("nothing", "dim"),),
            **({"room": ((plain(plan.room_evidence), "dim"),)} if plan.room_evidence else {}),
            "verdict": verdict(plan),
        }
    return tuple(((label.ljust(_LABEL_WIDTH), "dim"), *row) for label, row in rows.items())
