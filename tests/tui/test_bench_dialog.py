"""Measuring from the dashboard: what is said before, live, and when it is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from fleetview.bench.book import Kept
from fleetview.bench.results import Result, Spread
from fleetview.bench.task import Task
from fleetview.fleet import LinkUp
from fleetview.messages import RequestFailed
from fleetview.screens.bench import Bench
from fleetview.wishes.subject import Subject
from tests.builders import a_backend_state, a_node, a_resident, a_snapshot
from tests.tui.fake_fleet import FakeFleet, settled
from tests.tui.fake_fleet import until as until_app
from tests.tui.stage import Stage, text_of, until

NODE = a_node(
    backends={
        "llamacpp": a_backend_state(resident=(a_resident("a"), a_resident("b"), a_resident("c", phase="loading")))
    }
)


def a_result(task: Task, rate: float = 40.0) -> Result:
    even = Spread(mean=128)
    return Result(
        at=1_700_000_000.0,
        node=task.node,
        model=task.model,
        pp=task.pp,
        tg=task.tg,
        runs=task.runs,
        prompt_tokens=Spread(mean=task.pp),
        generated_tokens=Spread(mean=task.tg),
        prompt_tokens_per_second=even,
        tokens_per_second=Spread(mean=rate, deviation=0.5),
        others_in_flight=0,
    )


class Measuring:
    """Measures when it is let, and fails for the model `b`."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.begun: list[Task] = []
        self.stopped = False

    async def __call__(self, task: Task, tell: Callable[[str], None]) -> Kept:
        self.begun.append(task)
        tell("run 1 of 3")
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.stopped = True
            raise
        if task.resident.name == "b":
            raise RequestFailed("b left the memory", "load it again")
        return Kept(a_result(task), a_result(task, 32.0))


async def test_it_says_what_it_will_do_then_shows_figures_beside_the_former_ones() -> None:
    measuring = Measuring()
    app = Stage(Bench((Subject(NODE),), measuring))
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "others wait behind them" in text_of(app))
        assert "Measure 2 models on studio" in text_of(app)
        assert "prompts of 128 tokens and writes answers of 32, 3 times" in text_of(app)
        await pilot.press("tab")
        await until(pilot, lambda: "prompts of 512 tokens" in text_of(app))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: "run 1 of 3" in text_of(app))
        assert [task.resident.name for task in measuring.begun] == ["a"]
        measuring.gate.set()
        await until(pilot, lambda: "b left the memory (load it again)" in text_of(app))
        assert "40.0 ± 0.5 tok/s (+25.0%)" in text_of(app)
        assert "compared" in text_of(app)
        await pilot.press("escape")
        await until(pilot, lambda: app.answers == [None])


async def test_esc_stops_measuring_and_only_then_closes() -> None:
    measuring = Measuring()
    app = Stage(Bench((Subject(NODE, "llamacpp", "a"),), measuring))
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "Measure 1 model on studio" in text_of(app) and "others wait" in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: bool(measuring.begun))
        await pilot.press("escape")
        await until(pilot, lambda: measuring.stopped and "stopped" in text_of(app))
        assert app.answers == []
        await pilot.press("escape")
        await until(pilot, lambda: app.answers == [None])


async def test_b_opens_it_also_in_a_read_only_dashboard() -> None:
    app = FakeFleet({"studio": (LinkUp(), a_snapshot())}).app(readonly=True)
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press("b")
        await until_app(pilot, lambda: isinstance(app.screen, Bench))


@pytest.mark.parametrize("size", [(80, 24)], ids=["80x24"])
def test_what_measuring_will_do(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    async def seen(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "llamacpp/b on studio" in text_of(pilot.app))

    assert snap_compare(Stage(Bench((Subject(NODE),), Measuring())), terminal_size=size, run_before=seen)
