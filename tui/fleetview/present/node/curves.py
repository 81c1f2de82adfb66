"""What a node's figures were over minutes, an hour or two days, as columns of a picture."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from fleetview.fleet import HISTORY_SECONDS, NodeState
from fleetview.present import measures
from fleetview.present.figures import columns
from fleetview.present.measures import Reading
from fleetview.present.numbers import age, celsius, percent, rate, size, watts
from fleetview.present.text import DASH
from fleetview_agent.wire import History, HistoryCurve, Operation, Sample

_HOUR = 3600.0


@dataclass(frozen=True)
class Stretch:
    """A time that charts reach back, up to now."""

    seconds: float
    step_seconds: int | None = None
    """Of the node's history; None: what was heard while we listened."""

    @property
    def name(self) -> str:
        """How long it is, in a word."""
        return "48 h" if self.seconds > 24 * _HOUR else age(self.seconds)


STRETCHES = (Stretch(HISTORY_SECONDS), Stretch(_HOUR, 60), Stretch(48 * _HOUR, 600))
"""Shortest first; a step is no longer than a cell of a wide terminal, and no shorter than the agent's rest."""


@dataclass(frozen=True)
class Past:
    """What charts are drawn of."""

    stretch: Stretch = STRETCHES[0]
    history: History | None = None
    lack: str | None = None
    """Why there is no history; None while it is on its way."""
    keys: str = ""
    """What to press for another stretch."""
    journal: tuple[Operation, ...] = ()
    """Ended operations of the node, as far as they were read."""
    unread: str | None = None
    """Why its journal could not be read; None where it was."""


LIVE = Past()


def _words_of_flow(value: float | None) -> str:
    """Bytes per second."""
    return DASH if value is None else f"{size(value)}/s"


@dataclass(frozen=True)
class Curve:
    """One figure over time."""

    label: str
    name: str
    """In the node's history."""
    reading: Reading
    word: Callable[[float | None], str]
    """How its values are written."""
    top: float | None = None
    """What reaches the top of the picture; None: its highest value."""


@dataclass(frozen=True)
class Values:
    """What is known of a figure over a stretch of time."""

    columns: tuple[float | None, ...]
    low: float | None
    high: float | None


def _curves(node: NodeState) -> tuple[Curve, ...]:
    """The figures that have a chart."""
    memory = node.machine.memory_bytes if node.machine else None
    limit = node.sample.gpu_memory_limit_bytes if node.sample else None
    return (
        Curve("GPU", "gpu_ratio", lambda one: one.gpu_ratio, percent, 1.0),
        Curve("CPU", "cpu_ratio", lambda one: one.cpu_ratio, percent, 1.0),
        Curve("memory", "memory_used_bytes", measures.memory_used, size, memory),
        Curve("GPU memory", "gpu_memory_used_bytes", lambda one: one.gpu_memory_used_bytes, size, limit),
        Curve("swapping", "swap_bytes_per_second", lambda one: one.swap_bytes_per_second, _words_of_flow),
        Curve("GPU heat", "gpu_celsius", lambda one: one.gpu_celsius, celsius, 110.0),
        Curve("power", "power_watts", lambda one: one.power_watts, watts),
        Curve("tokens/s", "generation_tokens_per_second", measures.tokens_per_second, rate),
    )


def known(node: NodeState, past: Past, width: int) -> tuple[tuple[Curve, Values], ...]:
    """Every figure of which anything is known, with what that is, in `width` columns."""
    found = (
        (curve, _of_past(past, node.samples, curve, width) if past.history else _live(node.samples, curve, width))
        for curve in _curves(node)
    )
    now = node.samples[-1]
    return tuple((one, values) for one, values in found if values.high is not None or one.reading(now) is not None)


def _live(samples: tuple[Sample, ...], curve: Curve, width: int) -> Values:
    """What was heard of a figure."""
    heard = [value for one in samples if (value := curve.reading(one)) is not None]
    return Values(columns(samples, curve.reading, width), min(heard, default=None), max(heard, default=None))


def _of_past(past: Past, samples: tuple[Sample, ...], curve: Curve, width: int) -> Values:
    """What the node's history has of a figure, and what was heard since."""
    assert past.history is not None
    live = _live(samples, curve, width)
    found = past.history.figures.get(curve.name, HistoryCurve(mean=(), high=()))
    lows = (*found.mean, live.low)
    highs = (*found.high, live.high)
    return Values(
        in_columns(past.history, found.mean, past.stretch.seconds, width),
        min((value for value in lows if value is not None), default=None),
        max((value for value in highs if value is not None), default=None),
    )


def in_columns(
    history: History, values: tuple[float | None, ...], seconds: float, width: int
) -> tuple[float | None, ...]:
    """The values of a history's steps as `width` means over the last `seconds` of it, newest last.

    Columns begin at round times, so that a picture moves as a whole. One that is narrower than a step shows the step
    that it lies in; one without a known step is a gap.
    """
    if width <= 0:
        return ()
    step, column = max(history.step_seconds, 1.0), seconds / width
    newest = _newest(history, len(values), column)
    means: list[float | None] = []
    for place in range(width):
        begin = ((newest - width + 1 + place) * column - history.began_at) / step
        covered = values[max(0, math.floor(begin)) : max(0, math.ceil(begin + column / step))]
        steps = [value for value in covered if value is not None]
        means.append(sum(steps) / len(steps) if steps else None)
    return tuple(means)


def _newest(history: History, steps: int, column: float) -> int:
    """Which column of so many seconds, counted from the beginning of time, is the last one of a history."""
    return math.ceil((history.began_at + steps * max(history.step_seconds, 1.0)) / column) - 1


def place(past: Past, newest: float, at: float, width: int) -> int | None:
    """The column in which a time lies, where the newest reading is of the time `newest`; None: in none of them.

    All three times are by the node's clock. What came after the newest reading is in the last column, unless it came
    so much later that the clock must have been set.
    """
    if width <= 0 or at > newest + past.stretch.seconds / 2:
        return None
    column = past.stretch.seconds / width
    last = math.floor(newest / column)
    if past.history:
        steps = max((len(curve.mean) for curve in past.history.figures.values()), default=0)
        last = _newest(past.history, steps, column)
    found = width - 1 - (last - math.floor(at / column))
    return min(found, width - 1) if found >= 0 else None
