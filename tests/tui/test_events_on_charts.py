"""What was done to a node, as marks under its charts."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from fleetview.fleet import Ended
from fleetview.present.node.charts import charts
from fleetview.present.node.curves import STRETCHES, Past
from fleetview.present.node.events_on_charts import clock, events, legend, row, seen
from fleetview.present.text import text_of
from fleetview_agent.wire import History, HistoryCurve, Operation, PinRequest, StartRequest
from tests.builders import AUTHOR, a_load_request, a_node, a_sample, a_swap_request, an_operation, an_unload_request

AT = 1_700_000_000.0  # 22:13:20 in Greenwich, on a Tuesday
LIVE, HOUR, DAYS = STRETCHES
WIDTH = 60


@pytest.fixture(autouse=True)
def _greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def done(name: str, ago: float, **changes: object) -> Operation:
    """An operation that took 12 s and ended so long before the newest reading."""
    told = {"phase": "ready", "result": "done", "queued_at": AT - ago - 12, "ended_at": AT - ago}
    return an_operation(id=name, **{**told, **changes})


def past(*journal: Operation, unread: str | None = None) -> Past:
    """An hour of history, and a journal."""
    curve = HistoryCurve(mean=(0.5,) * 60, high=(0.5,) * 60)
    history = History(began_at=AT - 3600, step_seconds=60, figures={"gpu_ratio": curve})
    return Past(HOUR, history, journal=journal, unread=unread)


def columns(what: Past) -> dict[int, str]:
    """Column → sign."""
    return {column: one.sign for column, one in seen(a_node(), what, WIDTH)}


def test_each_kind_of_event_has_its_sign_in_the_column_of_its_time() -> None:
    start = StartRequest(author=AUTHOR, backend="ollama")
    requests = {"▲": a_load_request(), "◆": a_swap_request(), "▼": an_unload_request(), "●": start}
    journal = tuple(done(sign, 60.0 * ago, request=one) for ago, (sign, one) in enumerate(requests.items(), 5))
    assert columns(past(*journal)) == {54: "▲", 53: "◆", 52: "▼", 51: "●"}


def test_what_did_not_end_well_is_marked_as_failed_whatever_it_was() -> None:
    pin = PinRequest(author=AUTHOR, backend="ollama", model="small")
    failed = [done(result, 60.0, result=result, request=pin) for result in ("failed", "rolled_back", "interrupted")]
    found = events(a_node(), (*failed, done("fine", 60.0, request=pin)))
    assert [(one.sign, one.tone) for one in found] == [("!", "hot")] * 3


def test_events_outside_the_stretch_are_not_marked_and_those_after_the_last_reading_are_now() -> None:
    assert columns(past(done("old", 3700))) == {}
    assert columns(past(done("first", 3550))) == {0: "◆"}
    assert columns(past(done("just now", -5))) == {WIDTH - 1: "◆"}
    assert columns(past(done("the clock was set back", -3000))) == {}


def test_several_events_in_a_column_are_their_number_and_a_failure_among_them_is_seen() -> None:
    both = past(done("a", 301), done("b", 302, result="failed"), done("c", 600))
    line = row(seen(a_node(), both, WIDTH), WIDTH)
    assert text_of(line).strip() == "◆    2"
    assert [tone for text, tone in line if "2" in text] == ["hot"]
    many = past(*(done(str(number), 300 + number) for number in range(12)))
    assert text_of(row(seen(a_node(), many, WIDTH), WIDTH)).strip() == "+"


def test_an_operation_known_from_several_sides_counts_once_and_one_in_hand_is_marked_where_it_began() -> None:
    over = done("a", 10)
    node = a_node(last=Ended(over, 90.0), ended=(Ended(over, 90.0),), operations=(an_operation(queued_at=AT - 60),))
    found = events(node, (over,))
    assert [one.words for one in found] == ["swap to large: load 50%", "swap to large, 12 s"]
    assert [one.at for one in found] == [AT - 60, AT - 10]


def test_live_charts_mark_what_was_done_under_the_readings_of_that_time() -> None:
    samples = tuple(a_sample(at=AT - 119 + second, gpu_ratio=1.0 if second > 89 else 0.0) for second in range(120))
    node = a_node(samples=samples)
    lines = [text_of(line) for line in charts(node, Past(journal=(done("a", 29),)), 76)]
    gpu = next(line for line in lines if line.startswith("  GPU  "))
    marked = next(line for line in lines if line.startswith("  1 event"))
    assert abs(marked.index("◆") - gpu.index("█")) <= 1


def test_the_last_events_are_told_in_words_newest_first_with_how_many_came_before() -> None:
    journal = [done(str(number), 300.0 * number) for number in range(1, 5)]
    journal[1] = done("2", 600.0, result="failed", cause="exit status 137")
    what = past(*journal)
    told = [text_of(line) for line in legend(seen(a_node(), what, WIDTH), what, AT, 80)]
    assert told == [
        "  ◆ 22:08  swap to large, 12 s",
        "  ! 22:03  swap to large failed: exit status 137",
        "  ◆ 21:58  swap to large, 12 s",
        "  1 earlier event; 5 shows the journal",
    ]
    assert clock(AT - 86_400, AT) == "Mon 22:13"
    assert clock(1e20, AT) == "–"


def test_a_journal_that_cannot_be_read_says_why() -> None:
    what = past(unread="one is not connected")
    assert [text_of(line) for line in legend((), what, AT, 80)] == ["  earlier events  –  one is not connected"]
