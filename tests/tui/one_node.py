"""A dashboard with one node, which plans what it is told and writes down what it is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from fleetview.app import FleetApp
from fleetview.fleet import Change, LinkUp
from fleetview_agent.wire import (
    Order,
    Plan,
)
from tests.builders import a_backend_state, a_plan, a_snapshot
from tests.tui.fake_fleet import FakeFleet, screen_text, settled, until
from tests.tui.fake_link import FakeLink

ABILITIES = ("start", "stop", "restart", "pin", "unpin", "keep", "pull", "create", "delete")


def an_ollama(**changes: object) -> Change:
    """A node whose Ollama has one of its two models in memory."""
    state = a_backend_state("ollama", **{"abilities": ABILITIES, "address": "127.0.0.1:11434", **changes})
    return a_snapshot(backends=(state,))


@asynccontextmanager
async def a_dashboard(first: Change, **plan: object) -> AsyncIterator[tuple[FleetApp, Pilot[None], FakeLink]]:
    """One node on the screen, which plans what it is told."""
    fleet = FakeFleet({"studio": (LinkUp(), first)})
    app = fleet.app()
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        link = fleet.links["studio"]

        async def planned(request: Order) -> Plan:
            link._fail()
            return a_plan(request=request, **plan)

        link.plan = planned  # type: ignore[method-assign]  # it answers what a test is about
        yield app, pilot, link


async def shown(app: FleetApp, pilot: Pilot[None], *words: str) -> None:
    """Wait until the screen says all of this."""
    await until(pilot, lambda: all(word in screen_text(app) for word in words))


async def asked(pilot: Pilot[None], link: FakeLink) -> Order:
    """What the node was asked for."""
    await until(pilot, lambda: bool(link.asked))
    (request,) = link.asked
    return request
