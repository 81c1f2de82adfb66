from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetview.conversation import sections as dividing
from fleetview.conversation.sections import LENGTH, Piece, Sections

WORDS = "some words that make a paragraph of a certain length. " * 4
MIXED = f"# Title\n\n{WORDS}\n\n" * 30
CODE = "```python\n" + "".join(f"line_{number} = {number}\n" for number in range(400)) + "```\nafter\n"
ITEMS = "".join(f"- item number {number} with some words\n" for number in range(200))


@pytest.fixture(autouse=True)
def _short_sections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dividing, "LENGTH", 400)


def in_sections(pieces: tuple[Piece, ...]) -> list[str]:
    sections = [""]
    for piece in pieces:
        if piece.begins:
            sections.append("")
        sections[-1] += piece.text
    return sections


def fed(text: str, step: int = 7) -> tuple[Piece, ...]:
    sections = Sections()
    pieces: list[Piece] = []
    for start in range(0, len(text), step):
        pieces += sections.feed(text[start : start + step])
    return (*pieces, *sections.feed("", last=True))


def test_a_short_text_is_one_section_and_comes_at_once() -> None:
    sections = Sections()
    assert [piece.text for piece in sections.feed("Hel")] == ["Hel"]
    assert [piece.text for piece in sections.feed("lo\nyou")] == ["lo\n", "you"]


def test_a_long_text_is_parted_between_blocks() -> None:
    sections = in_sections(fed(MIXED))
    assert "".join(sections) == MIXED
    assert len(sections) > 3
    assert all(section.startswith(("# Title", "some words")) for section in sections)
    assert all(len(section) < LENGTH + 500 for section in sections)


def test_a_long_code_block_goes_on_in_the_next_section() -> None:
    sections = in_sections(fed(CODE))
    assert len(sections) > 2
    assert all(section.startswith("```python\n") for section in sections)
    assert all(section.rstrip().endswith("```") for section in sections[:-1])
    lines = [line for section in sections for line in section.splitlines() if not line.startswith("```")]
    assert lines == [line for line in CODE.splitlines() if not line.startswith("```")]


def test_a_code_block_of_sixty_lines_is_one_section_though_it_has_empty_lines() -> None:
    text = "```python\n" + 'text = """\n\nmore of it\n"""\n' * 15 + "```\n"
    assert in_sections(fed(text)) == [text]


def test_a_fence_inside_another_one_closes_nothing() -> None:
    text = "````text\n" + "```\nx\n" * 400 + "````\n"
    sections = in_sections(fed(text))
    assert len(sections) > 1
    assert all(section.startswith("````text\n") for section in sections)


def test_a_long_list_is_parted_between_items() -> None:
    pieces = fed(ITEMS)
    sections = in_sections(pieces)
    assert "".join(sections) == ITEMS
    assert all(section.startswith("- item") for section in sections)
    assert all(piece.continues for piece in pieces if piece.begins)


def test_text_that_belongs_to_an_item_stays_with_it() -> None:
    text = "".join(f"1. item\n\n   more of it {WORDS}\n\n" for _ in range(20))
    assert all(section.startswith("1. item") for section in in_sections(fed(text)))


LINES = ("- item with a few words", "", "", "```", "~~~~", WORDS, "  indented", "1. numbered", "# title", "| a | b |")
TEXTS = st.lists(st.sampled_from(LINES), max_size=120).map("\n".join)
PROSE = st.lists(st.sampled_from([line for line in LINES if line[:1] not in {"`", "~"}]), max_size=120).map("\n".join)


@given(TEXTS, st.integers(1, 50))
def test_how_the_text_comes_makes_no_difference(text: str, step: int) -> None:
    assert in_sections(fed(text, step)) == in_sections(Sections().feed(text, last=True))


@given(PROSE)
def test_nothing_is_lost_or_added_outside_code(text: str) -> None:
    assert "".join(in_sections(fed(text))) == text


def test_a_long_table_is_parted_between_rows_and_repeats_its_heading() -> None:
    heading = "| a | b |\n|---|---|\n"
    rows = "".join(f"| number {number} | {WORDS[:60]} |\n" for number in range(200))
    sections = in_sections(fed(f"{heading}{rows}\nafter\n"))
    assert len(sections) > 3
    assert all(section.startswith(heading) for section in sections[:-1])
    assert "".join(section.removeprefix(heading) for section in sections) == f"{rows}\nafter\n"
