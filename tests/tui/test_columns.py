from __future__ import annotations

from pathlib import Path

import pytest

from fleetview.config import ConfigError, read_config
from fleetview.fleet import NodeState
from fleetview.present.table.cells import abbreviated
from fleetview.present.table.columns import COLUMNS
from fleetview.present.table.freshness import changed
from fleetview.present.table.rows import Choice, heading, layout, row
from fleetview.present.table.sorting import Sort
from fleetview.present.table.wrong_columns import wrong_columns
from fleetview.present.text import Line, text_of, width_of
from tests.builders import a_backend_state, a_node, a_resident, a_sample, a_traffic, an_operation

NOW = 100.0
USUAL = Choice()


def titles(width: int, choice: Choice = USUAL) -> list[str]:
    return text_of(heading(layout({"head-primary": a_node()}, width, choice), width)).split()


def line_of(node: NodeState, width: int, choice: Choice = USUAL, *, fresh: bool = False) -> Line:
    columns = layout({node.name: node}, width, choice)
    return row(node, NOW, columns, width, selected=False, fresh=fresh)


@pytest.mark.parametrize("width", [30, 40, 60, 80, 120, 160, 200, 260])
@pytest.mark.parametrize("wide", [False, True])
def test_every_width_is_filled_exactly_with_columns_that_fit(width: int, wide: bool) -> None:
    node = a_node("head-primary", role="head", operations=(an_operation(),))
    choice = Choice(wide=wide)
    columns = layout({node.name: node}, width, choice)
    assert width_of(heading(columns, width)) == width_of(line_of(node, width, choice)) == width
    assert columns[0].column.name == "name"


def test_a_small_pane_has_name_load_room_and_speed_alone() -> None:
    assert titles(40) == ["NODE", "GPU", "FREE", "P", "TOK/S"]
    assert text_of(line_of(a_node("studio"), 40)).split()[:4] == ["●", "studio", "50%", "104G"]


def test_the_state_is_a_word_where_there_is_room_and_a_symbol_everywhere() -> None:
    busy = a_node(operations=(an_operation(),))
    assert " busy " in text_of(line_of(busy, 100))
    assert " busy " not in text_of(line_of(busy, 80))
    assert "◐" in text_of(line_of(busy, 80))


def test_wide_shows_more_columns_at_the_same_width() -> None:
    for width in (80, 120, 200):
        usual, wide = (layout({"head-primary": a_node()}, width, Choice(wide=wide)) for wide in (False, True))
        assert {place.column.name for place in usual} < {place.column.name for place in wide}
    assert {"AGENT", "HEARD"} <= set(titles(300, Choice(wide=True)))


def test_a_large_pane_has_histories() -> None:
    assert text_of(heading(layout({"a": a_node()}, 200), 200)).count("2 MIN") == 3


def test_the_operator_s_columns_stand_in_the_operator_s_order_after_the_name() -> None:
    assert titles(80, Choice(("tps", "power", "name", "memory"))) == ["NODE", "TOK/S", "POWER", "MEMORY", "FREE"]
    assert titles(40, Choice(("tps", "temperature", "uptime", "power"))) == ["NODE", "TOK/S", "TEMP", "POWER"]


@pytest.mark.parametrize("name", COLUMNS)
def test_every_column_shows_what_is_known_and_a_dash_for_what_is_not(name: str) -> None:
    full = a_node(role="head", tags=("x",), samples=(a_sample(traffic=(a_traffic(generation_tokens_per_second=9.0),)),))
    empty = a_node(role=None, samples=(), backends={}, machine=None, heard_at=NOW)
    placed = layout({"a": full}, 80, Choice((name,)))[-1]
    for node in (full, empty):
        cell = placed.column.cell(node, NOW, placed.width)
        assert width_of(cell) <= placed.width
    known = text_of(placed.column.cell(full, NOW, placed.width)).strip()
    assert known not in {"", "–"}
    unknown = text_of(placed.column.cell(empty, NOW, placed.width)).strip()
    assert unknown in {"–", ""} or name in {"name", "state", "age", "gpu", "memory"}


def test_power_says_what_it_is_of_where_that_is_not_the_whole_machine() -> None:
    choice = Choice(("power",))
    assert text_of(line_of(a_node(samples=(a_sample(power_covers="gpu"),)), 60, choice)).rstrip().endswith("95 W GPU")
    assert text_of(line_of(a_node(samples=(a_sample(power_covers="system"),)), 60, choice)).rstrip().endswith("95 W")


