"""The line on top: is anything wrong, before a row is read."""

from __future__ import annotations

from dataclasses import dataclass

from fleetview.fleet import Fleet
from fleetview.present import measures
from fleetview.present.numbers import count
from fleetview.present.sums import sums
from fleetview.present.text import Line, cut_line, joined, plain, spread, width_of

_FEWEST = 2
"""Parts that stay however narrow the pane is."""
_APART = 3
"""Cells between both edges and what the fleet comes to."""


@dataclass(frozen=True)
class View:
    """How the fleet is looked at just now."""

    filter: str = ""
    paused: bool = False
    readonly: bool = False
    next_alert: str = ""
    """The key that goes to the next alert, where one does."""
    pause: str = ""
    """The key that lets the picture go on."""
    demo: bool = False
    """Whether the program shows a fleet that there is not, even before a node of it said so."""


def header(title: str, fleet: Fleet, now: float, width: int, view: View) -> Line:
    """What the fleet comes to, and what is unusual about it; the last figures give way first."""
    simulated = any(node.machine and node.machine.simulated for node in fleet.values())
    parts: list[Line] = [((plain(title), "strong"),)]
    if simulated or view.demo:
        parts.append((("DEMO", "accent"),))
    parts += sums(fleet, now)
    end = (*_signs(fleet, now, view), (" ", "plain"))
    while len(parts) > _FEWEST and width_of(joined(tuple(parts))) + width_of(end) + _APART > width:
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
        parts.append((("paused", "warm"), (f" {view.pause}" if view.pause else "", "accent")))
    if alerts:
        key: Line = ((f" {view.next_alert}", "accent"),) if view.next_alert else ()
        parts.append(((f"▲ {count(alerts, 'alert')}", "hot"), *key))
    elif measures.living(fleet, now):
        parts.append((("all well", "dim"),))
    return joined(tuple(parts), "  ")
