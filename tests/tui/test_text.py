from __future__ import annotations

import unicodedata
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len, get_character_cell_size

from fleetview.present.text import filled, plain, visible, width_of
from tests.hostile_text import TEXTS, commands

ODD = st.text() | st.lists(st.sampled_from([*TEXTS.values(), "a", " "]), max_size=4).map("".join)


@given(ODD)
def test_a_plain_text_is_one_line_whose_width_is_the_sum_of_its_characters(text: str) -> None:
    shown = plain(text)
    assert shown == "" or shown.isprintable()
    assert cell_len(shown) == sum(map(get_character_cell_size, shown))
    assert len(shown) <= 3 * 500
    assert commands(shown) == set()


@given(ODD, ODD)
def test_a_plain_text_changes_no_character_beside_it(text: str, other: str) -> None:
    assert cell_len(plain(text) + plain(other)) == cell_len(plain(text)) + cell_len(plain(other))
    assert unicodedata.category((plain(text) or "x")[0]) not in {"Mn", "Me"}


@given(ODD)
def test_what_is_plain_stays_as_it_is(text: str) -> None:
    assert plain(plain(text), 2000) == plain(text)


@given(ODD)
def test_a_letter_carries_no_more_marks_than_languages_need(text: str) -> None:
    marks = [unicodedata.category(char) in {"Mn", "Me"} for char in plain(text)]
    assert not any(first and second and third for (first, second), (_, third) in pairwise(pairwise(marks)))


@given(ODD)
def test_visible_text_keeps_its_lines_and_holds_no_command(text: str) -> None:
    assert commands(visible(text)) <= {"U+0009", "U+000A"}
    assert visible(text).count("\n") == sum(text.count(line) for line in "\n\u2028\u2029")
    assert visible(visible(text)) == visible(text)


def test_ordinary_names_are_shown_as_they_are() -> None:
    for name in (
        "qwen3:32b",
        "Größe-é",
        "日本語モデル",
        "café",
        "Việt",
        "עברית",
        "한국어",
        "模型 7B",
        "a\u0301\u0323b",
    ):
        assert plain(name) == unicodedata.normalize("NFC", name)
    assert plain(unicodedata.normalize("NFD", "한국어 Größe")) == "한국어 Größe"


def test_what_has_no_width_of_its_own_is_seen_or_left_out() -> None:
    assert plain("m" + "\u0301" * 9) == "ḿ\u0301\u0301�"
    assert plain("\u0301m") == "�m"
    assert plain("❤\ufe0f") == "❤"
    assert plain("👍\U0001f3fd") == "👍�"
    assert plain("a\u200bb\u00adc\ue000") == "a�b�c�"


def test_a_bar_keeps_its_width_where_it_ends_within_a_wide_character() -> None:
    for cells in range(13):
        assert width_of(filled((("日本語日本語", "plain"),), cells / 12, 12)) == 12
