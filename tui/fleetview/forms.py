"""What the values of a file may be, and the parsed file made into frozen dataclasses whose fields say so. Pure.

Written by hand, since the first paint waits for it: a library for this takes longer to import than all else of ours.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import MISSING, Field, dataclass, fields
from functools import cache, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from fleetview.config_errors import Finding, instead, spelled
from fleetview.toml_lines import Place

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")
Table = TypeVar("Table", bound="DataclassInstance")
N = TypeVar("N", int, float)
Read = Callable[[Any, Place], Any]  # Any: whatever a parsed file has there, and what each kind makes of it
"""Makes a value of what stands at a place of the file. Raises Wrong."""


_BOUNDS: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "minimum": (operator.ge, "greater than or equal to"),
    "maximum": (operator.le, "less than or equal to"),
    "exclusiveMinimum": (operator.gt, "greater than"),
}
"""Words of JSON Schema → what holds of a number, and how that is said."""


class Wrong(Exception):
    """Something in a file is not as it must be."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__(*findings)
        self.findings = findings


@dataclass(frozen=True)
class Kind:
    """What a value may be; stands in the annotation of a field."""

    read: Read
    schema: Mapping[str, Any]  # Any: JSON
    """The same for editors."""
    table: type[DataclassInstance] | None = None
    """What it is made into where it is a table, or each of its items where it is a list of them."""


def text(*rules: Callable[[str], str]) -> Kind:
    """A text, as the rules in turn make it; their ValueError says what it must be."""
    return _kind(lambda value: _ruled(_a(str, value, "a text in quotes"), rules), type="string")


def path(*rules: Callable[[Path], Path]) -> Kind:
    """A path, as the rules in turn make it; as for a text."""
    return _kind(lambda value: _ruled(Path(_a(str, value, "a path in quotes")), rules), type="string", format="path")


def switch() -> Kind:
    """On or off."""
    return _kind(lambda value: _a(bool, value, "true or false"), type="boolean")


def choice(*words: str) -> Kind:
    """One of these words."""

    def read(value: object) -> object:
        if value not in words:
            raise ValueError(f"must be {' or '.join(map(repr, words))}")
        return value

    return _kind(read, type="string", enum=list(words))


def whole(**bounds: int) -> Kind:
    """A whole number within bounds, which have their names in JSON Schema."""
    return _kind(lambda value: _within(_a(int, value, "a whole number"), bounds), type="integer", **bounds)


def number(**bounds: float) -> Kind:
    """A number within bounds; as for a whole one."""
    return _kind(lambda value: _within(_finite(_a((int, float), value, "a number")), bounds), type="number", **bounds)


def many(kind: Kind, least: int = 0, otherwise: str | None = None) -> Kind:
    """A list; `otherwise`: what is said of anything else, and of one that is too short."""

    def read(value: Any, place: Place) -> tuple[Any, ...]:  # Any: as in Read
        if not isinstance(value, list | tuple):
            raise Wrong((place, otherwise or f"{spelled(place)} must be a list"))
        if len(value) < least:
            raise Wrong((place, otherwise or f"{spelled(place)} must have at least {least} in it"))
        return tuple(_each(enumerate(value), place, kind.read).values())

    return Kind(read, {"type": "array", "items": kind.schema} | ({"minItems": least} if least else {}), kind.table)


def by_name(*kinds: Kind, otherwise: str) -> Kind:
    """A table in which every name has a value of one of these kinds; `otherwise`: what is said of any other."""

    def read_one(value: Any, place: Place) -> Any:  # Any: as in Read
        for kind in kinds:
            with suppress(Wrong):
                return kind.read(value, place)
        raise Wrong((place, f"{spelled(place)} {otherwise}"))

    def read(value: Any, place: Place) -> Mapping[str, Any]:  # Any: as in Read
        return _each(_as_table(value, place).items(), place, read_one)

    return Kind(read, {"type": "object", "additionalProperties": {"anyOf": [kind.schema for kind in kinds]}})


