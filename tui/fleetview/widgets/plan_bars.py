"""Memory now and after, as two bars that can be compared at a glance."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from fleetview.present.operations.plans import of_limit, used_bar
from fleetview.present.text import Line
from fleetview.widgets.toned import contents
from fleetview_agent.wire import Plan

_LABEL_WIDTH = 9
_FIGURE_WIDTH = 16
_SMALLEST_BAR = 8
"""A shorter one says nothing; the figures stay."""


class PlanBars(Widget):
    """What a plan does to the memory of its node."""

    DEFAULT_CSS = """
    PlanBars { height: 2; width: 1fr; }
    """

    plan: reactive[Plan | None] = reactive(None)
    """None: not known, or not yet."""

    def render(self) -> Content:
        """Both bars, to the same scale, with their figures in one column."""
        plan, width = self.plan, self.size.width
        if plan is None:
            return contents((_row("now", None, None, width), _row("after", None, None, width)))
        limit = plan.memory_limit_bytes
        return contents(
            (
                _row("now", plan.memory_before_bytes, limit, width),
                _row("after", plan.memory_after_bytes, limit, width),
            )
        )


def _row(label: str, used: int | None, limit: int | None, width: int) -> Line:
    """Label, bar and figure."""
    figure: Line = ((of_limit(used, limit).rjust(_FIGURE_WIDTH), "plain"),)
    room = width - _LABEL_WIDTH - _FIGURE_WIDTH
    start: Line = ((label.ljust(_LABEL_WIDTH), "dim"),)
    return (*start, *used_bar(used, limit, room), *figure) if room >= _SMALLEST_BAR else (*start, *figure)
