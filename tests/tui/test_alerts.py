"""Alerts: each is said once, when it begins, and by the way the fleet file wishes."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from fleetview.alerts.notifying import Notifier
from fleetview.alerts.rules import CALM_SECONDS, HOLD_SECONDS, Alert, AlertWatch
from fleetview.config import Alerts, FleetConfig, config_of
from fleetview.fleet import Fleet, LinkDown, LinkUp, NodeState, apply
from tests.builders import a_sample, a_snapshot, a_traffic


def a_fleet(at: float, **sample: object) -> Fleet:
    """One node that was heard of at that time."""
    fleet: Fleet = {"studio": NodeState("studio")}
    for change in (LinkUp(), a_snapshot(samples=(a_sample(**sample),))):
        fleet = apply(fleet, "studio", change, at)
    return fleet


def seen(watch: AlertWatch, alerts: Alerts, start: float, seconds: float, **sample: object) -> list[Alert]:
    """Every alert of so many seconds in which the figures stay the same."""
    return [
        alert
        for second in range(int(seconds))
        for alert in watch.look(alerts, a_fleet(start + second, **sample), start + second)
    ]


@pytest.mark.parametrize(
    ("rules", "good", "bad", "rule", "text"),
    [
        (
            {"memory_pressure": "warning"},
            {"pressure": "normal"},
            {"pressure": "critical"},
            "memory_pressure",
            "memory pressure is critical",
        ),
        (
            {"gpu_temperature_celsius": 95.0},
            {"gpu_celsius": 95.0},
            {"gpu_celsius": 97.0},
            "gpu_temperature",
            "its GPU has 97 °C, more than 95 °C",
        ),
        (
            {"tokens_per_second_below": 8.0},
            {"traffic": (a_traffic(generation_tokens_per_second=9.0),)},
            {"traffic": (a_traffic(generation_tokens_per_second=2.5),)},
            "tokens_per_second",
            "it generates 2.5 tokens/s, less than 8.0",
        ),
    ],
)
def test_a_figure_beyond_its_bound_for_a_while_is_one_alert(
    rules: dict[str, object], good: dict[str, object], bad: dict[str, object], rule: str, text: str
) -> None:
    alerts, watch = config_of({"alerts": rules}).alerts, AlertWatch()
    assert seen(watch, alerts, 0, 60, **good) == []
    assert seen(watch, alerts, 100, HOLD_SECONDS, **bad) == []
    (alert,) = seen(watch, alerts, 100 + HOLD_SECONDS, 60, **bad)
    assert (alert.node, alert.rule, alert.text) == ("studio", rule, text)
    assert watch.active == {"studio": (text,)}
    assert seen(watch, alerts, 200, CALM_SECONDS + 1, **good) == []
    assert watch.active == {}
    assert len(seen(watch, alerts, 300, 60, **bad)) == 1
    assert seen(AlertWatch(), Alerts(), 0, 60, **bad) == [], "without a rule there is no alert"


def test_a_moment_is_no_alert_and_a_short_calm_no_new_one() -> None:
    alerts, watch = Alerts(memory_pressure="warning"), AlertWatch()
    for start in range(0, 60, 10):
        assert seen(watch, alerts, start, 2, pressure="critical") == []
        assert seen(watch, alerts, start + 2, 8, pressure="normal") == []
    assert len(seen(watch, alerts, 100, 20, pressure="critical")) == 1
    assert seen(watch, alerts, 120, CALM_SECONDS / 2, pressure="normal") == []
    assert seen(watch, alerts, 130, 60, pressure="critical") == []


def test_a_node_that_is_down_is_said_at_once_and_its_old_figures_are_no_alert() -> None:
    alerts = Alerts(node_down=True, memory_pressure="warning")
    watch, fleet = AlertWatch(), a_fleet(0, pressure="critical")
    fleet = apply(fleet, "studio", LinkDown("no route to host", 3.0), 1.0)
    (alert,) = watch.look(alerts, fleet, 1.0)
    assert (alert.rule, alert.text, alert.value) == ("node_down", "down: no route to host", "no route to host")
    assert watch.look(alerts, fleet, 60.0) == ()
    assert AlertWatch().look(Alerts(), fleet, 60.0) == ()


async def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition, at most ten seconds."""
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


class Called:
    """An operator who writes down what calls."""

    def __init__(self) -> None:
        self.bells = 0
        self.told: list[tuple[str, str]] = []
        self.shown: Mapping[str, tuple[str, ...]] = {}

    def bell(self) -> None:
        self.bells += 1

    def alert(self, node: str, text: str) -> None:
        self.told.append((node, text))

    def alerting(self, texts: Mapping[str, tuple[str, ...]]) -> None:
        self.shown = texts


def down() -> Fleet:
    """A node that cannot be reached."""
    return apply({"studio": NodeState("studio")}, "studio", LinkDown("refused", 1.0), 0.0)


def notified(notify: str) -> FleetConfig:
    """A fleet file that wants to be told of nodes that are down."""
    return FleetConfig(alerts=Alerts(node_down=True, notify=notify))


async def test_the_bell_rings_once_beside_the_toast() -> None:
    operator = Called()
    notifier = Notifier(operator)
    for second in range(10):
        notifier.note(notified("bell"), down(), float(second))
    assert (operator.bells, operator.told) == (1, [("studio", "down: refused")])
    assert operator.shown == {"studio": ("down: refused",)}


async def test_a_command_gets_the_alert_as_json(tmp_path: Path) -> None:
    operator, file = Called(), tmp_path / "alert.json"
    command = f"{shlex.quote(sys.executable)} -c 'import sys; open(sys.argv[1], \"w\").write(sys.stdin.read())' {file}"
    notifier = Notifier(operator, lambda: 1_700_000_000.0)
    notifier.note(notified(command), down(), 0.0)
    await until(lambda: not notifier._commands)
    assert json.loads(file.read_text()) == {
        "fleet": "fleet",
        "node": "studio",
        "rule": "node_down",
        "value": "refused",
        "text": "down: refused",
        "at": 1_700_000_000.0,
    }
    assert operator.bells == 0


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("/nowhere/at-all", "alerts.notify: /nowhere/at-all: No such file or directory"),
        ("false", "alerts.notify: false ended with status 1"),
        ("say 'twice", "alerts.notify: say 'twice: No closing quotation"),
    ],
)
async def test_a_command_that_fails_is_said(command: str, told: str) -> None:
    operator = Called()
    Notifier(operator).note(notified(command), down(), 0.0)
    await until(lambda: len(operator.told) == 2)
    assert operator.told[1] == ("studio", told)