def table(cls: type[DataclassInstance]) -> Kind:
    """A table that becomes a dataclass, each field of which is annotated with its kind."""
    return Kind(lambda value, place: read_table(cls, value, place), {"$ref": f"#/$defs/{cls.__name__}"}, cls)


def read_table(cls: type[Table], value: Any, place: Place = ()) -> Table:  # Any: as in Read
    """The dataclass that a table becomes; its own ValueError is about the table as a whole. Raises Wrong."""
    known, given = keys_of(cls), _as_table(value, place)
    findings = [((*place, key), _unknown((*place, key), known)) for key in given if key not in known]
    findings += [
        ((*place, key), f"{spelled((*place, key))} is missing")
        for key, (field, _) in known.items()
        if key not in given and field.default is MISSING and field.default_factory is MISSING
    ]
    made: dict[str, Any] = {}  # Any: as in Read
    for key, (field, kind) in known.items():
        try:
            if key in given:
                made[field.name] = kind.read(given[key], (*place, key))
        except Wrong as problem:
            findings += problem.findings
    if findings:
        raise Wrong(*findings)
    try:
        return cls(**made)
    except ValueError as problem:
        raise Wrong((place, str(problem))) from None


@cache
def keys_of(cls: type[DataclassInstance]) -> Mapping[str, tuple[Field[Any], Kind]]:  # Any: each has a type of its own
    """The keys of a table, as they are written, each with its field and its kind."""
    hints = get_type_hints(cls, include_extras=True)
    return {field.metadata.get("key", field.name): (field, hints[field.name].__metadata__[0]) for field in fields(cls)}


def _kind(read: Callable[[Any], object], **schema: object) -> Kind:  # Any: as in Read
    """A kind without parts, of whose values `read` raises ValueError: what they must be."""

    def placed(value: Any, place: Place) -> object:  # Any: as in Read
        try:
            return read(value)
        except ValueError as problem:
            raise Wrong((place, f"{spelled(place)} {problem}")) from None

    return Kind(placed, schema)


def _each(parts: Iterable[tuple[Any, Any]], place: Place, read: Read) -> dict[Any, Any]:  # Any: as in Read
    """Every part, read; with all that is wrong with any of them. Raises Wrong."""
    made: dict[Any, Any] = {}  # Any: as in Read
    findings: list[Finding] = []
    for name, value in parts:
        try:
            made[name] = read(value, (*place, name))
        except Wrong as problem:
            findings += problem.findings
    if findings:
        raise Wrong(*findings)
    return made


def _as_table(value: Any, place: Place) -> Mapping[str, Any]:  # Any: as in Read
    """The value, which must be a table. Raises Wrong."""
    if not isinstance(value, Mapping):
        raise Wrong((place, f"{spelled(place)} must be a table"))
    return value


def _a(kinds: type[T] | tuple[type[T], ...], value: object, wanted: str) -> T:
    """The value, which must be of that type; true is no number. Raises ValueError."""
    if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
        raise ValueError(f"must be {wanted}")
    return value


def _ruled(value: T, rules: Iterable[Callable[[T], T]]) -> T:
    """The value as the rules in turn make it. Raises ValueError."""
    return reduce(lambda made, rule: rule(made), rules, value)


def _finite(value: float) -> float:
    """The number, which must be one. Raises ValueError."""
    try:
        made = float(value)
    except OverflowError:  # of a whole number with hundreds of digits
        made = math.inf
    if not math.isfinite(made):
        raise ValueError("must be a finite number")
    return made


def _within(value: N, bounds: Mapping[str, float]) -> N:
    """The number, which must be within the bounds. Raises ValueError."""
    for name, bound in bounds.items():
        holds, wanted = _BOUNDS[name]
        if not holds(value, bound):
            raise ValueError(f"must be {wanted} {bound}")
    return value


def _unknown(place: Place, known: Iterable[str]) -> str:
    """That there is no such key, and which was probably meant."""
    among = f"there are {', '.join(known)}"
    return f"there is no key {spelled(place)}{instead(str(place[-1]), known, among)}"
