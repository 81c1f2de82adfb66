"""An agent that is killed or frozen, while its machine is watched through ssh."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import ExitStack

from tests.faults.conftest import Scene
from tests.sshd import needs_sshd
from tests.stories.machines import an_agent

pytestmark = needs_sshd


async def test_a_killed_agent_is_told_of_at_once_and_its_return_is_noticed(scene: Scene) -> None:
    assert scene.studio.agent is not None
    with ExitStack() as stack:
        async with scene.watched() as watch:
            killed = time.monotonic()
            scene.studio.agent.kill()
            await watch.says("studio", "down", r"down 0 s · the connection to studio broke", killed, watch.soon)
            await watch.says("studio", "down", r"down \d s · agent not running on studio: ", killed, watch.soon)
            started = time.monotonic()
            await asyncio.to_thread(stack.enter_context, an_agent(scene.studio.home))
            await watch.heals("studio", started, 10.0)


async def test_an_agent_that_is_frozen_for_a_moment_is_stale_and_goes_on_where_it_was(scene: Scene) -> None:
    assert scene.studio.agent is not None
    async with scene.watched() as watch:
        frozen = time.monotonic()
        scene.studio.agent.send_signal(signal.SIGSTOP)
        await watch.says("studio", "stale", r"stale \d s · ", frozen, watch.soon)
        thawed = time.monotonic()
        scene.studio.agent.send_signal(signal.SIGCONT)
        await watch.says("studio", "up", "", thawed, watch.soon)
        assert watch.losses("studio") == []


async def test_an_agent_that_stays_frozen_is_given_up_and_found_again_once_it_thaws(scene: Scene) -> None:
    assert scene.studio.agent is not None
    async with scene.watched(interval=0.25) as watch:
        frozen = time.monotonic()
        scene.studio.agent.send_signal(signal.SIGSTOP)
        await watch.says("studio", "stale", r"stale \d s · ", frozen, watch.soon)
        await watch.says("studio", "down", r"down · silent for \d s", frozen, 10 * watch.interval + 1)
        await watch.says("studio", "down", r"down \d s · nothing was heard from studio for 8 s", frozen, 10.0)
        thawed = time.monotonic()
        scene.studio.agent.send_signal(signal.SIGCONT)
        await watch.heals("studio", thawed, 5.0)
