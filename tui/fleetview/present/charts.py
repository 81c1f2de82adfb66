"""Charts of a node: what its figures were over minutes, an hour or two days.

A line is made of means. A live chart tells the lowest and the highest reading. Of the node's history the lowest mean of
a step is told, and the highest reading; what was heard in the last two minutes counts for both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from fleetview.fleet import HISTORY_SECONDS, NodeState
from fleetview.present import measures
from fleetview.present.figures import columns, sparkline
from fleetview.present.measures import Reading
from fleetview.present.numbers import age, celsius, percent, rate, size, watts
from fleetview.present.text import DASH, Line, Span, Tone, joined, left, plain, right
from fleetview.present.wrapping import wrapped
from fleetview_agent.wire import History, HistoryCurve, Sample

_LABEL = 13
_FIGURE = 8
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


LIVE = Past()
_WORDS: dict[str, Callable[[float | None], str]] = {
    "percent": percent,
    "size": size,
    "watts": watts,
    "celsius": celsius,
    "rate": rate,
    "flow": lambda value: DASH if value is None else f"{size(value)}/s",
}


@dataclass(frozen=True)
class Curve:
    """One figure over time."""

    label: str
    name: str
    """In the node's history."""
    reading: Reading
    word: str
    """How its values are written: one of `_WORDS`."""
    top: float | None = None
    """What reaches the top of the picture; None: its highest value."""


@dataclass(frozen=True)
class _Values:
    """What is known of a figure over a stretch of time."""

    columns: tuple[float | None, ...]
    low: float | None
    high: float | None


def _curves(node: NodeState) -> tuple[Curve, ...]:
    """The figures that have a chart."""
    memory = node.machine.memory_bytes if node.machine else None
    limit = node.sample.gpu_memory_limit_bytes if node.sample else None
    return (
        Curve("GPU", "gpu_ratio", lambda one: one.gpu_ratio, "percent", 1.0),
        Curve("CPU", "cpu_ratio", lambda one: one.cpu_ratio, "percent", 1.0),
        Curve("memory", "memory_used_bytes", measures.memory_used, "size", memory),
        Curve("GPU memory", "gpu_memory_used_bytes", lambda one: one.gpu_memory_used_bytes, "size", limit),
        Curve("swapping", "swap_bytes_per_second", lambda one: one.swap_bytes_per_second, "flow"),
        Curve("GPU heat", "gpu_celsius", lambda one: one.gpu_celsius, "celsius", 110.0),
        Curve("power", "power_watts", lambda one: one.power_watts, "watts"),
        Curve("tokens/s", "generation_tokens_per_second", measures.tokens_per_second, "rate"),
    )


def charts(node: NodeState, past: Past, width: int) -> tuple[Line, ...]:
    """A line for every figure of which anything is known, and the axis of time below them."""
    if not node.samples:
        return ((("no figures yet", "dim"),),)
    room = max(0, width - _LABEL - 3 * _FIGURE)
    if (told := _no_history(past)) is not None:
        why = wrapped((told,), width - 2)
        return (left(_head(past), _LABEL + room), *((("  ", "plain"), *line) for line in why))
    lines = [_drawn(node.samples[-1], curve, values, room) for curve, values in _known(node, past, room - 1)]
    figures = (span for word in ("now", "low", "high") for span in right(((word, "heading"),), _FIGURE))
    return ((*left(_head(past), _LABEL + room), *figures), *lines, _axis(past.stretch, room - 1))


def _no_history(past: Past) -> Span | None:
    """What to say in place of charts; None where there is something to draw."""
    if past.stretch.step_seconds is None or (past.history and past.history.figures):
        return None
    if past.history:
        return "no history: its agent could not write it down, and says why in its log", "warm"
    return (f"no history: {plain(past.lack)}", "warm") if past.lack else ("asking for its history …", "dim")


def _head(past: Past) -> Line:
    """Which stretch of time is shown, and which others there are."""
    names: list[Line] = [((one.name, "strong" if one == past.stretch else "dim"),) for one in STRETCHES]
    return (("last ", "heading"), *joined(tuple(names)), (f"  {past.keys}" if past.keys else "", "accent"))


def _axis(stretch: Stretch, width: int) -> Line:
    """When the left edge was, the middle, and the right one; where there is no room for the middle, not that."""
    begin, middle, end = f"{stretch.name} ago", f"{_half(stretch)} ago", "now"
    half = width // 2
    if len(begin) < half and len(middle) + len(end) < width - half:
        begin += " " * (half - len(begin)) + middle
    return ((" " * _LABEL, "plain"), (begin + end.rjust(max(0, width - len(begin))), "dim"))


def _half(stretch: Stretch) -> str:
    """Half as long, in the same unit."""
    amount, unit = stretch.name.split()
    return f"{int(amount) // 2} {unit}" if int(amount) > 1 else age(stretch.seconds / 2)


def _known(node: NodeState, past: Past, width: int) -> tuple[tuple[Curve, _Values], ...]:
    """Every figure of which anything is known, with what that is."""
    found = (
        (curve, _of_past(past, node.samples, curve, width) if past.history else _live(node.samples, curve, width))
        for curve in _curves(node)
    )
    now = node.samples[-1]
    return tuple((one, values) for one, values in found if values.high is not None or one.reading(now) is not None)


def _live(samples: tuple[Sample, ...], curve: Curve, width: int) -> _Values:
    """What was heard of a figure."""
    known = [value for one in samples if (value := curve.reading(one)) is not None]
    return _Values(columns(samples, curve.reading, width), min(known, default=None), max(known, default=None))


def _of_past(past: Past, samples: tuple[Sample, ...], curve: Curve, width: int) -> _Values:
    """What the node's history has of a figure, and what was heard since."""
    assert past.history is not None
    live = _live(samples, curve, width)
    found = past.history.figures.get(curve.name, HistoryCurve(mean=(), high=()))
    lows = (*found.mean, live.low)
    highs = (*found.high, live.high)
    return _Values(
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
    newest = math.ceil((history.began_at + len(values) * step) / column) - 1
    means: list[float | None] = []
    for place in range(width):
        begin = ((newest - width + 1 + place) * column - history.began_at) / step
        covered = values[max(0, math.floor(begin)) : max(0, math.ceil(begin + column / step))]
        known = [value for value in covered if value is not None]
        means.append(sum(known) / len(known) if known else None)
    return tuple(means)


def _drawn(now: Sample, curve: Curve, values: _Values, room: int) -> Line:
    """Label, picture, and the figures now, lowest and highest."""
    word = _WORDS[curve.word]
    top = curve.top or max((value for value in values.columns if value is not None), default=0.0)
    figures = (word(curve.reading(now)), word(values.low), word(values.high))
    tones: tuple[Tone, ...] = ("strong", "dim", "dim")
    numbers = (span for text, tone in zip(figures, tones, strict=True) for span in right(((text, tone),), _FIGURE))
    picture = left(((sparkline(values.columns, top).rjust(max(0, room - 1)), "spark"),), room)
    return (*left(((f"  {curve.label}", "dim"),), _LABEL), *picture, *numbers)
