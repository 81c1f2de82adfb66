"""Whether a value keeps to a JSON schema, as far as our own uses one; a word that is not known here is an error."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

SILENT = frozenset({"$defs", "$schema", "default", "description", "format", "title"})
"""Words that ask for nothing."""
TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}
CHECKS: Mapping[str, Callable[[Any, Any], bool]] = {
    "const": lambda value, wanted: bool(value == wanted),
    "enum": lambda value, wanted: value in wanted,
    "minimum": lambda value, least: bool(value >= least),
    "maximum": lambda value, most: bool(value <= most),
    "exclusiveMinimum": lambda value, least: bool(value > least),
    "minItems": lambda value, least: len(value) >= least,
    "pattern": lambda value, pattern: re.search(pattern, value) is not None,
    "required": lambda value, names: set(names) <= set(value),
}


PARTS = frozenset({"properties", "additionalProperties", "propertyNames", "items"})
"""Words about what is inside of a value."""

Schema = Mapping[str, Any] | bool


def offences(value: Any, schema: Schema, whole: Mapping[str, Any], place: str = "") -> Iterator[str]:
    """Every place where `value` offends against `schema`, which is a part of `whole`."""
    if isinstance(schema, bool):
        yield from () if schema else (f"{place}: unknown",)
        return
    if reference := schema.get("$ref"):
        yield from offences(value, whole["$defs"][reference.removeprefix("#/$defs/")], whole, place)
        return
    assert schema.keys() <= {*SILENT, *CHECKS, *PARTS, "type", "anyOf"}, f"not all known here: {list(schema)}"
    wanted = schema.get("type")
    if wanted and (not isinstance(value, TYPES[wanted]) or (isinstance(value, bool) and wanted != "boolean")):
        yield f"{place}: no {wanted}"
        return
    if "anyOf" in schema and all(any(offences(value, one, whole)) for one in schema["anyOf"]):
        yield f"{place}: none of these"
    yield from (
        f"{place}: {word}" for word, check in CHECKS.items() if word in schema and not check(value, schema[word])
    )
    for name, part, form in _parts(value, schema):
        yield from offences(part, form, whole, f"{place}{name}")


def _parts(value: Any, schema: Mapping[str, Any]) -> Iterator[tuple[str, Any, Schema]]:
    """What is inside of a value, each with what is asked of it."""
    if isinstance(value, dict):
        others = schema.get("additionalProperties", True)
        for name, part in value.items():
            yield f".{name}", part, schema.get("properties", {}).get(name, others)
            yield f".{name}", name, schema.get("propertyNames", True)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield f"[{number}]", part, schema.get("items", True)
