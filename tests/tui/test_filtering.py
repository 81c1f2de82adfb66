from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetview.present.filtering import FilterError, parsed
from fleetview.present.table.node_filter import NODE_FIELDS, Candidate, Sieve
from tests.builders import GIB, a_backend_state, a_machine, a_node, a_resident, a_sample, a_traffic

STUDIO = Candidate(
    a_node(
        "head-primary",
        role="head",
        tags=("m3-ultra", "office"),
        machine=a_machine(hostname="cwk-h-m3u-01"),
        backends={"ollama": a_backend_state("ollama", resident=(a_resident("Qwen3:32b"),))},
        samples=(
            a_sample(
                gpu_ratio=0.92,
                memory_available_bytes=28 * GIB,
                swap_used_bytes=2 * GIB,
                traffic=(a_traffic(generation_tokens_per_second=14.2),),
            ),
        ),
    ),
    100.0,
    "studio.lan",
)
WORDS = st.text(string.ascii_letters + string.digits + "-_.:é", min_size=1, max_size=8)


def matches(text: str, one: Candidate = STUDIO) -> bool:
    return parsed(text, NODE_FIELDS).matches(one)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "prim",
        "HEAD qwen3",
        "office & studio.lan",
        "cwk",
        "!laptop",
        "gpu>90",
        "gpu=92",
        "mem > 80 & host~=studio",
        "free<=28G",
        "tps>=14.2",
        "swap=2",
        "temp!=80",
        "power<100W",
        "state=up",
        "role=Head tag=office",
        "tag!=laptop",
        "model~=^qwen",
        "!model~=llama !gpu<50",
        "name=head-primary",
    ],
)
def test_a_filter_that_holds_lets_a_node_through(text: str) -> None:
    assert matches(text)


@pytest.mark.parametrize(
    "text",
    [
        "laptop",
        "!head",
        "head laptop",
        "gpu<50",
        "gpu>50 & mem<10",
        "role=hea",
        "tag!=office",
        "state=down",
        "!state=up",
    ],
)
def test_a_filter_that_does_not_hold_keeps_a_node_out(text: str) -> None:
    assert not matches(text)


def test_what_is_unknown_is_neither_more_nor_less_nor_equal_nor_unequal() -> None:
    dark = Candidate(a_node(samples=(a_sample(gpu_ratio=None),)), 100.0)
    assert not any(matches(f"gpu{sign}50", dark) for sign in (">", "<", ">=", "<=", "=", "!="))
    assert matches("!gpu>50", dark)
    lost = Candidate(a_node(link="down"), 100.0)
    assert not matches("gpu>0", lost)
    assert matches("state=down", lost)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("meme>80", "there is no field meme; did you mean mem?"),
        ("zzzz=1", "there are name, role"),
        ("mem>", "mem> needs a number after it, as in mem>80"),
        ("mem>lots", "mem> needs a number after it"),
        ("gpu~=9", "gpu is a number"),
        ("role>head", "role is a text; it takes role=…, role!=… or role~=…"),
        ("role=", "role= needs a text after it"),
        ("host~=[", "host~=[ is no regular expression: unterminated character set"),
        ("!", "! needs a word after it"),
        ("ok & >5", "there is no field without a name"),
    ],
)
def test_a_filter_that_means_nothing_says_why(text: str, told: str) -> None:
    with pytest.raises(FilterError, match=re.escape(told)):
        parsed(text, NODE_FIELDS)


@given(st.text(max_size=60))
def test_whatever_is_typed_is_a_filter_or_is_told_why_not(text: str) -> None:
    try:
        found = parsed(text, NODE_FIELDS)
    except FilterError:
        return
    else:
        assert found.matches(STUDIO) in {True, False}


@given(st.lists(WORDS, max_size=4), st.sampled_from([" ", " & ", "&", "  "]))
def test_words_narrow_in_whatever_order_and_with_whatever_between_them(words: list[str], between: str) -> None:
    whole = matches(between.join(words))
    assert whole == all(matches(word) for word in words)
    assert whole == matches(between.join(reversed(words)))


@given(WORDS)
def test_not_is_the_opposite(word: str) -> None:
    assert matches(f"!{word}") is not matches(word)


@given(st.integers(0, 100))
def test_numbers_are_compared_as_they_are_typed(limit: int) -> None:
    assert [matches(f"gpu{sign}{limit}") for sign in (">", "<=")] == [limit < 92, limit >= 92]


def test_a_sieve_asks_again_only_about_nodes_that_changed() -> None:
    asked: list[str] = []

    def counted(one: Candidate) -> bool:
        asked.append(one.node.name)
        return one.node.name == "b"

    sieve = Sieve()
    fleet = {name: a_node(name) for name in "abc"}
    assert sieve.through(fleet, "abc", 100.0) == ("a", "b", "c")
    sieve.filter = type(sieve.filter)("b", (counted,))
    assert sieve.through(fleet, "abc", 100.0) == ("b",)
    assert asked == ["a", "b", "c"]
    assert sieve.through({**fleet, "a": a_node("a", role="x")}, "abc", 100.0) == ("b",)
    assert asked == ["a", "b", "c", "a"]
