from __future__ import annotations

from textual.app import App, ComposeResult

from fleetview.present.operations.plans import level, used_bar
from fleetview.present.text import text_of, width_of
from fleetview.widgets.plan_bars import PlanBars
from fleetview_agent.wire import Plan
from tests.builders import GIB, a_plan


class BarsApp(App[None]):
    def compose(self) -> ComposeResult:
        yield PlanBars()


async def rows(plan: Plan | None, width: int) -> list[str]:
    app = BarsApp()
    async with app.run_test(size=(width, 5)) as pilot:
        bars = app.query_one(PlanBars)
        bars.plan = plan
        await pilot.pause()
        return [bars.render_line(y).text.rstrip() for y in range(2)]


async def test_now_and_after_are_drawn_to_the_same_scale() -> None:
    now, after = await rows(a_plan(memory_before_bytes=72 * GIB, memory_after_bytes=144 * GIB), 61)
    assert now.count("█") * 2 == after.count("█")
    assert now.endswith("72G of 144G")
    assert after.endswith("144G of 144G")


async def test_an_unknown_memory_is_a_dash_and_not_an_empty_bar() -> None:
    now, after = await rows(a_plan(memory_after_bytes=None), 60)
    assert "█" in now
    assert "█" not in after
    assert after.endswith("– of 144G")


async def test_without_a_plan_nothing_is_claimed() -> None:
    for row in await rows(None, 60):
        assert row.endswith("– of –")
        assert "█" not in row


async def test_in_a_narrow_pane_the_figures_stay() -> None:
    now, after = await rows(a_plan(), 30)
    assert now == "now           40G of 144G"
    assert after == "after         78G of 144G"


def test_more_than_the_limit_is_a_full_bar_in_another_tone() -> None:
    assert text_of(used_bar(200, 100, 10)) == "█" * 10
    assert [level(ratio) for ratio in (None, 0.5, 0.95, 1.2)] == ["bar", "bar", "bar-warm", "bar-hot"]


def test_a_bar_keeps_its_width() -> None:
    assert {width_of(used_bar(used, 97, 13)) for used in (None, *range(0, 120, 7))} == {13}
