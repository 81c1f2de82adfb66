"""The journal in words."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from fleetview.fleet import Ended
from fleetview.present.measures import clock_of
from fleetview.present.operations.journal import (
    Entry,
    glance,
    newest_first,
    nothing,
    undo_refusal,
    upshot,
    whole,
    with_undoing,
)
from fleetview.present.operations.journal_rows import heading, layout, row, when
from fleetview.present.operations.progress import over, told
from fleetview.present.text import text_of, width_of
from fleetview_agent.wire import DeleteRequest, KeepRequest, Operation
from tests.builders import AUTHOR, a_node, a_sample, a_swap_request, an_operation, an_unload_request

AT = 1_700_000_000.0


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times of day are the same wherever the tests run."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def a_swap(**changes: object) -> Operation:
    """One that ended well and can be taken back."""
    done = {"result": "done", "phase": "ready", "ended_at": AT + 9, "inverse": an_unload_request("large")}
    return an_operation(**{**done, **changes})


@pytest.mark.parametrize("width", [24, 40, 56, 74, 80, 100, 130, 200])
def test_rows_and_heading_are_as_wide_as_the_pane(width: int) -> None:
    shown = layout(width, ("head-primary", "a"))
    name = "a-model-with-a-name-that-is-longer-than-any-column-has-cells-for-it"
    for operation in (
        a_swap(),
        an_operation(),
        a_swap(result="failed", cause="x" * 300),
        a_swap(request=a_swap_request(name)),
    ):
        assert width_of(row(Entry("head-primary", operation), AT + 60, shown)) == width
    assert width_of(heading(shown)) == width


def test_a_cut_name_carries_an_ellipsis_and_its_engine_goes_first() -> None:
    shown = layout(40, ("one",))
    assert "swap large" in text_of(row(Entry("one", a_swap(request=a_swap_request("large-and-longer"))), None, shown))
    assert "…" in text_of(row(Entry("one", a_swap(request=a_swap_request("large" * 9))), None, shown))


def test_an_age_is_counted_by_the_clock_of_the_node_and_unknown_without_it() -> None:
    node = a_node(samples=(a_sample(at=AT + 69),), heard_at=100.0)
    assert clock_of(node, 100.0) == AT + 69
    assert clock_of(node, 160.0) == AT + 129
    assert clock_of(a_node(samples=()), 100.0) is None
    shown = layout(80, ("one", "two"))
    assert " 2 min " in text_of(row(Entry("one", a_swap()), AT + 129, shown))
    assert " – " in text_of(row(Entry("one", a_swap()), None, shown))


def test_another_day_is_told_by_its_date() -> None:
    assert when(AT, AT + 60, 12) == "22:13:20"
    assert when(AT, AT + 90_000, 12) == "14 Nov 22:13"
    assert when(AT, AT + 90_000, 9) == "Tue 22:13"
    assert when(AT, AT + 900_000, 9) == "14 Nov"
    assert when(AT, None, 9) == "14 Nov"
    assert when(1e300, AT, 12) == "–"


def test_a_wide_pane_says_what_came_of_each_operation_in_words() -> None:
    assert upshot(a_swap()) == "swapped in, llamacpp/small left"
    assert upshot(a_swap(evictions=(), undoes="op-0")) == "swapped in, undoes op-0"
    assert upshot(a_swap(result="failed", cause="the disk is full")) == "the disk is full"
    assert upshot(an_operation()) == ""


def test_a_journal_that_cannot_be_read_does_not_count_as_empty() -> None:
    assert nothing(False, "one") == "no operation of one has ended yet"
    told = nothing(False, "one", "one is not connected: no route to host")
    assert told == "one is not connected: no route to host; its journal is read as soon as it answers"


def test_the_newest_of_all_nodes_comes_first() -> None:
    first, second = Entry("a", a_swap(ended_at=AT + 1)), Entry("b", a_swap(ended_at=AT + 2))
    assert newest_first((first, second)) == (second, first)


def test_what_can_be_taken_back_says_what_that_does_and_what_cannot_says_why() -> None:
    assert undo_refusal(Entry("one", a_swap())) is None
    assert "u undoes it: unload llamacpp/large" in {text_of(line) for line in glance(Entry("one", a_swap()), 100)}
    reasons = {
        "in hand still": an_operation(),
        "rolled back": a_swap(result="rolled_back"),
        "took another one back": a_swap(undoes="op-0"),
        "changed nothing": a_swap(inverse=None),
    }
    for reason, operation in reasons.items():
        assert reason in (undo_refusal(Entry("one", operation)) or "")
    waiting = an_operation(request=DeleteRequest(author=AUTHOR, backend="ollama", model="old"), phase="wait")
    assert undo_refusal(Entry("one", waiting)) is None


def test_what_was_taken_back_already_knows_by_whom() -> None:
    undo = a_swap(id="op-2", undoes="op-1")
    rows = with_undoing((Entry("one", undo), Entry("one", a_swap()), Entry("two", a_swap())))
    assert [entry.taken_back for entry in rows] == [None, "op-2", None]
    assert undo_refusal(rows[1]) == "op-2 took it back already"


def test_one_operation_whole_has_all_that_is_known_and_nothing_that_is_not() -> None:
    failed = a_swap(result="failed", inverse=None, cause="killed", log=("first line", "last line"))
    text = "\n".join(text_of(line) for line in whole(Entry("one", failed), 80))
    assert all(word in text for word in ("✗ failed · killed", "evict 0.40 s", "last line", "fleetview swap one"))
    assert "undoes" not in text
    assert all(width_of(line) <= 30 for line in whole(Entry("one", failed), 30))


def test_an_end_is_told_to_whoever_asked_and_a_failure_to_everybody() -> None:
    assert told(a_swap(), AUTHOR) == ("llamacpp/large swapped in, 9.0 s; u undoes it", "information")
    assert told(a_swap(inverse=None), AUTHOR) == ("llamacpp/large swapped in, 9.0 s", "information")
    assert told(a_swap(), "bob@desk") is None
    assert told(a_swap(reason="it was resident before"), AUTHOR) is None
    assert told(an_operation(), AUTHOR) is None
    kept = a_swap(request=KeepRequest(author=AUTHOR, backend="ollama", model="m"))
    assert told(kept, AUTHOR) is None
    failed = a_swap(result="rolled_back", cause="out of memory")
    words, gravity = told(failed, "bob@desk") or ("", "")
    assert words.startswith("swap of large rolled back: out of memory; ! tells why")
    assert gravity == "error"


def test_the_last_operation_says_that_u_undoes_it_as_long_as_that_is_so() -> None:
    assert " · u undoes it · " in text_of(over(Ended(a_swap(), 90.0), 100.0))
    assert "u undoes" not in text_of(over(Ended(a_swap(undoes="op-0"), 90.0), 100.0))
