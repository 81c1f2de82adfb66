"""What rows are put in order by."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fleetview.fleet import NodeState
from fleetview.present import measures
from fleetview.present.table.column import Key, SortKey

if TYPE_CHECKING:
    from fleetview_agent.wire import Sample

TROUBLE = ("up", "busy", "connecting", "stale", "degraded", "down")
PRESSED = ("normal", "warning", "critical")
THERMAL = ("nominal", "moderate", "heavy", "trapping", "sleeping")
"""Words of which the later ones are worse."""
STEADY_SECONDS = 60.0
"""What comes and goes with every answer is put in order by its mean over so long."""


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


def by_mean(read: Callable[[NodeState, Sample], float | None]) -> SortKey:
    """Put in order by the mean of the last minute of a figure; unknown where it is not known of now."""

    def key(node: NodeState) -> Key | None:
        if node.sample is None or read(node, node.sample) is None:
            return None
        since = node.sample.at - STEADY_SECONDS
        recent = (read(node, sample) for sample in node.samples if sample.at > since)
        known = [value for value in recent if value is not None]
        return (sum(known) / len(known), "")

    return key


def load(node: NodeState, sample: Sample) -> float | None:
    """What the GPU column shows."""
    return sample.gpu_ratio if measures.has_gpu(node) else sample.cpu_ratio


def by_rank(order: tuple[str, ...], read: Callable[[NodeState], str | None]) -> SortKey:
    """Put in order by a word of which some are worse than others."""

    def key(node: NodeState) -> Key | None:
        word = read(node)
        return (float(order.index(word)), "") if word in order else None

    return key
