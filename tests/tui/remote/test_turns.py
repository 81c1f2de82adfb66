"""Hundreds of nodes that speak in one instant, and everybody else who wants the event loop."""

from __future__ import annotations

import asyncio

from fleetview.remote.turns import AT_ONCE, Turns


async def test_whoever_comes_gets_a_turn_in_order_and_a_key_between_any_few() -> None:
    turns = Turns()
    done: list[int] = []
    done_at_key: list[int] = []

    async def work(number: int) -> None:
        await turns.mine()
        done.append(number)

    async def key() -> None:
        while len(done) < 5 * AT_ONCE:
            await asyncio.sleep(0)
            done_at_key.append(len(done))

    await asyncio.gather(*(work(number) for number in range(5 * AT_ONCE)), key())
    assert done == list(range(5 * AT_ONCE))
    between = [after - before for before, after in zip([0, *done_at_key], done_at_key, strict=False)]
    assert max(between) <= AT_ONCE


async def test_who_was_cancelled_keeps_nobody_from_a_turn() -> None:
    turns = Turns()
    waiting = [asyncio.create_task(turns.mine()) for _ in range(2 * AT_ONCE + 1)]
    await asyncio.sleep(0)
    for task in waiting[AT_ONCE:-1]:
        task.cancel()
    async with asyncio.timeout(5):
        await waiting[-1]
    assert all(task.done() for task in waiting)


async def test_after_a_crowd_the_next_one_goes_on_at_once() -> None:
    turns = Turns()
    await asyncio.gather(*(turns.mine() for _ in range(3 * AT_ONCE)))
    for _ in range(3):
        await asyncio.sleep(0)
    with_turns_left = turns.mine()
    try:
        with_turns_left.send(None)
    except StopIteration:
        return
    raise AssertionError("it had to wait though nobody was before it")