def test_power_takes_no_more_room_than_its_watts_where_every_meter_is_of_a_whole_machine() -> None:
    whole, part = (a_node(samples=(a_sample(power_covers=covers),)) for covers in ("system", "gpu"))
    widths = [{place.column.name: place.width for place in layout({"a": node}, 120)}["power"] for node in (whole, part)]
    assert widths == [6, 11]
    assert "POWER" in titles(120)
    assert text_of(line_of(whole, 120))[text_of(heading(layout({"studio": whole}, 120), 120)).index("POWER") + 4] == "W"


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_rows_keep_clear_of_the_right_edge(width: int) -> None:
    long = a_node(reason="x" * 300, link="down", link_since=NOW, retry_at=None)
    stale = a_node(backends={"a": a_backend_state(resident=(a_resident("y" * 300),))}, heard_at=NOW - 5)
    for node in (long, stale, a_node(backends=stale.backends)):
        assert text_of(line_of(node, width)).endswith(" ")
        assert len(text_of(line_of(node, width)).rstrip()) >= width - 4


@pytest.mark.parametrize("width", [40, 60])
def test_where_an_age_takes_the_place_of_a_figure_no_part_of_that_figure_is_left(width: int) -> None:
    assert "…" not in text_of(line_of(a_node("laptop-secondary", heard_at=NOW - 5), width))


def test_the_heading_points_the_way_of_the_order() -> None:
    columns = layout({"a": a_node()}, 80)
    assert " T/S▼" in text_of(heading(columns, 80, Sort.by("tps")))
    assert " T/S▲" in text_of(heading(columns, 80, Sort.by("tps").reversed()))
    assert "NODE▲" in text_of(heading(columns, 80, Sort.by("name")))
    assert "P▼" in text_of(heading(columns, 80, Sort.by("pressure")))


def test_old_figures_of_a_small_pane_say_how_old_they_are() -> None:
    columns = layout({"studio": a_node()}, 40)
    line = row(a_node(), NOW + 5, columns, 40, selected=False)
    assert text_of(line).endswith(" stale 5 s")
    assert width_of(line) == 40


def test_a_long_name_is_abbreviated_before_it_is_cut() -> None:
    assert abbreviated("worker-primary", 14) == "worker-primary"
    assert abbreviated("worker-primary", 10) == "w-primary"
    assert abbreviated("worker-primary", 6) == "worke…"


def test_a_phase_that_has_just_changed_is_bright_and_a_figure_is_not() -> None:
    before = a_node()
    loading = a_backend_state(resident=(a_resident(phase="loading"),))
    after = a_node(backends={"llamacpp": loading})
    assert changed(before, after)
    assert changed(before, a_node(backends=before.backends, operations=(an_operation(),)))
    assert not changed(before, a_node(backends=before.backends, samples=(a_sample(gpu_ratio=0.9),)))
    assert not changed(NodeState("studio"), after)
    assert ("small", "strong") in line_of(before, 80, fresh=True)
    assert ("small", "plain") in line_of(before, 80)


def test_an_unknown_column_is_named_with_the_nearest_and_its_line(tmp_path: Path) -> None:
    file = tmp_path / "fleet.toml"
    file.write_text('[ui]\ncolumns = ["name", "presure"]\nsort = "tpss"\ngroup = "role"\n')
    with pytest.raises(ConfigError) as raised:
        read_config(file, wrong_columns)
    first, second = (str(mistake) for mistake in raised.value.mistakes)
    assert first == f"{file}:2: there is no column presure; did you mean pressure?"
    assert second == f"{file}:3: there is no column tpss; did you mean tps?"


def test_the_wishes_of_the_fleet_file_about_the_table(tmp_path: Path) -> None:
    file = tmp_path / "fleet.toml"
    file.write_text('[ui]\ncolumns = ["gpu", "tps"]\nsort = "tps"\ngroup = "tag"\n')
    ui = read_config(file, wrong_columns).ui
    assert (ui.columns, ui.sort, ui.group) == (("gpu", "tps"), "tps", "tag")
    file.write_text('[ui]\ngroup = "size"\n')
    with pytest.raises(ConfigError, match=r"ui.group must be 'role' or 'tag'"):
        read_config(file, wrong_columns)
