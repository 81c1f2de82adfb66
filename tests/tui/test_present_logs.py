from __future__ import annotations

import pytest

from fleetview.present.logs import (
    Columns,
    Wanted,
    columns,
    entry,
    matches,
    news,
    nothing,
    row,
    rows_of,
    title,
    together,
)
from fleetview.present.text import text_of, width_of
from fleetview_agent.wire import LogLevel, LogLine

AT = 1_700_000_000.0


def a_line(text: str = "a line", level: LogLevel | None = None, source: str = "ollama", at: float = AT) -> LogLine:
    return LogLine(at=at, source=source, text=text, level=level)


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        (Wanted(), True),
        (Wanted(node="studio", source="ollama"), True),
        (Wanted(node="laptop"), False),
        (Wanted(source="llamacpp"), False),
        (Wanted(threshold="warning"), True),
        (Wanted(threshold="error"), False),
        (Wanted(filter="OUT of"), True),
        (Wanted(filter="!out of"), False),
        (Wanted(filter="memory & !swap"), True),
        (Wanted(filter="memory & swap"), False),
        (Wanted(filter="!"), True),
    ],
)
def test_a_line_is_shown_where_everything_that_is_looked_for_holds(wanted: Wanted, shown: bool) -> None:
    assert matches(entry("studio", a_line("nearly out of memory", "warning")), wanted) is shown


def test_a_line_that_does_not_tell_its_level_counts_as_info() -> None:
    one = entry("studio", a_line())
    assert matches(one, Wanted(threshold="info"))
    assert not matches(one, Wanted(threshold="warning"))
    assert not matches(entry("studio", a_line(level="debug")), Wanted(threshold="info"))


def test_only_what_came_after_the_line_seen_last_is_news() -> None:
    lines = tuple(a_line("the same") for _ in range(4))
    assert list(news(lines[1], lines)) == [lines[2], lines[3]]
    assert news(None, lines) == lines
    assert news(a_line("the same"), lines) == lines  # equal is not the same


def test_lines_that_were_told_and_heard_stand_once_and_in_order() -> None:
    first, second, third = (a_line(str(number), at=AT + number) for number in range(3))
    assert together((first, second), (second, third)) == (first, second, third)
    assert together((second, second), (second,)) == (second, second)


def test_a_row_takes_the_width_that_there_is() -> None:
    one = entry("head-primary", a_line("x" * 300, "error"))
    before = columns(("head-primary", "b"), Wanted(), 80)
    line = row(one, before, 80, None)
    assert width_of(line) == 80
    assert text_of(line).endswith("x…")
    assert text_of(line)[10:].startswith("head-primary ollama   error xxx")


def test_a_wrapped_line_is_shown_whole() -> None:
    one = entry("studio", a_line("ab" * 100))
    before = columns(("studio",), Wanted(node="studio"), 80)
    rows = [row(one, before, 80, part) for part in range(rows_of(one, 80 - before.width, wraps=True))]
    assert "".join(text_of(line)[before.width :] for line in rows) == "ab" * 100
    assert rows_of(one, 10, wraps=False) == 1


def test_time_and_level_that_ollama_writes_stand_in_their_columns_alone() -> None:
    assert entry("a", a_line('time=2025-06-01T12:00:00Z level=WARN msg="x"')).text == 'msg="x"'
    assert entry("a", a_line("[GIN] 2025/06/01 - 12:00:00 | 200 | 1ms")).text == "[GIN] 200 | 1ms"
    assert entry("a", a_line("at a time=1 level=2 of x")).text == "at a time=1 level=2 of x"


def test_wide_characters_are_never_halved() -> None:
    one = entry("studio", a_line("日本" * 50))
    rows = [row(one, Columns(), 32, part) for part in range(rows_of(one, 25, wraps=True))]
    assert max(map(width_of, rows)) <= 32
    assert "".join(text_of(line)[7:] for line in rows) == "日本" * 50


def test_a_wide_pane_tells_the_day_too() -> None:
    one = entry("studio", a_line("x"))
    wide, usual = (columns(("studio",), Wanted(), width) for width in (100, 80))
    assert wide.time - usual.time == len("14 Nov ")
    assert "14 Nov " in text_of(row(one, wide, 100, None)) or "15 Nov " in text_of(row(one, wide, 100, None))
    assert "Nov" not in text_of(row(one, usual, 80, None))


def test_a_narrow_pane_has_no_room_for_the_time() -> None:
    assert columns(("studio",), Wanted(), 40) == Columns(node=6)


def test_nothing_in_a_line_is_a_command_to_the_terminal() -> None:
    assert "\x1b" not in text_of(row(entry("studio\x1b", a_line("\x1b[2Jgone")), Columns(8, 8, 8), 80, None))


def test_the_title_says_what_is_shown_and_what_is_not() -> None:
    wanted = Wanted("studio", "ollama", "warning", "gpu")
    assert text_of(title(wanted, 41, 12, 100)).split("  ")[0].strip() == (
        "Logs of studio · ollama · warnings and errors · /gpu · 41 lines"
    )
    assert text_of(title(wanted, 41, 12, 100)).rstrip().endswith("12 new lines below, G follows")
    assert text_of(title(Wanted(), 1, 0, 80)).startswith(" Logs of all nodes · agent and engines · 1 line  ")
    assert text_of(title(Wanted(), 1, 0, 80)).endswith("  follows ")
    assert text_of(title(Wanted(), 1, 0, 80, paused=True)).rstrip().endswith("paused")
    assert "stale, last heard 9 s ago" in text_of(title(Wanted(), 1, 0, 80, lack="stale, last heard 9 s ago"))
    silent = "laptop-secondary tells nothing: down: no agent answers on laptop-secondary"
    assert text_of(title(Wanted(), 67, 0, 80, lack=silent)).startswith(" Logs of all nodes · 67 lines  ")
    assert width_of(title(wanted, 41, 12, 40, lack="down: " + "no route to host " * 9)) <= 40


@pytest.mark.parametrize(
    ("wanted", "others", "lack", "words"),
    [
        (Wanted("studio"), 0, None, "Nothing has been written by studio since the agent there began."),
        (Wanted("studio"), 7, "the agent is too old", "the agent is too old"),
        (Wanted(threshold="error"), 7, None, "None of 7 lines of the nodes is shown: v shows other levels."),
        (Wanted("studio", "ollama"), 1, None, "ollama has written none of them; tab shows another source"),
        (Wanted(filter="x"), 7, None, "esc shows what / hides"),
    ],
)
def test_why_no_line_is_shown_is_said(wanted: Wanted, others: int, lack: str | None, words: str) -> None:
    assert words in nothing(wanted, others, lack)
