"""Figures as the scripts print them, and the machine they are of."""

from __future__ import annotations

import math
import os
import platform
import statistics
from collections.abc import Sequence


def share(values: Sequence[float], ratio: float) -> float:
    """The smallest value that is not exceeded by this share of all, so that p99 was really measured."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(ratio * len(ordered)) - 1)]


def times(seconds: Sequence[float]) -> str:
    """Median, p90, p99 and the largest of measured times, in milliseconds."""
    named = {
        "p50": statistics.median(seconds),
        "p90": share(seconds, 0.9),
        "p99": share(seconds, 0.99),
        "max": max(seconds),
    }
    return "  ".join(f"{name} {value * 1e3:7.1f} ms" for name, value in named.items()) + f"  (n={len(seconds)})"


def spread(values: Sequence[float], unit: str, decimals: int = 1) -> str:
    """Median, smallest and largest."""
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"median {middle:.{decimals}f}{unit}  from {low:.{decimals}f} to {high:.{decimals}f}  (n={len(values)})"


def this_machine() -> str:
    """What the figures were measured on, and what else it had to do."""
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, load {load:.1f} before the start"


def promise(what: str, *, kept: bool) -> int:
    """Say whether a promise was kept; the exit status."""
    print(f"{'kept' if kept else 'MISSED'}: {what}", flush=True)
    return 0 if kept else 1
