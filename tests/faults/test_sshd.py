"""An sshd that dies, freezes, shows another key or lets nobody in, while its machine is watched."""

from __future__ import annotations

import asyncio
import time

from tests.faults.conftest import Scene
from tests.faults.watch import Watch
from tests.sshd import Sshd, needs_sshd
from tests.stories.conftest import needs_tmux
from tests.stories.machines import node

pytestmark = needs_sshd


async def restart(sshd: Sshd) -> float:
    """Kill it, so that it comes back as it is described now; when it was killed."""
    killed = time.monotonic()
    await asyncio.to_thread(sshd.kill)
    await asyncio.to_thread(sshd.start)
    return killed


async def test_a_killed_sshd_is_told_of_at_once_and_its_return_is_noticed(scene: Scene) -> None:
    async with scene.watched() as watch:
        killed = time.monotonic()
        await asyncio.to_thread(scene.studio.sshd.kill)
        await watch.says("studio", "down", r"down 0 s · connection to studio broke: ", killed, watch.soon)
        await watch.says("studio", "down", r"down \d s · refused: nothing listens for ssh at ", killed, watch.soon)
        started = time.monotonic()
        await asyncio.to_thread(scene.studio.sshd.start)
        await watch.heals("studio", started, 6.0)


@needs_tmux
def test_the_dashboard_tells_of_a_killed_sshd_and_of_its_return(scene: Scene) -> None:
    scene.desk.write_fleet(node(scene.studio), node(scene.well))
    with scene.desk.dashboard(columns=120) as pane:
        pane.wait_for("● studio", "● well", "2 of 2 up")
        scene.studio.sshd.kill()
        pane.wait_for("○ studio", "refused: nothing listens for ssh at ", "● well", "1 of 2 up", seconds=4.0)
        scene.studio.sshd.start()
        pane.wait_for("● studio", "● well", "2 of 2 up", seconds=8.0)


async def test_a_frozen_sshd_makes_its_node_stale_then_down_and_thaws_with_it(scene: Scene) -> None:
    async with scene.watched() as watch:
        frozen = time.monotonic()
        scene.studio.sshd.freeze()
        await watch.says("studio", "stale", r"stale \d s · ", frozen, watch.soon)
        await watch.says("studio", "down", r"down 0 s · connection to studio broke: ", frozen, 5.0)
        thawed = time.monotonic()
        scene.studio.sshd.thaw()
        await watch.heals("studio", thawed, 6.0)


async def test_a_changed_host_key_is_refused_with_both_fingerprints_until_the_old_one_is_back(scene: Scene) -> None:
    sshd = scene.studio.sshd
    old, known = sshd.host_key, sshd.host_fingerprint
    async with scene.watched() as watch:
        sshd.new_host_key()
        changed = await restart(sshd)
        await says_changed(watch, changed)
        lost = watch.losses("studio")[-1]
        assert known in lost.reason
        assert sshd.host_fingerprint in lost.reason
        assert_nothing_was_sent(sshd)
        sshd.host_key = old
        restored = await restart(sshd)
        await watch.heals("studio", restored, 10.0)


async def test_a_changed_host_key_is_accepted_once_known_hosts_has_it(scene: Scene) -> None:
    sshd, operator = scene.studio.sshd, scene.desk.operator
    async with scene.watched() as watch:
        sshd.new_host_key()
        changed = await restart(sshd)
        await says_changed(watch, changed)
        assert_nothing_was_sent(sshd)
        learnt = time.monotonic()
        operator.forget()
        for machine in (scene.studio, scene.well):
            operator.know(machine.sshd.known_as, machine.sshd.host_public)
        await watch.heals("studio", learnt, 8.0)


async def says_changed(watch: Watch, changed: float) -> float:
    """The row says so in time."""
    return await watch.says("studio", "down", r"down \d s · host key changed: ", changed, watch.soon)


def assert_nothing_was_sent(sshd: Sshd) -> None:
    """The server that nobody knows has heard neither of a user nor of a key."""
    since = sshd.log.rpartition("Server listening on")[2]
    assert "Connection from" in since
    assert "user" not in since
    assert "Accepted" not in since


async def test_a_key_that_is_no_longer_accepted_is_told_and_works_again_once_it_is(scene: Scene) -> None:
    sshd = scene.studio.sshd
    async with scene.watched() as watch:
        barred = time.monotonic()
        sshd.let_nobody_in()
        await asyncio.to_thread(sshd.drop_sessions)
        await watch.says("studio", "down", r"down 0 s · connection to studio broke: ", barred, watch.soon)
        await watch.says(
            "studio", "down", r"down \d s · login refused: \S+ accepts none of the keys", barred, watch.soon
        )
        welcome = time.monotonic()
        sshd.authorize(scene.desk.operator.key.with_suffix(".pub"))
        await watch.heals("studio", welcome, 8.0)
