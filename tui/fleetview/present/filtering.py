"""What one types after `/`: words, `!` for not, and `field>value`; all of it must hold. Pure.

A space or `&` stands between parts. What is unknown is neither more nor less than anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from fleetview.config_errors import instead

Row = TypeVar("Row")
Test = Callable[[Row], bool]

_AROUND_SIGNS = re.compile(r"\s*(>=|<=|!=|~=|[><=])\s*")
_PART = re.compile(r"(?P<field>[^<>=!~]*)(?P<sign>>=|<=|!=|~=|[><=])(?P<value>.*)", re.DOTALL)
_NUMBER = re.compile(r"(?P<number>-?\d+(\.\d+)?)(%|g|gib|w|°?c|tok/s)?", re.IGNORECASE)
_NEAR = 0.5
"""Numbers are shown rounded, and so `=` means what is shown."""
_SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    ">": lambda figure, limit: figure > limit,
    "<": lambda figure, limit: figure < limit,
    ">=": lambda figure, limit: figure >= limit,
    "<=": lambda figure, limit: figure <= limit,
    "=": lambda figure, limit: abs(figure - limit) < _NEAR,
    "!=": lambda figure, limit: abs(figure - limit) >= _NEAR,
}


class FilterError(ValueError):
    """A filter that means nothing; its words say why, and what would."""


@dataclass(frozen=True)
class Fields(Generic[Row]):
    """What can be asked of a row."""

    words: Callable[[Row], Iterable[str]]
    """Where words are looked for."""
    texts: Mapping[str, Callable[[Row], Iterable[str]]]
    """Fields for `=`, `!=` and `~=`: one of its texts is that, none is, one matches the regular expression."""
    numbers: Mapping[str, Callable[[Row], float | None]]
    """Fields for `>`, `<`, `>=`, `<=`, `=` and `!=`."""


@dataclass(frozen=True)
class Filter(Generic[Row]):
    """What was typed, and what it means."""

    text: str
    tests: tuple[Test[Row], ...] = ()

    def __bool__(self) -> bool:
        """Whether it asks for anything."""
        return bool(self.tests)

    def matches(self, row: Row) -> bool:
        """Whether a row may stay."""
        return all(test(row) for test in self.tests)


def parsed(text: str, fields: Fields[Row]) -> Filter[Row]:
    """The filter that was typed. Raises FilterError."""
    parts = re.split(r"[\s&]+", _AROUND_SIGNS.sub(r"\1", text))
    return Filter(text.strip(), tuple(_test(part, fields) for part in parts if part))


def _test(part: str, fields: Fields[Row]) -> Test[Row]:
    """What one part asks for."""
    if not part.startswith("!"):
        return _asserted(part, fields)
    if not part[1:]:
        raise FilterError("! needs a word after it, as in !office")
    test = _asserted(part[1:], fields)
    return lambda row: not test(row)


def _asserted(part: str, fields: Fields[Row]) -> Test[Row]:
    """What one part asks for, without its `!`."""
    if (found := _PART.fullmatch(part)) is None:
        return _word(part, fields)
    name, sign, value = found["field"].casefold(), found["sign"], found["value"]
    if read := fields.texts.get(name):
        return _text(name, read, sign, value)
    if figure := fields.numbers.get(name):
        return _number(name, figure, sign, value)
    known = (*fields.texts, *fields.numbers)
    raise FilterError(f"there is no field {name or 'without a name'}{instead(name, known, _among(known))}")


def _among(known: tuple[str, ...]) -> str:
    """What there is."""
    return f"there are {', '.join(known)}"


def _word(word: str, fields: Fields[Row]) -> Test[Row]:
    """A word is part of one of the row's texts, in capitals or not."""
    folded = word.casefold()
    return lambda row: any(folded in text.casefold() for text in fields.words(row))


def _text(name: str, read: Callable[[Row], Iterable[str]], sign: str, value: str) -> Test[Row]:
    """A text is, or is not, or looks like something."""
    if sign not in {"=", "!=", "~="}:
        raise FilterError(f"{name} is a text; it takes {name}=…, {name}!=… or {name}~=…")
    if not value:
        raise FilterError(f"{name}{sign} needs a text after it")
    if sign == "~=":
        try:
            pattern = re.compile(value, re.IGNORECASE)
        except re.error as problem:
            raise FilterError(f"{name}~={value} is no regular expression: {problem.msg}") from problem
        return lambda row: any(pattern.search(text) for text in read(row))
    folded, wanted = value.casefold(), sign == "="
    return lambda row: (folded in {text.casefold() for text in read(row)}) is wanted


def _number(name: str, read: Callable[[Row], float | None], sign: str, value: str) -> Test[Row]:
    """A figure stands so to a number."""
    if sign == "~=":
        raise FilterError(f"{name} is a number; it takes {name}>…, {name}<… or {name}=…")
    if (found := _NUMBER.fullmatch(value)) is None:
        raise FilterError(f"{name}{sign} needs a number after it, as in {name}{sign}80")
    limit, compare = float(found["number"]), _SIGNS[sign]

    def holds(row: Row) -> bool:
        """Whether the figure is known, and stands so."""
        figure = read(row)
        return figure is not None and compare(figure, limit)

    return holds
