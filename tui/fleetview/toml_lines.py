"""Where a value stands in a TOML file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

Place = tuple[str | int, ...]
"""The way to a value: names of keys, and numbers of tables in a list."""

_PART = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[\w-]+)"""
_NAME = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_NAME})\s*\]")
_KEY = re.compile(rf"""\s*({_NAME})\s*=\s*("{{3}}|'{{3}})?""")


def find_line(text: str, place: Place) -> int | None:
    """The line of `place`, or of the nearest thing around it; None where it is written in some rarer way."""
    lines = _lines_of(text)
    return next((lines[place[:end]] for end in range(len(place), 0, -1) if place[:end] in lines), None)


def _lines_of(text: str) -> Mapping[Place, int]:
    """The line of every table, and of every key that has a line of its own."""
    found: dict[Place, int] = {}
    lists: dict[Place, int] = {}
    table: Place = ()
    for number, line in _outside_of_long_texts(text):
        if header := _HEADER.match(line):
            names = _parts(header[2])
            if header[1] == "[[":
                lists[names] = lists.get(names, -1) + 1
                found.setdefault(names, number)
            table = _resolved(names, lists)
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            place = (*table, *_parts(key[1]))
            for end in range(len(table) + 1, len(place) + 1):
                found.setdefault(place[:end], number)
    return found


def _outside_of_long_texts(text: str) -> Iterator[tuple[int, str]]:
    """The numbered lines, without what is inside of a text over several lines."""
    fence: str | None = None
    for number, line in enumerate(text.split("\n"), 1):
        if fence is not None:
            fence = None if fence in line else fence
            continue
        yield number, line
        if (key := _KEY.match(line)) and key[2] and key[2] not in line[key.end() :]:
            fence = key[2]


def _parts(name: str) -> tuple[str, ...]:
    """The keys of a dotted name."""
    return tuple(part[1:-1] if part[0] in "\"'" else part for part in re.findall(_PART, name))


def _resolved(names: tuple[str, ...], lists: Mapping[Place, int]) -> Place:
    """The way to a table, through the newest table of each list."""
    place: Place = ()
    for name in names:
        place = (*place, name)
        if place in lists:
            place = (*place, lists[place])
    return place
