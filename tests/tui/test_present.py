from __future__ import annotations

from dataclasses import replace

import pytest

from fleetview.fleet import Ended, NodeState
from fleetview.present import age, cut, duration, percent, plain, rate, size
from fleetview.present import context as context_size
from fleetview.present.figures import bar, columns, sparkline
from fleetview.present.measures import memory_free, memory_ratio
from fleetview.present.models.brief import cell
from fleetview.present.node.panel import machine, panel
from fleetview.present.signs import SYMBOLS
from fleetview.present.summary import View, header
from fleetview.present.table import rows
from fleetview.present.text import Line, difference, text_of, width_of
from fleetview_agent.wire import Failure
from tests.builders import (
    GIB,
    a_backend_state,
    a_machine,
    a_node,
    a_resident,
    a_sample,
    a_traffic,
    an_operation,
    an_unload_request,
)

AT = 1_700_000_000.0


def row(node: NodeState, width: int = 80, now: float = 100.0) -> str:
    layout = rows.layout({node.name: node}, width)
    return text_of(rows.row(node, now, layout, width, selected=False))


def texts(lines: tuple[Line, ...]) -> str:
    return "\n".join(text_of(line) for line in lines)


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (None, "–"),
        (0, "0"),
        (20, "<1M"),
        (280 << 20, "280M"),
        (GIB, "1.0G"),
        (int(4.04 * GIB), "4.0G"),
        (int(9.96 * GIB), "10G"),
        (332 * GIB, "332G"),
        (1946 * GIB, "1.9T"),
    ],
)
def test_memory_is_written_in_gib(amount: int | None, expected: str) -> None:
    assert size(amount) == expected


def test_unknown_numbers_are_dashes_and_zero_is_a_zero() -> None:
    assert [percent(None), rate(None), duration(None), context_size(None)] == ["–"] * 4
    assert [percent(0.0), rate(0.0), context_size(8192), context_size(1000)] == ["0%", "0", "8k", "1000"]


def test_times_have_one_unit() -> None:
    assert [age(4.0), age(61.0), age(7300.0), age(200_000.0)] == ["4 s", "1 min", "2 h", "2 d"]
    assert [duration(0.41), duration(11.24), duration(1.2)] == ["0.41 s", "11 s", "1.2 s"]


def test_text_from_a_node_cannot_command_the_terminal() -> None:
    nasty = "a\x1b[31mb\x07c\u202ed\u200be\nf\x9b1m"
    assert plain(nasty) == "a�[31mb�c�d�e f�1m"
    assert plain("[bold]x[/bold] é 日本") == "[bold]x[/bold] é 日本"
    assert len(plain("x" * 10_000)) == 500


def test_what_does_not_fit_ends_with_an_ellipsis_also_in_wide_characters() -> None:
    assert cut("qwen3:32b", 9) == "qwen3:32b"
    assert cut("qwen3:32b", 8) == "qwen3:3…"
    assert cut("日本語", 4) == "日…"
    assert cut("x", 0) == ""


def test_a_bar_shows_little_as_something_and_unknown_as_nothing() -> None:
    assert text_of(bar(0.5, 8)) == "████    "
    assert text_of(bar(0.001, 8)) == "▏       "
    assert text_of(bar(0.0, 8)) == " " * 8
    assert text_of(bar(2.0, 8)) == "█" * 8
    assert bar(None, 8) == ((" " * 8, "dim"),)


def test_a_sparkline_leaves_a_gap_where_nothing_is_known() -> None:
    assert sparkline((0.0, None, 0.5, 1.0), 1.0) == "▁ ▅█"
    assert sparkline((0.0, 0.0), 0.0) == "▁▁"
    nan, endless = float("nan"), float("inf")
    assert sparkline((nan, 0.5, endless), 1.0) == " ▅ "
    assert sparkline((0.5,), nan) == "▁"


def test_a_history_does_not_flicker_when_one_more_sample_comes() -> None:
    samples = tuple(a_sample(at=AT + second, cpu_ratio=second % 7 / 7) for second in range(120))
    before = columns(samples, lambda one: one.cpu_ratio, 24)
    after = columns((*samples[1:], a_sample(at=AT + 120, cpu_ratio=0.5)), lambda one: one.cpu_ratio, 24)
    assert len(before) == len(after) == 24
    assert before[5:20] in (after[5:20], after[4:19])


def test_free_memory_is_the_smaller_of_gpu_room_and_what_the_machine_has_left() -> None:
    sample = a_sample(gpu_memory_limit_bytes=144 * GIB, gpu_memory_used_bytes=40 * GIB, memory_available_bytes=28 * GIB)
    assert memory_free(a_node(samples=(sample,))) == 28 * GIB
    linux = a_node(machine=a_machine(platform="linux", gpu="RTX"), samples=(sample,))
    assert memory_free(linux) == 104 * GIB
    assert memory_free(a_node(samples=())) is None
    assert memory_ratio(a_node(samples=())) is None


