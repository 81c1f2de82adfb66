"""Several nodes on the screen, each of which numbers its operations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from fleetview.app import FleetApp
from fleetview.fleet import Change, LinkUp
from fleetview.screens.bulk import Bulk
from fleetview_agent.wire import (
    Order,
    Plan,
    UndoRequest,
    UnloadRequest,
)
from tests.builders import AUTHOR, a_backend_state, a_plan, a_snapshot
from tests.tui.fake_fleet import FakeFleet, screen_text, settled, until
from tests.tui.fake_link import FakeLink

ABILITIES = ("start", "stop", "restart", "pin", "unpin", "keep", "pull", "create", "delete")
UNLOAD = UnloadRequest(author=AUTHOR, backend="ollama", model="small")


def an_ollama(**changes: object) -> Change:
    state = a_backend_state("ollama", **{"abilities": ABILITIES, "address": "127.0.0.1:11434", **changes})
    return a_snapshot(backends=(state,))


@asynccontextmanager
async def a_dashboard(
    nodes: dict[str, Change], size: tuple[int, int] = (100, 30)
) -> AsyncIterator[tuple[FleetApp, Pilot[None], dict[str, FakeLink]]]:
    """Nodes on the screen, all of them marked, each of which numbers its operations."""
    fleet = FakeFleet({name: (LinkUp(), first) for name, first in nodes.items()})
    app = fleet.app()
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        for link in fleet.links.values():
            numbered(link)
        yield app, pilot, fleet.links


def numbered(link: FakeLink) -> None:
    """Let the link plan what it is told, and number its operations."""

    async def plan(request: Order) -> Plan:
        link._fail()
        return a_plan(request=UNLOAD if isinstance(request, UndoRequest) else request, evictions=())

    async def operate(request: Order) -> str:
        link.asked.append(request)
        link._fail()
        return f"op-{len(link.asked)}"

    link.plan = plan  # type: ignore[method-assign]  # each test has its own node
    link.operate = operate  # type: ignore[method-assign]  # as above


async def shown(app: FleetApp, pilot: Pilot[None], *words: str) -> None:
    await until(pilot, lambda: all(word in screen_text(app) for word in words))


def told(app: FleetApp) -> list[str]:
    return [one.message for one in app._notifications]


def ready(app: FleetApp) -> Callable[[], bool]:
    """Whether the dialog has every plan, so that Enter agrees."""
    return lambda: isinstance(app.screen, Bulk) and app.screen._seen


async def asked_of(pilot: Pilot[None], links: dict[str, FakeLink]) -> list[list[Order]]:
    await until(pilot, lambda: all(link.asked for link in links.values()))
    return [link.asked for link in links.values()]
