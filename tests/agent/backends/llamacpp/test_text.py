from __future__ import annotations

import pytest

from fleetview_agent.llamacpp_worker.text import TextStream


def fed(stops: tuple[str, ...], *pieces: bytes) -> tuple[list[str], TextStream]:
    stream = TextStream(stops)
    return [stream.feed(piece) for piece in pieces], stream


def test_a_character_in_several_tokens_is_held_until_it_is_whole() -> None:
    texts, stream = fed((), b"a\xf0", b"\x9f", b"\x99", b"\x82b")
    assert texts == ["a", "", "", "🙂b"]
    assert stream.finish() == ""


def test_bytes_that_are_no_character_become_a_replacement_and_nothing_is_lost_after_them() -> None:
    texts, _ = fed((), b"a\xff", b"b", b"\xc3", b"(")
    assert "".join(texts) == "a�b�("


def test_half_a_character_at_the_end_is_dropped() -> None:
    texts, stream = fed((), b"a\xf0\x9f")
    assert texts == ["a"]
    assert stream.finish() == ""


def test_the_text_before_a_stop_string_is_kept_and_the_rest_is_not() -> None:
    texts, stream = fed(("END",), b"one EN", b"D two", b"three")
    assert "".join(texts) == "one "
    assert stream.stopped
    assert stream.finish() == ""


def test_the_beginning_of_a_stop_string_is_held_and_let_go_when_it_was_none() -> None:
    texts, stream = fed(("END",), b"E", b"N", b"E", b"N")
    assert texts == ["", "", "EN", ""]
    assert stream.finish() == "EN"


def test_the_earliest_of_several_stop_strings_counts() -> None:
    texts, _ = fed(("world", "lo", ""), b"hel", b"lo world")
    assert "".join(texts) == "hel"


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_the_cut_of_the_pieces_makes_no_difference(size: int) -> None:
    whole = "aab aaab ünï🙂 stop".encode()
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    texts, stream = fed(("aaab x", " stop!"), *pieces)
    assert "".join(texts) + stream.finish() == whole.decode()
