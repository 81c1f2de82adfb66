"""What is wrong with a fleet file: where, and what was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from fleetview.toml_lines import Place, find_line

MESSAGES: Mapping[str, str] = {
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "dict_type": "must be a table",
    "mapping_type": "must be a table",
    "string_type": "must be a text in quotes",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "path_type": "must be a path in quotes",
    "tuple_type": "must be a list",
}

Finding = tuple[Place, str]
"""Where something is wrong, and a sentence that names the key."""


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong with a fleet file."""

    file: Path
    line: int | None
    """None where it could not be found, or where the whole file is meant."""
    key: str
    """`node.host`; empty where the whole file is meant."""
    sentence: str

    def __str__(self) -> str:
        """For people, as compilers and editors write it."""
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{place}: {self.sentence}"


class ConfigError(Exception):
    """A fleet file cannot be used; its mistakes say which, where and why."""

    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__(*mistakes)
        self.mistakes = mistakes

    def __str__(self) -> str:
        """The first mistake, and how many more there are."""
        first, *others = self.mistakes
        if not others:
            return str(first)
        mistakes = "one more mistake" if len(others) == 1 else f"{len(others)} more mistakes"
        return f"{first} (and {mistakes}; `fleetview config check` names all)"


def unreadable(file: Path, sentence: str) -> ConfigError:
    """The whole file is of no use."""
    return ConfigError(Mistake(file, None, "", sentence))


def located(file: Path, text: str, findings: Iterable[Finding]) -> ConfigError:
    """The findings with their lines, in the order of the file."""
    mistakes = (Mistake(file, find_line(text, place), spelled(place), sentence) for place, sentence in findings)
    return ConfigError(*sorted(mistakes, key=lambda mistake: mistake.line or 0))


def spelled(place: Place) -> str:
    """The name of a key."""
    return ".".join(part for part in place if isinstance(part, str))


def instead(word: str, known: Iterable[str], among: str) -> str:
    """What was probably meant, to follow what is wrong; `among`: where to look when nothing is near."""
    near = difflib.get_close_matches(word, tuple(known), n=1)
    return f"; did you mean {near[0]}?" if near else f"; {among}"


def explain(problem: ValidationError, model: type[BaseModel]) -> tuple[Finding, ...]:
    """Everything that pydantic minds, one finding for each place."""
    found: dict[Place, str] = {}
    for error in problem.errors(include_url=False):
        place: Place = error["loc"][:2] if error["loc"][:1] == ("keys",) else error["loc"]
        found.setdefault(place, _sentence(error["type"], error["msg"], place, model))
    if any(len(place) > 1 and place[0] == "node" for place in found):
        found.pop(("node",), None)  # to pydantic a list of wrong nodes is also one that is too short
    return tuple(found.items())


def _sentence(kind: str, message: str, place: Place, model: type[BaseModel]) -> str:
    """What is wrong at `place`."""
    key = spelled(place)
    if kind == "extra_forbidden":
        known = _keys_at(place[:-1], model)
        among = f"there are {', '.join(known)}"
        return f"there is no key {key}{instead(str(place[-1]), known, among)}"
    if kind == "missing":
        return f"{key} is missing"
    if kind == "value_error":
        told = message.removeprefix("Value error, ")
        return f"{key} {told}" if told.startswith("must") else told
    if place == ("node",):
        return "nodes are written as [[node]], with at least a name and either host or local = true"
    if place[:1] == ("keys",) and len(place) > 1:
        return f'{key} must be a key in quotes, or a list of them, as in "node.swap" = "s"'
    return f"{key} {MESSAGES.get(kind, message.replace('Input should be', 'must be').replace('Input should', 'must'))}"


def _keys_at(place: Place, model: type[BaseModel]) -> tuple[str, ...]:
    """The keys that the table at `place` may have."""
    for part in place:
        if isinstance(part, str):
            field = next((field for name, field in model.model_fields.items() if _key(name, field) == part), None)
            model = _model_in(field.annotation) if field else BaseModel
    return tuple(_key(name, field) for name, field in model.model_fields.items())


def _key(name: str, field: Any) -> str:  # Any: pydantic's FieldInfo, whose alias may be of several types
    """A field as it is written in the file."""
    return field.validation_alias if isinstance(field.validation_alias, str) else name


def _model_in(annotation: Any) -> type[BaseModel]:  # Any: an annotation is whatever Python can spell
    """The section that an annotation speaks of."""
    for part in (annotation, *get_args(annotation)):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part
    return BaseModel
