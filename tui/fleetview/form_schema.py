"""The form of a file as a JSON schema, for editors. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, asdict, is_dataclass
from typing import TYPE_CHECKING, Any

from fleetview.forms import Kind, keys_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Schema = dict[str, Any]  # Any: JSON


def schema_of(cls: type[DataclassInstance]) -> Schema:
    """The schema of a file that becomes this dataclass."""
    return {
        "$defs": {one.__name__: _table(one) for one in sorted(_inner(cls), key=lambda one: one.__name__)},
        **_table(cls),
    }


def _inner(cls: type[DataclassInstance]) -> Iterator[type[DataclassInstance]]:
    """The tables inside of a table."""
    for _, kind in keys_of(cls).values():
        if kind.table is not None:
            yield kind.table
            yield from _inner(kind.table)


def _table(cls: type[DataclassInstance]) -> Schema:
    """A table that becomes this dataclass."""
    known = keys_of(cls)
    needed = [key for key, (field, _) in known.items() if field.default is MISSING and field.default_factory is MISSING]
    return {
        "additionalProperties": False,
        "description": cls.__doc__,
        "properties": {key: _value(key, field, kind) for key, (field, kind) in known.items()},
        **({"required": needed} if needed else {}),
        "title": cls.__name__,
        "type": "object",
    }


def _value(key: str, field: Field[Any], kind: Kind) -> Schema:  # Any: each field has a type of its own
    """What a key may have."""
    default = field.default_factory() if field.default_factory is not MISSING else field.default
    schema: Schema = {**kind.schema} if default is not None else {"anyOf": [kind.schema, {"type": "null"}]}
    if default is not MISSING:
        schema["default"] = _plain(default)
    return schema if "$ref" in schema else {**schema, "title": key.replace("_", " ").title()}


def _plain(value: Any) -> Any:  # Any: JSON, and what becomes it
    """A default as JSON."""
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
