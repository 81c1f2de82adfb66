"""The Models view of a fleet, opened for a test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from fleetview.app import FleetApp
from fleetview.screens.models.screen import ModelsScreen
from fleetview_agent.wire import CopyRequest, ModelPart
from tests.builders import AUTHOR
from tests.tui.fake_fleet import FakeFleet, screen_text, settled, until
from tests.tui.models_fleet import a_stocked_fleet

PART = ModelPart(sha256="ab" * 32, size_bytes=16 << 30, name="gemma3.gguf")


class FakeCopies:
    """Reads at once, and writes down what is begun."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, tuple[str, ...]]] = []

    async def read(self, source: str, backend: str, model: str, show: Callable[[float], None]) -> CopyRequest:
        show(0.5)
        return CopyRequest(author=AUTHOR, backend=backend, model=model, source=source, parts=(PART,))

    def start(self, request: CopyRequest, targets: tuple[str, ...]) -> None:
        self.begun.append((f"{request.source}/{request.backend}/{request.model}", targets))


class Opened:
    """The Models view of a fleet, with the selection on the first model and node."""

    def __init__(self, fleet: FakeFleet, app: FleetApp, pilot: Pilot[None], copies: FakeCopies) -> None:
        self.fleet = fleet
        self.app = app
        self.pilot = pilot
        self.copies = copies

    @property
    def view(self) -> ModelsScreen:
        return next(screen for screen in self.app.screen_stack if isinstance(screen, ModelsScreen))

    @property
    def text(self) -> str:
        return screen_text(self.app)

    @property
    def at(self) -> tuple[str, str | None]:
        entry = self.view.entry
        return (entry.name if entry else "", self.view.matrix.node)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def go(self, model: str, node: str) -> None:
        """Select a cell."""
        matrix = self.view.matrix
        matrix.key = next(entry.key for entry in self.view._rows if model in entry.names)
        matrix.node = node
        await self.pilot.pause()

    async def until(self, holds: Callable[[], bool]) -> None:
        await until(self.pilot, holds)


@asynccontextmanager
async def models(
    fleet: FakeFleet | None = None, size: tuple[int, int] = (100, 30), *, readonly: bool = False
) -> AsyncIterator[Opened]:
    fleet = fleet or a_stocked_fleet()
    app = fleet.app(readonly=readonly)
    copies = FakeCopies()
    app._copies = copies  # type: ignore[assignment]  # stands for those that need real nodes
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, ModelsScreen) and app.screen.entry is not None)
        yield Opened(fleet, app, pilot, copies)
