"""Calls are read out of what a model writes, wherever its pieces are cut."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetview_agent.backends.llamacpp.calls import CallReader
from fleetview_agent.wire import ChatChunk

CALL = '<tool_call>\n{"name": "weather", "arguments": {"town": "Köln"}}\n</tool_call>'


def read(pieces: Sequence[str], *, forced: bool = False) -> tuple[str, list[tuple[str, str]], CallReader]:
    """The text that is left, the calls, and who read them."""
    reader = CallReader(forced=forced)
    chunks: list[ChatChunk] = [chunk for piece in pieces for chunk in reader.feed(piece)]
    chunks += reader.finish()
    calls = [(call.function.name, call.function.arguments) for chunk in chunks for call in chunk.tool_calls]
    return "".join(chunk.text for chunk in chunks), calls, reader


@given(st.lists(st.integers(0, 200), max_size=12))
def test_calls_and_text_are_the_same_wherever_the_pieces_are_cut(cuts: list[int]) -> None:
    whole = f"I look it up. {CALL}\n{CALL} Done <tool"
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    pieces = [whole[start:end] for start, end in itertools.pairwise(places)]
    text, calls, reader = read(pieces)
    assert text == "I look it up. \n Done <tool"
    assert calls == [("weather", '{"town": "Köln"}')] * 2
    assert reader.count == 2


def test_text_that_cannot_be_a_call_is_not_held_back() -> None:
    reader = CallReader(forced=False)
    assert [chunk.text for chunk in reader.feed("a < b, <b>")] == ["a < b, <b>"]


def test_a_call_that_is_never_closed_counts_all_the_same() -> None:
    _, calls, _ = read([CALL.removesuffix("</tool_call>")])
    assert [name for name, _ in calls] == ["weather"]


@pytest.mark.parametrize(
    "nonsense",
    ["<tool_call>sunny</tool_call>", '<tool_call>{"name": 3}</tool_call>', "<tool_call>[1]</tool_call>", "<tool_call>"],
)
def test_what_is_no_call_stays_text(nonsense: str) -> None:
    text, calls, reader = read([nonsense])
    assert (text, calls, reader.count) == (nonsense, [], 0)


def test_a_forced_call_is_the_whole_answer() -> None:
    written = json.dumps({"name": "wait", "arguments": {"for": CALL}})
    text, calls, _ = read([written[:7], written[7:]], forced=True)
    assert text == ""
    assert [(name, json.loads(arguments)) for name, arguments in calls] == [("wait", {"for": CALL})]
