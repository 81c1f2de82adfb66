"""From a JSON schema to a grammar that llama.cpp follows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from llama_cpp import llama_cpp as library
from llama_cpp.llama_grammar import LlamaGrammar, SchemaConverter

from fleetview_agent.llamacpp_worker.engine import Engine
from fleetview_agent.llamacpp_worker.prompt import Refused

MOST_CHARACTERS = 1 << 16
"""Of a schema."""
MOST_REPETITIONS = 1000
"""That a schema asks for; each of them is written out in the grammar."""
MOST_PARTS = 5000
"""Of a schema, those that are referred to counted each time."""
LONGEST_GRAMMAR = 1 << 20
LONGEST_CAUSE = 200
_COUNTS = ("minItems", "maxItems", "minLength", "maxLength")
_IN_BRACES = re.compile(r"\{\s*(\d*)\s*,?\s*(\d*)\s*\}")
_HINT = "use the common parts of JSON Schema alone: types, properties, required, items, enum, const, anyOf, $defs"
_MISTAKES = (AssertionError, ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""What the converter raises for a schema that it does not understand; it has no error of its own."""

Schema = dict[str, Any]  # Any: a JSON schema, which may be anything


def grammar_of(engine: Engine, schema: Schema) -> LlamaGrammar:
    """The grammar of all JSON that follows the schema. Raises Refused."""
    if len(json.dumps(schema)) > MOST_CHARACTERS:
        raise _refused(f"it has more than {MOST_CHARACTERS} characters")
    if (wanted := sum(_repetitions(schema))) > MOST_REPETITIONS:
        raise _refused(f"it asks for {wanted} repetitions in all, and {MOST_REPETITIONS} can be followed")
    try:
        text = _Converter().convert(schema)
    except _MISTAKES as problem:
        raise _refused(str(problem)[:LONGEST_CAUSE] or type(problem).__name__) from problem
    if len(text) > LONGEST_GRAMMAR or not _is_understood(engine, text):
        raise _refused("llama.cpp does not take the grammar that comes of it")
    return LlamaGrammar.from_string(text)


class _Converter(SchemaConverter):
    """The converter of llama-cpp-python, which for some schemas would never end."""

    def __init__(self) -> None:
        super().__init__(  # type: ignore[no-untyped-call]  # llama_cpp gives it no types
            prop_order={}, allow_fetch=False, dotall=False, raw_pattern=False
        )
        self._parts = 0

    def convert(self, schema: Schema) -> str:
        """The grammar as text."""
        if "$ref" in schema:  # beside which the converter sees nothing, not even what it refers to
            schema = {**schema, "anyOf": [{"$ref": schema["$ref"]}]}
            del schema["$ref"]
        self.visit(self.resolve_refs(schema, "schema"), "")
        return str(self.format_grammar())  # type: ignore[no-untyped-call]  # the same

    def visit(self, schema: Schema, name: str) -> str:
        """The name of the rule for a part of the schema."""
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise ValueError(f"it has more than {MOST_PARTS} parts")
        return str(super().visit(schema, name))  # type: ignore[no-untyped-call]  # the same


def _repetitions(part: object) -> Iterator[int]:
    """How often things are to be repeated, in every place of a schema."""
    if isinstance(part, list):
        for item in part:
            yield from _repetitions(item)
    if isinstance(part, dict):
        yield max((count for key in _COUNTS if isinstance(count := part.get(key), int)), default=0)
        if isinstance(pattern := part.get("pattern"), str):
            yield _in_pattern(pattern)
        for item in part.values():
            yield from _repetitions(item)


def _in_pattern(pattern: str) -> int:
    """The most that the repetitions of one pattern can come to, each within all the others."""
    product = 1
    for found in _IN_BRACES.finditer(pattern):
        product = min(product * max(1, *(int(count[:9]) for count in found.groups() if count)), 1 << 32)
    return product if product > 1 else 0


def _is_understood(engine: Engine, text: str) -> bool:
    """Whether llama.cpp can read the grammar; llama_cpp itself would go on with none, and crash."""
    sampler = library.llama_sampler_init_grammar(engine.vocabulary, text.encode(), b"root")
    if sampler:
        library.llama_sampler_free(sampler)
    return bool(sampler)


def _refused(cause: str) -> Refused:
    """What is said of a schema that cannot be followed."""
    return Refused(f"cannot follow this JSON schema: {cause}", _HINT)