def test_a_row_holds_load_room_pressure_speed_and_model_in_its_columns() -> None:
    node = a_node("head-primary", samples=(a_sample(traffic=(a_traffic(generation_tokens_per_second=14.23),)),))
    layout = rows.layout({"head-primary": node}, 80)
    heading = text_of(rows.heading(layout, 80))
    line = row(node)
    assert line.startswith(" ● head-primary")
    for title, value in (("GPU", "████"), ("MODEL", "small")):
        assert heading.index(title) == line.index(value)
    assert heading.index("TOK/S") + len("TOK/S") == line.index("14.2") + len("14.2")
    assert "104G" in line
    assert "50%" in line


@pytest.mark.parametrize("width", [20, 40, 59, 60, 80, 109, 110, 149, 150, 200])
def test_rows_and_heading_are_exactly_as_wide_as_the_pane(width: int) -> None:
    busy = a_node("a-node-with-a-very-long-name", operations=(an_operation(),))
    nodes = (busy, a_node(), a_node(link="down", reason="x" * 300), NodeState("new"), a_node(samples=()))
    layout = rows.layout({node.name: node for node in nodes}, width)
    assert width_of(rows.heading(layout, width)) == width
    for node in nodes:
        assert width_of(rows.row(node, 105.0, layout, width, selected=True)) == width


def test_a_narrow_pane_has_numbers_instead_of_bars() -> None:
    assert "█" in row(a_node(), 80)
    assert "█" not in row(a_node(), 50)
    assert "50%" in row(a_node(), 50)


def test_a_wide_pane_says_pressure_in_words_and_has_more_figures() -> None:
    assert "normal" in row(a_node(), 120)
    assert "52 °C" in row(a_node(), 200)
    assert "95 W" in row(a_node(), 120)


def test_a_machine_without_a_gpu_shows_its_cpu_and_says_that_it_is_the_cpu() -> None:
    box = a_node("box", machine=a_machine(gpu=None), samples=(a_sample(cpu_ratio=0.37, gpu_ratio=None),))
    assert "CPU" in text_of(rows.heading(rows.layout({"box": box}, 80), 80))
    mixed = {"box": box, "mac": a_node("mac")}
    layout = rows.layout(mixed, 80)
    assert "GPU" in text_of(rows.heading(layout, 80))
    line = text_of(rows.row(box, 100.0, layout, 80, selected=False))
    assert "cpu" in line
    assert "37%" in line
    narrow = rows.layout(mixed, 50)
    assert "37%" not in text_of(rows.row(box, 100.0, narrow, 50, selected=False))


def test_a_lost_node_says_since_when_why_and_when_it_is_tried_again() -> None:
    lost = a_node("gone", link="down", reason="no route to host", link_since=60.0, retry_at=112.0)
    assert "○ gone  down 40 s · no route to host · next try 12 s" in row(lost)
    assert "press r" in row(replace(lost, retry_at=None))
    assert "trying now" in row(lost, now=113.0)


def test_old_figures_are_dim_and_say_how_old_they_are() -> None:
    layout = rows.layout({"studio": a_node()}, 80)
    line = rows.row(a_node(), 105.0, layout, 80, selected=False)
    assert "stale 5 s · small" in text_of(line)
    assert {tone for text, tone in line[2:] if text.strip()} == {"dim", "off", "warm"}


def test_every_condition_looks_different_without_colour() -> None:
    assert len({symbol for symbol, _ in SYMBOLS.values()}) == len(SYMBOLS)


def test_the_model_column_says_what_is_going_on() -> None:
    def said(node: NodeState, width: int = 30) -> str:
        return text_of(cell(node, 100.0, width)).strip()

    def with_resident(*models: object) -> NodeState:
        return a_node(backends={"llamacpp": a_backend_state(resident=models)})

    assert said(with_resident()) == "–"
    assert said(with_resident(a_resident("a"), a_resident("b"))) == "a +1"
    assert said(with_resident(a_resident("a"), a_resident("b", phase="failed"))) == "b failed +1"
    assert said(with_resident(a_resident("a", phase="loading", progress=0.3))) == "a load 30%"
    assert said(a_node(samples=(a_sample(traffic=(a_traffic(queued=3),)),))) == "small 3 wait"
    running = a_node(samples=(a_sample(traffic=(a_traffic(in_flight=2),)),))
    assert said(running) == "small · 2 in flight"
    assert said(running, 12) == "small"
    assert said(a_node(operations=(an_operation(), an_operation(id="2")))).split() == ["large", "load", "50%", "+1"]
    assert said(a_node(operations=(an_operation(progress=None, phase="drain"),))) == "large drain"


