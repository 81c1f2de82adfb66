"""Charts of two minutes, an hour and two days, as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetview.present.node.charts import charts
from fleetview.present.node.curves import STRETCHES, Past, in_columns
from fleetview.present.text import Line, text_of, width_of
from fleetview_agent.wire import History, HistoryCurve
from tests.builders import GIB, a_node, a_sample

AT = 1_700_000_000.0
LIVE, HOUR, DAYS = STRETCHES
FIGURES = st.lists(st.none() | st.floats(0, 1e15), max_size=400).map(tuple)


def texts(lines: tuple[Line, ...]) -> list[str]:
    return [text_of(line).rstrip() for line in lines]


def row(lines: tuple[Line, ...], label: str) -> str:
    return next(text for text in texts(lines) if text.startswith(f"  {label}"))


def an_hour(*mean: float | None, high: float) -> History:
    curve = HistoryCurve(mean=mean, high=tuple(None if one is None else high for one in mean))
    return History(began_at=AT - 60 * len(mean), step_seconds=60, figures={"gpu_ratio": curve})


def test_a_column_is_the_mean_of_its_steps_and_a_gap_stays_a_gap() -> None:
    steps = (0.2, 0.4, None, None, 0.6, 0.8)
    history = History(began_at=AT - AT % 3600, step_seconds=60, figures={})
    assert in_columns(history, steps, 360, 3) == pytest.approx((0.3, None, 0.7))
    assert in_columns(history, steps, 360, 6) == steps
    assert in_columns(history, steps, 360, 12) == tuple(value for value in steps for _ in range(2))
    assert in_columns(history, steps, 720, 6) == pytest.approx((None, None, None, 0.3, None, 0.7))


@given(FIGURES, st.floats(0, 2e9), st.sampled_from((10.0, 60.0, 600.0)), st.integers(-1, 300))
def test_whatever_is_known_a_picture_is_as_wide_as_its_room(
    values: tuple[float | None, ...], began_at: float, step: float, width: int
) -> None:
    history = History(began_at=began_at, step_seconds=step, figures={})
    known = [value for value in values if value is not None]
    drawn = in_columns(history, values, DAYS.seconds, width)
    assert len(drawn) == max(0, width)
    assert all(value is None or min(known) * (1 - 1e-9) <= value <= max(known) * (1 + 1e-9) for value in drawn)


def test_a_history_tells_now_the_lowest_mean_and_the_highest_reading_over_a_named_axis() -> None:
    lines = charts(a_node(), Past(HOUR, an_hour(0.25, 0.5, None, 1.0, high=0.9), keys="[ ]"), 76)
    head, gpu, *_, axis = texts(lines)
    assert head.split() == ["last", "2", "min", "·", "1", "h", "·", "48", "h", "[", "]", "now", "low", "high"]
    assert [span[0] for span in lines[0] if span[1] == "strong"] == ["1 h"]
    assert gpu.split()[-3:] == ["50%", "25%", "90%"]
    assert axis.split() == ["1", "h", "ago", "30", "min", "ago", "now"]
    assert gpu.index("█") < axis.index("now") + 3 == width_of(lines[-1])


def test_what_was_heard_since_counts_for_the_highest_too() -> None:
    node = a_node(samples=(a_sample(gpu_ratio=0.97),))
    assert row(charts(node, Past(HOUR, an_hour(0.25, high=0.3)), 76), "GPU").split()[-3:] == ["97%", "25%", "97%"]


def test_a_figure_that_the_history_lacks_is_blank_and_one_that_nobody_knows_is_left_out() -> None:
    node = a_node(samples=(a_sample(power_watts=None, traffic=()),))
    lines = charts(node, Past(DAYS, an_hour(0.5, high=0.5)), 76)
    assert row(lines, "CPU").split() == ["CPU", "25%", "25%", "25%"]
    assert row(lines, "GPU memory").split() == ["GPU", "memory", "40G", "40G", "40G"]
    assert not any("power" in text or "tokens" in text for text in texts(lines))
    assert texts(lines)[-1].split() == ["48", "h", "ago", "24", "h", "ago", "now"]


def test_without_a_history_its_reason_takes_the_place_of_the_charts() -> None:
    assert texts(charts(a_node(), Past(DAYS), 76))[1:] == ["  asking for its history …"]
    told = texts(charts(a_node(), Past(DAYS, lack="its agent keeps none (upgrade fleetview-agent)"), 30))
    assert " ".join(" ".join(told[1:]).split()) == "no history: its agent keeps none (upgrade fleetview-agent)"
    empty = History(began_at=AT, step_seconds=600, figures={})
    assert "could not write it down" in texts(charts(a_node(), Past(DAYS, empty), 76))[1]


def test_live_charts_tell_the_lowest_and_highest_reading() -> None:
    samples = tuple(a_sample(at=AT + second, gpu_memory_used_bytes=(40 + second) * GIB) for second in range(3))
    lines = charts(a_node(samples=samples), Past(), 76)
    assert row(lines, "GPU memory").split()[-3:] == ["42G", "40G", "42G"]
    assert texts(charts(a_node(samples=()), Past(), 76)) == ["no figures yet"]


@pytest.mark.parametrize("width", [24, 30, 45, 60, 76, 144, 200])
def test_charts_keep_to_their_width(width: int) -> None:
    for past in (Past(), Past(DAYS, an_hour(0.5, high=0.5)), Past(DAYS, lack="refused " * 20)):
        lines = charts(a_node(), past, width)
        assert all(width_of(line) <= width for line in lines)


def test_two_charts_stand_beside_each_other_where_there_is_room() -> None:
    lines = texts(charts(a_node(), Past(HOUR, an_hour(0.5, high=0.5)), 160))
    beside = next(text for text in lines if text.startswith("  GPU  "))
    assert beside.split()[-4:-3] != ["GPU"]
    assert "swapping" in beside
    assert len(lines) == len(texts(charts(a_node(), Past(HOUR, an_hour(0.5, high=0.5)), 140))) - 4
    assert lines[-1].count("30 min ago") == 2
