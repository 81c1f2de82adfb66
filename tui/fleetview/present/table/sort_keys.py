"""What rows are put in order by."""

from __future__ import annotations

from collections.abc import Callable

from fleetview.fleet import NodeState
from fleetview.present import measures
from fleetview.present.table.column import Key, SortKey

TROUBLE = ("up", "busy", "connecting", "stale", "degraded", "down")
PRESSED = ("normal", "warning", "critical")
THERMAL = ("nominal", "moderate", "heavy", "trapping", "sleeping")
"""Words of which the later ones are worse."""


def by_number(read: Callable[[NodeState], float | None]) -> SortKey:
    """Put in order by a number."""

    def key(node: NodeState) -> Key | None:
        value = read(node)
        return None if value is None else (value, "")

    return key


def by_text(read: Callable[[NodeState], str | None]) -> SortKey:
    """Put in order by a text."""

    def key(node: NodeState) -> Key | None:
        text = read(node)
        return None if text is None else (0.0, text.casefold())

    return key


def by_reading(name: str) -> SortKey:
    """Put in order by a figure of the sample."""
    return by_number(lambda node: getattr(node.sample, name, None))


def load(node: NodeState) -> float | None:
    """What the GPU column shows."""
    return getattr(node.sample, "gpu_ratio" if measures.has_gpu(node) else "cpu_ratio", None)


def by_rank(order: tuple[str, ...], read: Callable[[NodeState], str | None]) -> SortKey:
    """Put in order by a word of which some are worse than others."""

    def key(node: NodeState) -> Key | None:
        word = read(node)
        return (float(order.index(word)), "") if word in order else None

    return key
