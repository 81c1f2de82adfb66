"""A text in the operator's own editor, and back."""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from fleetview import shell

USUAL = ("vi", "nano")
"""What is tried where nobody says which."""


class NotEdited(Exception):
    """The text could not be edited and is as it was; says why in one sentence."""


def argv(
    environment: Mapping[str, str], find: Callable[[str], str | None] = shutil.which, usual: tuple[str, ...] = USUAL
) -> tuple[str, ...]:
    """The editor's program and its arguments, by $VISUAL, $EDITOR or what is usual. Raises NotEdited."""
    for name in ("VISUAL", "EDITOR"):
        if command := environment.get(name, "").strip():
            return _named(name, command, find)
    for program in usual:
        if find(program):
            return (program,)
    raise NotEdited("there is no editor here: set $EDITOR to one, as in EDITOR=nano")


def _named(name: str, command: str, find: Callable[[str], str | None]) -> tuple[str, ...]:
    """The command of a variable. Raises NotEdited."""
    try:
        words = tuple(shlex.split(command))
    except ValueError:
        words = ()
    if not words:
        raise NotEdited(f"${name} has quotes that do not match: {command}")
    if not find(words[0]):
        raise NotEdited(f"the editor {words[0]} of ${name} is not installed here; set ${name} to another one")
    return words


async def edit(text: str, command: tuple[str, ...]) -> str:
    """The text as it is left when the editor ends, which has the terminal until then. Raises NotEdited."""
    try:
        with _draft(text) as file:
            if status := await shell.run((*command, str(file))):
                raise NotEdited(f"{command[0]} ended with status {status}, so the prompt stays as it was")
            return _left_in(file)
    except OSError as problem:
        why = (problem.strerror or "unknown reason").lower()
        raise NotEdited(
            f"the prompt cannot be given to {command[0]}: {why}; see that it can be started, and that no disk is full"
        ) from problem


@contextmanager
def _draft(text: str) -> Iterator[Path]:
    """A file with the text that is gone afterwards. Raises OSError."""
    descriptor, name = tempfile.mkstemp(prefix="fleetview-", suffix=".md")  # of mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as stream:
            stream.write(text)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _left_in(file: Path) -> str:
    """What the editor left. Raises OSError."""
    return file.read_text(encoding="utf-8", errors="replace").removesuffix("\n")
