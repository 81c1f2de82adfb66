"""What a machine's figures were, for charts."""

from __future__ import annotations

from collections.abc import Mapping

from fleetview_agent.wire.base import Wire


class HistoryCurve(Wire):
    """One figure over time; a step in which it was not read is None."""

    mean: tuple[float | None, ...]
    """Of each step, oldest first; every ten seconds in which it was read weigh the same."""
    high: tuple[float | None, ...]
    """The highest reading of each step."""


class History(Wire):
    """Figures in steps of equal length."""

    began_at: float
    """Where the first step begins."""
    step_seconds: float
    figures: Mapping[str, HistoryCurve]
    """Field of `Sample` → its curve; besides `pressure` as 0, 1 or 2, and over all models of the node `in_flight`,
    `generation_tokens_per_second` and `prompt_tokens_per_second`. A figure that was never read is left out."""
