"""Symbols and words for the state of a node and its memory; each looks different without its colour."""

from __future__ import annotations

from collections.abc import Mapping

from fleetview.fleet import Condition
from fleetview.present.text import DASH, Line, Span, Tone

SYMBOLS: Mapping[Condition, Span] = {
    "up": ("●", "good"),
    "busy": ("◐", "accent"),
    "degraded": ("!", "hot"),
    "stale": ("◌", "warm"),
    "down": ("○", "hot"),
    "connecting": ("…", "dim"),
}
PRESSURES: Mapping[str | None, tuple[str, Tone]] = {
    "normal": ("normal", "dim"),
    "warning": ("warning", "warm"),
    "critical": ("critical", "hot"),
    None: (DASH, "dim"),
}
MARK = "*"
"""Stands beside a marked row, and is the key that marks all of them."""


_DRAWN: frozenset[Tone] = frozenset({"bar", "bar-warm", "bar-hot", "spark"})


def dimmed(line: Line) -> Line:
    """The line in the tone of what is old; pictures, of which more is seen than of text, are quieter still."""
    return tuple((text, "off" if tone in _DRAWN else "dim") for text, tone in line)
