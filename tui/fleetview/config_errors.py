"""What is wrong with a fleet file: where, and what was probably meant."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fleetview.toml_lines import Place, find_line

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
    """The name of a key; in quotes where it is empty or would not stay in its line."""
    return ".".join(
        part if part and part.isprintable() else json.dumps(part) for part in place if isinstance(part, str)
    )


def instead(word: str, known: Iterable[str], among: str) -> str:
    """What was probably meant, to follow what is wrong; `among`: where to look when nothing is near."""
    near = difflib.get_close_matches(word, tuple(known), n=1)
    return f"; did you mean {near[0]}?" if near else f"; {among}"
