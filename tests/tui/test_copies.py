"""Copies of the dashboard, between real agents on local sockets."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from fleetview.config import FleetConfig, config_of
from fleetview.connections import Run
from fleetview.copying.copies import CALM, Copies
from fleetview.messages import RequestFailed
from fleetview.remote.logins import Logins
from tests.agent.shelf import Shelf
from tests.openssh import a_short_folder
from tests.tui.remote.scripted import a_real_agent

MODEL = "sim-small"
CONTENT = {"weights": os.urandom(3 << 20), "template": b"small"}
NAMES = ("here", "b", "c")


class Desk:
    """Copies, what they told, and the shelves of three nodes of which the first has the model."""

    def __init__(self, config: FleetConfig, shelves: dict[str, Shelf]) -> None:
        self.shelves = shelves
        self.told: list[tuple[str, str, str]] = []
        self.tasks: list[asyncio.Task[None]] = []
        logins = Logins()
        self.copies = Copies(lambda: config, lambda: logins, "ada@desk", self._spawn, self._tell)

    def _spawn(self, run: Run, _node: str) -> asyncio.Task[None]:
        self.tasks.append(asyncio.create_task(run()))
        return self.tasks[-1]

    def _tell(self, text: str, node: str = "", severity: str = "information") -> None:
        self.told.append((severity, node, text))


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    with a_short_folder() as folder:
        shelves: dict[str, Shelf] = {}
        nodes = []
        async with AsyncExitStack() as stack:
            for name in NAMES:
                (folder / name).mkdir()
                agent = await stack.enter_async_context(a_real_agent(folder / name / "agent.sock"))
                agent.backends["simulated"] = shelves[name] = Shelf(folder / name / "shelf")
                nodes.append({"name": name, "local": True, "socket": str(folder / name / "agent.sock")})
            shelves["here"].put(MODEL, **CONTENT)
            yield Desk(config_of({"node": nodes}), shelves)


async def test_a_model_goes_to_several_nodes_and_each_end_is_told(desk: Desk) -> None:
    request = await desk.copies.read("here", "simulated", MODEL, lambda _: None)
    assert desk.copies.parting == CALM
    desk.copies.start(request, ("b", "c"))
    desk.copies.start(request, ("b",))  # which is on its way already
    assert desk.copies.parting == "2 copies would break off, and go on from there when begun again"
    await asyncio.gather(*desk.tasks)
    assert len(desk.tasks) == 2
    assert {desk.shelves[name].content(MODEL) == CONTENT for name in ("b", "c")} == {True}
    assert sorted(node for _, node, _ in desk.told) == ["b", "c"]
    assert all("simulated/sim-small has come from here after" in text for _, _, text in desk.told)
    assert desk.copies.parting == CALM


async def test_a_copy_that_is_cut_short_goes_on_when_it_is_begun_again(desk: Desk) -> None:
    request = await desk.copies.read("here", "simulated", MODEL, lambda _: None)
    desk.copies.start(request, ("b",))
    await asyncio.sleep(0)
    desk.tasks[0].cancel()
    await asyncio.wait(desk.tasks)
    assert desk.copies.parting == CALM
    desk.copies.start(request, ("b",))
    await desk.tasks[-1]
    assert desk.shelves["b"].content(MODEL) == CONTENT


async def test_what_cannot_be_read_says_why(desk: Desk) -> None:
    with pytest.raises(RequestFailed, match="no longer in the fleet file"):
        await desk.copies.read("gone", "simulated", MODEL, lambda _: None)
    with pytest.raises(RequestFailed):
        await desk.copies.read("b", "simulated", MODEL, lambda _: None)
