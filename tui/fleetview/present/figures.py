"""Small pictures made of characters: bars and sparklines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fleetview.fleet import HISTORY_SECONDS
from fleetview.present.measures import Reading
from fleetview.present.text import Line, Tone

if TYPE_CHECKING:
    from fleetview_agent.wire import Sample

EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")
STEPS = "▁▂▃▄▅▆▇█"
_CARRIED = 2
"""Columns without a reading of their own that the last one fills."""


def bar(ratio: float | None, width: int, tone: Tone = "bar") -> Line:
    """A filled part of `width` cells; empty and dim when the ratio is unknown."""
    if ratio is None:
        return ((" " * width, "dim"),)
    eighths = round(min(1.0, max(0.0, ratio)) * width * 8)
    if ratio > 0:
        eighths = max(1, eighths)  # little is not nothing
    filled = "█" * (eighths // 8) + EIGHTHS[eighths % 8]
    return ((filled.ljust(width), tone),)


def columns(samples: tuple[Sample, ...], reading: Reading, width: int) -> tuple[float | None, ...]:
    """The readings of the last two minutes as `width` means, newest last.

    Columns begin at round times, so that a picture moves when a new column begins and not with every reading.
    """
    if not samples or width <= 0:
        return ()
    seconds = HISTORY_SECONDS / width
    newest = math.floor(samples[-1].at / seconds)
    sums = [0.0] * width
    counts = [0] * width
    for sample in samples:
        place = width - 1 - (newest - math.floor(sample.at / seconds))
        if 0 <= place < width and (value := reading(sample)) is not None:
            sums[place] += value
            counts[place] += 1
    return _carry(tuple(amount / number if number else None for amount, number in zip(sums, counts, strict=True)))


def _carry(values: tuple[float | None, ...]) -> tuple[float | None, ...]:
    """The values with small gaps filled, as a slow sampler or a narrow column leaves them."""
    filled: list[float | None] = []
    gap = 0
    for value in values:
        gap = 0 if value is not None else gap + 1
        filled.append(filled[-1] if value is None and filled and gap <= _CARRIED else value)
    return tuple(filled)


def sparkline(values: tuple[float | None, ...], top: float) -> str:
    """One character for each value, from zero to `top`; a gap where nothing is known."""
    return "".join(" " if value is None or not math.isfinite(value) else STEPS[_step(value, top)] for value in values)


def _step(value: float, top: float) -> int:
    """Which of the eight heights fits."""
    if not 0 < top < math.inf:  # nor is what is no number
        return 0
    return min(len(STEPS) - 1, max(0, int(value / top * len(STEPS))))
