from __future__ import annotations

import asyncio
import logging
import time

from fleetview_agent.logbook import BURST_LINES, KEPT_CHARACTERS, KEPT_LINES, LONGEST_LINE, Logbook
from fleetview_agent.wire import Logged


class Told:
    """What was published, and waiting for it."""

    def __init__(self) -> None:
        self.events: list[Logged] = []
        self.logbook = Logbook(self.events.append)

    async def batch(self, number: int) -> tuple[str, ...]:
        async with asyncio.timeout(3):
            while len(self.events) < number:
                await asyncio.sleep(0.01)
        return tuple(line.text for line in self.events[number - 1].lines)


async def test_lines_that_come_together_are_told_together() -> None:
    told = Told()
    for number in range(3):
        told.logbook.heard("llamacpp", "small", f"line {number}")
    assert await told.batch(1) == ("line 0", "line 1", "line 2")
    (event,) = told.events
    assert {(line.source, line.model) for line in event.lines} == {("llamacpp", "small")}


async def test_a_flood_is_told_in_short_and_kept_as_far_as_it_may_be() -> None:
    told = Told()
    began = time.process_time()
    for number in range(5000):
        told.logbook.heard("ollama", None, f"time=2025-06-01T12:00:00.250+02:00 level=INFO msg={number}")
    took = time.process_time() - began
    first, *rest = await told.batch(1)
    assert first == f"{5000 - BURST_LINES} lines left out here; the log of the node has them"
    assert (len(rest), rest[-1][-4:]) == (BURST_LINES, "4999")
    assert len(told.logbook.lines()) == KEPT_LINES
    told.logbook.heard("ollama", None, "it is quiet again")
    assert await told.batch(2) == ("it is quiet again",)
    assert took < 0.5  # a thousand lines a second would be a tenth of a core; it is a hundredth


async def test_long_lines_cost_no_more_memory_than_many() -> None:
    told = Told()
    for _ in range(KEPT_LINES):
        told.logbook.heard("ollama", None, "x" * 10_000)
    lines = told.logbook.lines()
    assert {len(line.text) for line in lines} == {LONGEST_LINE}
    assert sum(len(line.text) for line in lines) <= KEPT_CHARACTERS


async def test_nothing_in_a_line_commands_a_terminal() -> None:
    told = Told()
    told.logbook.heard("llamacpp", None, "\x1b[2Jgone\x07\tagain\r\n")
    told.logbook.heard("llamacpp", None, "  \n")
    assert await told.batch(1) == ("\ufffd[2Jgone\ufffd again",)


async def test_lines_of_several_sources_come_in_the_order_of_their_times() -> None:
    told = Told()
    told.logbook.heard("ollama", None, "time=2025-06-01T12:00:02Z level=INFO msg=second")
    told.logbook.heard("llamacpp", None, "third")
    told.logbook.heard("ollama", None, "time=2025-06-01T12:00:01Z level=INFO msg=first")
    assert [line.text.split("=")[-1] for line in told.logbook.lines()] == ["first", "second", "third"]
    assert [line.text for line in told.logbook.lines(("llamacpp",))] == ["third"]


async def test_what_the_agent_logs_in_any_thread_is_told_without_its_trace() -> None:
    told = Told()
    logger = logging.getLogger("fleetview_agent.test_logbook")
    logger.setLevel(logging.DEBUG)

    def fail() -> None:
        logger.debug("nobody hears this")
        try:
            raise ValueError("no such thing")  # noqa: TRY301 -- the trace of this is what must not come
        except ValueError:
            logger.exception("it failed")

    with told.logbook.hearing(logger):
        await asyncio.to_thread(fail)
        assert await told.batch(1) == ("fleetview_agent.test_logbook: it failed: ValueError: no such thing",)
    logger.error("and this neither")
    (line,) = told.logbook.lines()
    assert (line.source, line.level) == ("agent", "error")
