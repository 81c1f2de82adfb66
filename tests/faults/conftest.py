"""A machine that things happen to, another one to which nothing does, and an operator who may log in to both."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from fleetview.config import NodeConfig
from tests.faults.watch import INTERVAL_SECONDS, Watch, watching
from tests.stories.machines import ACCOUNT, Desk, Machine, a_desk, a_machine


@dataclass(frozen=True)
class Scene:
    """Who is there."""

    desk: Desk
    studio: Machine
    """What things happen to."""
    well: Machine
    """What is to be disturbed by nothing."""

    @asynccontextmanager
    async def watched(self, interval: float = INTERVAL_SECONDS, **keys: Any) -> AsyncIterator[Watch]:
        """Both nodes are up; the one that nothing happens to goes on so to the end. `keys` are of the other one."""
        async with watching(as_node(self.studio, **keys), as_node(self.well), interval=interval) as watch:
            begun = time.monotonic()
            for name in ("studio", "well"):
                await watch.says(name, "up", "", begun, 10.0)
            yield watch
            assert watch.losses("well") == []
            assert watch.gap("well") <= watch.patience


def as_node(machine: Machine, **keys: Any) -> NodeConfig:  # Any: each field has a type of its own
    """The machine as a node of a fleet file."""
    node = NodeConfig(name=machine.name, host=machine.sshd.address, port=machine.sshd.port, user=ACCOUNT)
    return replace(node, **keys)


@pytest.fixture(scope="session")
def well() -> Iterator[Machine]:
    with a_machine("well") as machine:
        yield machine


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with a_desk() as desk:
        monkeypatch.setenv("HOME", str(desk.path))
        monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
        yield desk


@pytest.fixture
def scene(desk: Desk, well: Machine) -> Iterator[Scene]:
    with a_machine("studio") as studio:
        desk.may_enter(studio, well)
        yield Scene(desk, studio, well)
