"""Bytes cut into lines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from hypothesis import given
from hypothesis import strategies as st

from fleetview.remote.lines import split_lines


async def chunks(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def lines(*parts: bytes, longest: int = 100) -> list[bytes | None]:
    return [line async for line in split_lines(chunks(parts), longest)]


async def test_a_line_may_come_in_pieces() -> None:
    assert await lines(b"on", b"e\ntw", b"o", b"\r\n", b"\n", b"three\n") == [b"one", b"two", b"three"]


async def test_what_has_no_end_is_not_a_line() -> None:
    assert await lines(b"one\nhalf of tw") == [b"one"]


async def test_a_line_that_is_too_long_is_told_and_the_next_one_is_read() -> None:
    assert await lines(b"x" * 60, b"x" * 60, b"x" * 60 + b"\nshort\n") == [None, b"short"]
    assert await lines(b"x" * 101 + b"\nshort\n") == [None, b"short"]
    assert await lines(b"x" * 100 + b"\n") == [b"x" * 100]


async def test_a_line_that_is_too_long_is_told_of_before_its_end() -> None:
    assert await lines(b"x" * 60, b"x" * 60) == [None]
    assert await lines(b"x" * 60, b"x" * 60, b"x" * 60) == [None]


@given(st.lists(st.binary(max_size=30), max_size=20), st.integers(1, 40))
def test_lines_do_not_depend_on_where_the_pieces_end(parts: list[bytes], longest: int) -> None:
    import asyncio

    whole = b"".join(parts)
    *ended, rest = whole.split(b"\n")
    expected = [
        None if len(line) > longest else line.strip() for line in ended if line.strip() or len(line) > longest
    ] + [None] * (len(rest) > longest)
    assert asyncio.run(lines(*parts, longest=longest)) == expected
