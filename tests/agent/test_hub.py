"""Fan-out of events."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from fleetview_agent.hub import QUEUE_SIZE, Hub
from fleetview_agent.wire import Event, Sampled
from tests.builders import a_sample, a_snapshot


def an_event(at: float) -> Sampled:
    return Sampled(sample=a_sample(at=at))


async def test_a_listener_gets_the_first_event_and_then_each_published_one() -> None:
    hub = Hub()
    async with aclosing(hub.listen(a_snapshot)) as events:
        assert await anext(events) == a_snapshot()
        hub.publish(an_event(1))
        hub.publish(an_event(2))
        assert [await anext(events), await anext(events)] == [an_event(1), an_event(2)]


async def test_nothing_published_while_the_first_event_is_made_is_lost() -> None:
    hub = Hub()

    def first() -> Event:
        hub.publish(an_event(1))
        return a_snapshot()

    async with aclosing(hub.listen(first)) as events:
        assert await anext(events) == a_snapshot()
        assert await anext(events) == an_event(1)


async def test_a_listener_that_lags_is_cut_off_and_the_others_are_not() -> None:
    hub = Hub()
    async with aclosing(hub.listen(a_snapshot)) as slow, aclosing(hub.listen(a_snapshot)) as quick:
        await anext(slow)
        await anext(quick)
        for at in range(QUEUE_SIZE + 1):
            hub.publish(an_event(at))
            assert await anext(quick) == an_event(at)
        assert [event async for event in slow] == []
        hub.publish(an_event(0))
        assert await anext(quick) == an_event(0)


async def test_a_listener_that_leaves_is_forgotten() -> None:
    hub = Hub()
    listening = asyncio.Event()

    async def listen() -> None:
        async for _ in hub.listen(a_snapshot):
            listening.set()

    task = asyncio.create_task(listen())
    await asyncio.wait_for(listening.wait(), 2)
    assert len(hub._queues) == 1
    task.cancel()
    await asyncio.wait({task})
    assert not hub._queues
