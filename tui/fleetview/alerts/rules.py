"""When to call the operator. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from fleetview.config import Alerts
from fleetview.fleet import Fleet, NodeState, condition
from fleetview.present import measures
from fleetview.present.numbers import celsius, rate

HOLD_SECONDS = 5.0
"""How long a figure has to be beyond its bound; what happens in between is a moment, and no alert."""
CALM_SECONDS = 10.0
"""How long it has to be within it before the next time is a new alert."""
_WORSE = {"normal": 0, "warning": 1, "critical": 2}

Rule = Literal["node_down", "memory_pressure", "gpu_temperature", "tokens_per_second"]


@dataclass(frozen=True)
class Alert:
    """Something the operator wants to be called for."""

    node: str
    rule: Rule
    text: str
    """What is the matter, for people; without the node's name."""
    value: float | str | None
    """What was read: °C, tokens per second, a pressure, or why a node is down."""


@dataclass(frozen=True)
class _Watched:
    """A rule that was broken on a node."""

    alert: Alert
    since: float
    last: float
    told: bool = False


class AlertWatch:
    """Follows the fleet and says each alert once, when it begins."""

    def __init__(self) -> None:
        self._watched: Mapping[tuple[str, Rule], _Watched] = {}

    @property
    def active(self) -> Mapping[str, tuple[str, ...]]:
        """Node → what was said about it that is still so."""
        found: dict[str, tuple[str, ...]] = {}
        for (node, _), watched in self._watched.items():
            if watched.told:
                found[node] = (*found.get(node, ()), watched.alert.text)
        return found

    def look(self, alerts: Alerts, fleet: Fleet, at: float) -> tuple[Alert, ...]:
        """What has become an alert since the last look, at the monotonic time `at`."""
        broken = {(alert.node, alert.rule): alert for node in fleet.values() for alert in _broken(alerts, node, at)}
        watched = {
            key: before
            for key, before in self._watched.items()
            if key not in broken and before.told and at - before.last < CALM_SECONDS and key[0] in fleet
        }
        begun: list[Alert] = []
        for key, alert in broken.items():
            before = self._watched.get(key, _Watched(alert, at, at))
            held = alert.rule == "node_down" or at - before.since >= HOLD_SECONDS
            if held and not before.told:
                begun.append(alert)
            watched[key] = _Watched(alert, before.since, at, before.told or held)
        self._watched = watched
        return tuple(begun)


def _broken(alerts: Alerts, node: NodeState, at: float) -> Iterator[Alert]:
    """The rules that the node breaks just now; by old values none is broken but that they are old."""
    state = condition(node, at)
    if state == "down":
        if alerts.node_down:
            yield Alert(node.name, "node_down", f"down: {node.reason or 'nothing is heard of it'}", node.reason)
        return
    if state not in {"up", "busy", "degraded"} or (sample := node.sample) is None:
        return
    pressure, least = sample.pressure, alerts.memory_pressure
    if least and pressure and _WORSE[pressure] >= _WORSE[least]:
        yield Alert(node.name, "memory_pressure", f"memory pressure is {pressure}", pressure)
    heat, hottest = sample.gpu_celsius, alerts.gpu_temperature_celsius
    if hottest is not None and heat is not None and heat > hottest:
        yield Alert(node.name, "gpu_temperature", f"its GPU has {celsius(heat)}, more than {celsius(hottest)}", heat)
    speed, slowest = measures.tokens_per_second(sample), alerts.tokens_per_second_below
    if slowest is not None and speed is not None and 0 < speed < slowest:
        told = f"it generates {rate(speed)} tokens/s, less than {rate(slowest)}"
        yield Alert(node.name, "tokens_per_second", told, speed)
