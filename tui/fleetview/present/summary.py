"""The line on top: is anything wrong, before a row is read."""

from __future__ import annotations

from dataclasses import dataclass

from fleetview.fleet import Fleet
from fleetview.present import measures
from fleetview.present.numbers import count, powers, rate, size
from fleetview.present.text import Line, cut_line, joined, plain, spread, width_of

_FEWEST = 2
"""Parts that stay however narrow the pane is."""


@dataclass(frozen=True)
class View:
    """How the fleet is looked at just now."""

    filter: str = ""
    paused: bool = False
    readonly: bool = False


def header(title: str, fleet: Fleet, now: float, width: int, view: View) -> Line:
    """Nodes up, free memory, tokens per second, power and alerts of the fleet; the last figures give way first."""
    living = measures.living(fleet, now)
    free = measures.total(measures.memory_free(node) for node in living)
    limit = measures.total(measures.memory_limit(node) for node in living)
    tokens = measures.total(measures.tokens_per_second(node.sample) for node in living if node.sample)
    power = powers(node.sample for node in living if node.sample)
    simulated = any(node.machine and node.machine.simulated for node in fleet.values())
    parts: list[Line] = [((plain(title), "strong"),)]
    if simulated:
        parts.append((("DEMO", "accent"),))
    parts.append(((f"{len(living)} of {len(fleet)} up", "plain"),))
    if free is not None:
        parts.append(((size(free), "strong"), (f" free of {size(limit)}", "plain")))
    if tokens is not None:
        parts.append(((rate(tokens), "strong"), (" tok/s", "plain")))
    if power is not None:
        parts.append(((power, "plain"),))
    end = (*_signs(fleet, now, view), (" ", "plain"))
    while len(parts) > _FEWEST and width_of(joined(tuple(parts))) + width_of(end) + 2 > width:
        parts.pop()
    start = ((" ", "plain"), *joined(tuple(parts)))
    return cut_line(spread(start, end, width), width)


def _signs(fleet: Fleet, now: float, view: View) -> Line:
    """What is unusual: alerts, a filter, a pause."""
    alerts = sum(measures.alert(node, now) is not None for node in fleet.values())
    parts: list[Line] = []
    if view.readonly:
        parts.append((("read-only", "dim"),))
    if view.filter:
        parts.append(((f"/{plain(view.filter)}", "accent"),))
    if view.paused:
        parts.append((("paused", "warm"),))
    if alerts:
        parts.append(((f"▲ {count(alerts, 'alert')}", "hot"),))
    elif measures.living(fleet, now):
        parts.append((("all well", "dim"),))
    return joined(tuple(parts), "  ")
