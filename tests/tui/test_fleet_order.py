from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetview.fleet import Fleet, NodeState
from fleetview.present.table.columns import COLUMNS
from fleetview.present.table.grouping import Group, group_line, grouped
from fleetview.present.table.sorting import SETTLE_SECONDS, Order, Sort, in_order, key_of, stands
from fleetview.present.text import text_of, width_of
from tests.builders import a_node, a_sample, a_traffic

NOW = 100.0
BY_SPEED = Sort.by("tps")


def a_fleet(**speeds: float | None) -> Fleet:
    """Nodes that generate at these rates."""
    return {name: answering(name, speed) for name, speed in speeds.items()}


def answering(name: str, speed: float | None, **changes: object) -> NodeState:
    sample = a_sample(traffic=(a_traffic(generation_tokens_per_second=speed),))
    return a_node(name, samples=(sample,), **changes)


def test_the_largest_number_and_the_first_name_come_first_and_unknown_is_last_both_ways() -> None:
    fleet = a_fleet(b=10.0, none=None, a=30.0, c=20.0)
    assert Order().of(fleet, BY_SPEED, NOW) == ("a", "c", "b", "none")
    assert Order().of(fleet, BY_SPEED.reversed(), NOW) == ("b", "c", "a", "none")
    assert Order().of(fleet, Sort.by("name"), NOW) == ("a", "b", "c", "none")
    assert Order().of(fleet, None, NOW) == tuple(fleet)


def test_figures_of_a_node_that_is_down_count_as_unknown_and_its_name_does_not() -> None:
    lost = answering("lost", 99.0, link="down")
    assert key_of(lost, "tps", NOW) is None
    assert key_of(lost, "name", NOW) == (0.0, "lost")


def test_rows_do_not_dance_for_figures_that_hardly_differ() -> None:
    order = Order()
    order.of(a_fleet(a=30.0, b=29.5), BY_SPEED, NOW)
    assert order.of(a_fleet(a=29.5, b=30.0), BY_SPEED, NOW + SETTLE_SECONDS) == ("a", "b")


def test_rows_change_places_for_a_real_difference_but_not_at_once() -> None:
    order = Order()
    order.of(a_fleet(a=30.0, b=20.0), BY_SPEED, NOW)
    assert order.of(a_fleet(a=10.0, b=20.0), BY_SPEED, NOW + SETTLE_SECONDS - 1) == ("a", "b")
    assert order.of(a_fleet(a=10.0, b=20.0), BY_SPEED, NOW + SETTLE_SECONDS) == ("b", "a")


def working(name: str, *seconds: bool) -> NodeState:
    """A node whose GPU has something to do in these seconds, and is idle in the others."""
    samples = (a_sample(at=float(at), gpu_ratio=0.9 if busy else 0.01) for at, busy in enumerate(seconds))
    return a_node(name, samples=tuple(samples), heard_at=NOW + len(seconds))


def test_who_is_asked_again_and_again_keeps_its_place_between_two_answers() -> None:
    order, by_load = Order(), Sort.by("gpu")
    busy, seldom = (True, False) * 60, (False, False, True, False) * 30
    for length in range(61, 120, int(SETTLE_SECONDS)):  # now this one answers, now the other
        fleet = {"seldom": working("seldom", *seldom[:length]), "often": working("often", *busy[:length])}
        assert order.of(fleet, by_load, NOW + length) == ("often", "seldom")
    later = {"seldom": working("seldom", *seldom, *(True,) * 60), "often": working("often", *busy, *busy[:60])}
    assert order.of(later, by_load, NOW + 180) == ("seldom", "often")


def test_another_wish_or_another_fleet_is_put_in_order_at_once() -> None:
    order = Order()
    order.of(a_fleet(a=30.0, b=20.0), BY_SPEED, NOW)
    assert order.of(a_fleet(a=30.0, b=20.0), BY_SPEED.reversed(), NOW) == ("b", "a")
    assert order.of(a_fleet(a=30.0, b=20.0, c=25.0), BY_SPEED.reversed(), NOW) == ("b", "c", "a")


@given(st.dictionaries(st.text(min_size=1, max_size=3), st.none() | st.floats(-1e6, 1e6), max_size=12), st.booleans())
def test_every_order_holds_every_node_once_and_stands(values: dict[str, float | None], descending: bool) -> None:
    keys = {name: None if value is None else (value, "") for name, value in values.items()}
    sort = Sort("tps", descending)
    names = in_order(keys, sort)
    assert sorted(names) == sorted(values)
    assert stands(names, keys, sort)
    known = [value for name in names if (value := values[name]) is not None]
    assert known == sorted(known, reverse=descending)


@pytest.mark.parametrize("name", [name for name, column in COLUMNS.items() if column.sort])
def test_every_column_can_give_the_order(name: str) -> None:
    fleet = {"a": a_node("a"), "b": a_node("b", samples=()), "c": NodeState("c")}
    assert set(Order().of(fleet, Sort.by(name), NOW)) == set(fleet)


def test_groups_come_as_the_file_has_them_with_the_nameless_one_last() -> None:
    roles = {"a": None, "b": "worker", "c": "head", "d": "worker"}
    fleet = {name: a_node(name, role=role) for name, role in roles.items()}
    expected = (Group("worker", ("d", "b")), "d", "b", Group("head", ("c",)), "c", Group("no role", ("a",)), "a")
    assert grouped(fleet, ("d", "c", "b", "a"), "role") == expected
    assert grouped(fleet, ("d", "c"), None) == ("d", "c")


def test_a_node_with_several_tags_stands_in_one_group() -> None:
    fleet = {"a": a_node("a", tags=("m3", "office")), "b": a_node("b", tags=("office",))}
    assert grouped(fleet, ("a", "b"), "tag") == (Group("m3", ("a",)), "a", Group("office", ("b",)), "b")


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_a_group_s_line_has_its_sums_as_far_as_there_is_room(width: int) -> None:
    fleet = {**a_fleet(a=10.0, b=20.0), "c": a_node("c", link="down")}
    line = group_line(Group("head", ("a", "b", "c")), fleet, NOW, width)
    assert width_of(line) == width
    assert "head" in text_of(line)
    assert ("30.0 tok/s" in text_of(line)) is (width >= 80)