def test_an_operation_that_ended_stays_a_few_seconds_with_its_result() -> None:
    done = an_operation(result="done", ended_at=AT + 11.2)
    node = a_node(ended=(Ended(done, 96.0),), last=Ended(done, 96.0))
    assert text_of(cell(node, 100.0, 30)) == "✓ large 11 s"
    assert text_of(cell(node, 120.0, 30)) == "small"
    failed = an_operation(result="rolled_back", cause="out of memory")
    lost = a_node(ended=(Ended(failed, 96.0),))
    assert text_of(cell(lost, 100.0, 60)) == "✗ rolled back: out of memory large"
    assert text_of(cell(lost, 100.0, 18)) == "✗ rolled back large"
    gone = an_operation(request=an_unload_request(), result="done", ended_at=AT + 1)
    assert text_of(cell(a_node(ended=(Ended(gone, 99.0),)), 100.0, 40)) == "✓ small unloaded 1.0 s"
    assert text_of(cell(a_node(ended=(Ended(gone, 99.0),)), 100.0, 17)) == "✓ small unloaded"


def test_a_bar_of_progress_lies_under_the_model_and_its_phase() -> None:
    line = cell(a_node(operations=(an_operation(progress=0.5),)), 100.0, 20)
    assert text_of(line) == "large       load 50%"
    assert line[0] == ("large     ", "fill")


def test_the_header_sums_what_is_known_of_living_nodes_alone() -> None:
    fleet = {"a": a_node("a"), "b": a_node("b", link="down"), "c": a_node("c", samples=(a_sample(power_watts=None),))}
    line = text_of(header("studio", fleet, 100.0, 80, View()))
    assert line.startswith(" studio · 2 of 3 up · 208G free of 288G · 0 tok/s · 95 W")
    assert line.endswith("▲ 1 alert ")
    assert "all well" in text_of(header("studio", {"a": a_node("a")}, 100.0, 80, View()))


def test_the_header_adds_up_no_power_of_different_things() -> None:
    whole, gpu = a_sample(power_watts=95.0, power_covers="system"), a_sample(power_watts=300.0, power_covers="gpu")
    fleet = {name: a_node(name, samples=(sample,)) for name, sample in (("a", whole), ("b", whole), ("c", gpu))}
    assert "· 190 W + 300 W GPU" in text_of(header("studio", fleet, 100.0, 120, View()))


def test_a_card_of_its_own_is_named_beside_the_processor() -> None:
    box = a_machine(chip="Intel(R) Xeon(R) 6", cpu_cores=16, gpu="NVIDIA H100 80GB HBM3", gpu_count=2, gpu_cores=16896)
    assert machine(box)[:2] == ("Intel Xeon 6 16 cores", "2 × H100 80GB HBM3")
    assert machine(a_machine())[0] == "M2 Ultra 76 GPU cores"


def test_a_narrow_header_drops_figures_and_keeps_the_alerts() -> None:
    line = text_of(header("studio", {"a": a_node("a", link="down"), "b": a_node("b")}, 100.0, 40, View()))
    assert line.startswith(" studio · 1 of 2 up")
    assert "▲ 1 alert" in line
    assert width_of(((line, "plain"),)) == 40


def test_the_header_counts_requests_and_operations_and_says_which_key_goes_to_an_alert() -> None:
    busy = a_node("a", samples=(a_sample(pressure="critical", traffic=(a_traffic(in_flight=3),)),))
    fleet = {"a": replace(busy, operations=(an_operation(),)), "b": a_node("b", link="down")}
    line = text_of(header("studio", fleet, 100.0, 120, View(next_alert="n")))
    assert "3 in flight · 1 operation" in line
    assert line.endswith("▲ 2 alerts n ")


def test_the_panel_says_what_an_alert_is_about() -> None:
    failure = Failure(reason="out of memory")
    engine = a_backend_state(phase="failed", failure=failure, resident=(a_resident("b", phase="orphaned"),))
    node = a_node(backends={"llamacpp": engine}, samples=(a_sample(pressure="critical"),))
    expected = "llamacpp failed: out of memory · memory pressure is critical (level 1, 66 % free) · b is orphaned"
    assert expected in texts(panel(node, 100.0, 160, 10))
    assert "▲" not in texts(panel(a_node(), 100.0, 160, 10))


def test_the_header_says_demo_filter_pause_and_read_only() -> None:
    fleet = {"a": a_node("a", machine=a_machine(simulated=True))}
    line = text_of(header("studio", fleet, 100.0, 120, View("wor", paused=True, readonly=True, pause="p")))
    assert "paused p" in line
    assert "DEMO" in text_of(header("studio", {"a": a_node("a", link="connecting")}, 100.0, 80, View(demo=True)))
    assert all(word in line for word in ("DEMO", "/wor", "paused", "read-only"))


def test_nothing_is_well_before_anything_was_heard() -> None:
    assert "all well" not in text_of(header("studio", {"a": NodeState("a")}, 100.0, 80, View()))


def test_only_the_cells_that_changed_are_drawn_again() -> None:
    old: Line = (("cpu ", "dim"), (" 7%", "plain"), (" end", "dim"))
    assert difference(old, (("cpu ", "dim"), ("12%", "plain"), (" end", "dim"))) == (4, 3)


def test_a_line_that_grows_is_drawn_again_to_its_end() -> None:
    old: Line = (("here", "strong"), (" · chip", "dim"))
    new: Line = (("here", "strong"), (" busy", "accent"), (" · chip", "dim"))
    assert difference(old, new) == (4, 12)
    assert difference(new, old) == (4, 12)
