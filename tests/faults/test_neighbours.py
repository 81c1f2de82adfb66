"""Machines that take a connection and say nothing do not hold back those that are well."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from fleetview.config import NodeConfig
from tests.faults.conftest import as_node
from tests.faults.watch import watching
from tests.sshd import needs_sshd
from tests.stories.machines import ACCOUNT, Desk, Machine, a_machine

pytestmark = needs_sshd

HANGING = 24
"""Three times as many as may log in at once."""


@pytest.fixture
def hanging() -> Iterator[tuple[NodeConfig, ...]]:
    """Ports whose connections the kernel takes, and nobody looks at."""
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(HANGING)]
        yield tuple(
            NodeConfig(name=f"hung-{place}", host="127.0.0.1", port=listener.getsockname()[1], user=ACCOUNT)
            for place, listener in enumerate(listeners)
        )


async def test_machines_that_hang_in_their_login_hold_nobody_back(
    hanging: tuple[NodeConfig, ...], desk: Desk, well: Machine
) -> None:
    with a_machine("studio") as studio:
        desk.may_enter(studio, well)
        begun = time.monotonic()
        async with watching(*hanging, as_node(studio), as_node(well)) as watch:
            for name in ("studio", "well"):
                await watch.says(name, "up", "", begun, 6.0)
            restarted = time.monotonic()
            await asyncio.to_thread(studio.sshd.kill)
            await watch.says("studio", "down", "", restarted, watch.soon)
            started = time.monotonic()
            await asyncio.to_thread(studio.sshd.start)
            await watch.heals("studio", started, 6.0)
            assert watch.losses("well") == []
            assert watch.gap("well") <= watch.patience
            assert all(watch.fleet[node.name].heard_at is None for node in hanging)
