"""Which keys are declared, and which of them a test presses elsewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from fleetview.key_names import normal
from fleetview.keymap import scopes

TESTS = Path(__file__).parent.parent


def declared() -> dict[str, set[str]]:
    """The class of every screen → its keys."""
    return {scope.owners[0].__name__: {key for keys in scope.keys.values() for key in keys} for scope in scopes()}


@cache
def _functions(file: str) -> dict[str, ast.AsyncFunctionDef | ast.FunctionDef]:
    tree = ast.parse((TESTS / file).read_text())
    return {node.name: node for node in tree.body if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)}


def pressed_by(test: str) -> set[str]:
    """The keys that a test names where it presses: as arguments, as its parameters, or in a loop."""
    file, _, name = test.partition("::")
    function = _functions(file)[name]
    return {normal(text) for part in _pressing(function) for text in _texts(part)}


def _pressing(function: ast.AsyncFunctionDef | ast.FunctionDef) -> Iterator[ast.AST]:
    yield from function.decorator_list
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in {"press", "trusted", "answer"}:
                yield from (one for one in node.args if not _typed(one))
        elif isinstance(node, ast.For):
            yield node.iter


def _typed(argument: ast.expr) -> bool:
    """Whether it is text, letter by letter."""
    return isinstance(argument, ast.Starred) and isinstance(argument.value, ast.Constant)


def _texts(part: ast.AST) -> Iterator[str]:
    yield from (one.value for one in ast.walk(part) if isinstance(one, ast.Constant) and isinstance(one.value, str))
