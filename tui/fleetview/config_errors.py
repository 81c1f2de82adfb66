"""What is wrong with a fleet file: where, and what was probably meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

Place = tuple[str | int, ...]
"""The way to a value: names of keys, and numbers of tables in a list."""

HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]")
KEY = re.compile(r"""\s*(?:"([^"]+)"|'([^']+)'|([\w-]+))\s*=""")
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


class ConfigError(Exception):
    """A fleet file cannot be used; the sentence says which, where and why."""


def explain(file: Path, text: str, problem: ValidationError, model: type[BaseModel]) -> str:
    """The first mistake in one sentence."""
    first = problem.errors(include_url=False)[0]
    place: Place = first["loc"][:2] if first["loc"][:1] == ("keys",) else first["loc"]
    sentence = _sentence(first["type"], first["msg"], place, model)
    line = find_line(text, place)
    return f"{file}:{line}: {sentence}" if line else f"{file}: {sentence}"


def _sentence(kind: str, message: str, place: Place, model: type[BaseModel]) -> str:
    """What is wrong at `place`."""
    key = ".".join(str(part) for part in place if isinstance(part, str))
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(place[-1]), _keys_at(place[:-1], model), n=1)
        return f"there is no key {key}" + (f"; did you mean {near[0]}?" if near else "")
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


def find_line(text: str, place: Place) -> int | None:
    """The line of `place`, or of the nearest table around it; None where it is written in some rarer way."""
    names = [part for part in place if isinstance(part, str)]
    wanted = next((part for part in place if isinstance(part, int)), 0)
    if not names:
        return None
    table, seen, near = "", -1, None
    for number, line in enumerate(text.splitlines(), 1):
        if header := HEADER.match(line):
            table = header[2].strip("\"'")
            seen += header[1] == "[[" and table == names[0]
            if names[:1] == [table] and (header[1] == "[" or seen == wanted):
                near = number
                if len(names) == 1:
                    return number
        elif (found := KEY.match(line)) and (key := found[1] or found[2] or found[3]):
            inside = table == names[0] and (seen < 0 or seen == wanted) and names[1:2] == [key]
            if inside or (table == "" and names[:1] == [key]):
                return number
    return near
