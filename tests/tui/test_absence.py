"""Why a node shows no figures, or old ones: in its row, below it, and in its own view."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleetview.fleet import NodeState
from fleetview.present.measures import alert
from fleetview.present.node.detail import detail
from fleetview.present.node.panel import panel
from fleetview.present.node.remarks import remarks
from fleetview.present.table import rows
from fleetview.present.text import Line, text_of, width_of
from fleetview.present.wrapping import flowing, wrapped
from fleetview_agent.wire import PROTOCOL
from tests.builders import a_node, a_sample

KNOWN, NOW = "SHA256:" + "k" * 43, "SHA256:" + "n" * 43
CHANGED = f"host key changed: known {KNOWN} now {NOW} (if it is a new one, `ssh-keygen -R laptop` forgets it)"
LOST = a_node("laptop-secondary", link="down", reason=CHANGED, link_since=60.0, retry_at=112.0)
OLD = a_node("studio", link="connecting", heard_at=100.0 - 7200, link_since=None, samples=(a_sample(traffic=()),))


def row(node: NodeState, width: int) -> str:
    return text_of(rows.row(node, 100.0, rows.layout({node.name: node}, width), width, selected=False)).rstrip()


def texts(lines: tuple[Line, ...]) -> str:
    return "\n".join(text_of(line) for line in lines)


def in_one_line(lines: tuple[Line, ...]) -> str:
    """The words without the line ends that were put between them or into them."""
    return "".join(texts(lines).split())


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (40, "○ laptop-secondary host key changed: k…"),
        (60, "○ laptop-secondary down 40 s · host key changed: known SH…"),
        (80, "○ laptop-secondary down 40 s · host key changed: known SHA256… · next try 12 s"),
    ],
)
def test_of_a_long_reason_the_first_words_survive(width: int, expected: str) -> None:
    assert row(LOST, width).strip() == expected


def test_where_there_is_room_for_the_reason_nothing_is_left_out() -> None:
    short = replace(LOST, reason="login refused")
    assert row(short, 80).endswith("down 40 s · login refused · next try 12 s")
    assert row(replace(short, retry_at=None), 80).endswith("down 40 s · login refused · press r to try again")
    assert row(replace(short, retry_at=99.0), 80).endswith("· trying now")


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_the_whole_reason_can_be_read_below_the_table_and_in_the_view_of_the_node(width: int) -> None:
    for lines in (panel(LOST, 100.0, width, 30), detail(LOST, 100.0, width)):
        assert in_one_line((((CHANGED, "plain"),),)) in in_one_line(lines)
        assert "nexttry12s" in in_one_line(lines)
        assert all(width_of(line) <= width for line in lines)


def test_old_figures_are_dim_without_traffic_and_say_that_it_is_connecting() -> None:
    layout = rows.layout({"studio": OLD}, 80)
    line = rows.row(OLD, 100.0, layout, 80, selected=False)
    assert text_of(line).startswith(" ◌ studio")
    assert "50%" in text_of(line)
    assert "–  2 h old, connecting" in text_of(line)
    assert {tone for text, tone in line[2:] if text.strip()} == {"dim", "off", "warm"}
    assert "2 h old, connecting · small" in row(OLD, 120)
    assert "2 h old" in row(OLD, 40)


def test_the_view_of_old_figures_says_of_when_they_are_and_no_uptime() -> None:
    for lines in (panel(OLD, 100.0, 100, 7), detail(OLD, 100.0, 100)):
        assert "◌ 2 h old, connecting" in texts(lines)
        assert "· up " not in texts(lines)
    assert "last heard 2 h ago; what follows is as it was then" in texts(detail(OLD, 100.0, 100))


def test_a_node_that_is_not_there_yet_is_no_alert_and_one_that_fell_silent_is() -> None:
    assert alert(OLD, 100.0) is None
    assert alert(a_node(), 105.0) == "stale"


def test_a_newer_agent_and_lines_without_sense_are_remarked() -> None:
    odd = a_node("head-primary", protocol=PROTOCOL + 1, dropped=3)
    newer, dropped = remarks(odd)
    assert f"the agent of head-primary is newer: it speaks protocol {PROTOCOL + 1}, and this fleetview" in newer
    assert "upgrade fleetview" in newer
    assert dropped == "3 lines of head-primary made no sense and were skipped"
    assert remarks(a_node("one", dropped=1)) == ("1 line of one made no sense and was skipped",)
    assert remarks(a_node()) == ()
    for said in remarks(odd):
        assert "".join(said.split()) in in_one_line(detail(odd, 100.0, 60))


def test_wrapped_lines_keep_every_word_and_break_only_what_is_longer_than_a_line() -> None:
    line: Line = (("one ", "hot"), ("two three · ", "plain"), ("x" * 12, "dim"))
    assert [text_of(one) for one in wrapped(line, 10)] == ["one two", "  three ·", "  xxxxxxxx", "  xxxx"]
    assert wrapped(line, 10)[0][0] == ("one ", "hot")
    assert [text_of(one) for one in wrapped((("日本語日本語", "plain"),), 6)] == ["日本", "  語日", "  本語"]
    assert wrapped((), 10) == ()


def test_flowing_lines_break_between_their_parts_and_within_one_only_that_is_longer_than_a_line() -> None:
    parts: tuple[Line, ...] = ((("one two", "hot"),), (("3", "dim"),), (("four five", "dim"),), (("x" * 13, "dim"),))
    assert [text_of(one) for one in flowing(parts, 12)] == ["one two · 3", "  four five", "  xxxxxxxxxx", "  xxx"]
    assert [text_of(one) for one in flowing(parts[:3], 12, 0)] == ["one two · 3", "four five"]
    assert {tone for _, tone in flowing(parts, 12)[0][:2]} == {"hot"}
    assert flowing((), 12) == ()


def test_no_line_ends_between_a_number_and_its_unit() -> None:
    line: Line = (("evict 0.19 s · warm 0.10 s", "plain"),)
    assert [text_of(one) for one in wrapped(line, 25)] == ["evict 0.19 s · warm", "  0.10 s"]
