"""The small text files in which a Linux kernel tells its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from fleetview_agent.samplers.probing import Moment, Probe, Reading, Unreadable

LARGEST = (1 << 64) - 1
"""That a kernel or a driver can tell."""


class Files:
    """Text files below `root`; within one reading each is read once, for several figures come out of one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._moment: Moment | None = None
        self._texts: dict[str, str | OSError] = {}

    def begin(self, moment: Moment) -> None:
        """Forget what an earlier reading read."""
        if moment is not self._moment:
            self._moment = moment
            self._texts.clear()

    def text(self, path: str) -> str:
        """A file as it was when this reading first came to it. Raises OSError."""
        if path not in self._texts:
            try:
                self._texts[path] = content(self.root / path)
            except OSError as problem:
                self._texts[path] = problem
        if isinstance(text := self._texts[path], OSError):
            raise text.with_traceback(None)
        return text

    def told(self, path: str, word: str) -> str:
        """What follows the word that begins a line of such a file. Raises OSError, or KeyError where no line does."""
        _, found, rest = f"\n{self.text(path)}".partition(f"\n{word} ")
        if not found:
            raise KeyError(word)
        return rest.partition("\n")[0]

    def probe(self, name: str, sources: Mapping[str, str], read: Callable[[Moment], Mapping[str, object]]) -> Probe:
        """A probe that costs next to nothing; where `read` finds no sense in its files, it says which they were."""

        def reading(moment: Moment) -> Reading:
            self.begin(moment)
            where = next(iter(sources.values()))
            try:
                return Reading(read(moment))
            except OSError as problem:
                raise Unreadable(f"{where} cannot be read: {problem.strerror or problem}") from problem
            except KeyError as problem:
                raise Unreadable(f"{where} does not tell {problem}") from problem
            except (ValueError, LookupError, ArithmeticError) as problem:
                raise Unreadable(f"{where} is not as expected: {problem}") from problem

        return Probe(name, sources, reading)


def content(file: Path) -> str:
    """All of a file. Raises OSError."""
    with file.open("rb", buffering=0) as opened:  # Python's layers of buffer and text cost more than the kernel does
        return opened.readall().decode(errors="replace")


def number(file: Path) -> int:
    """The whole number that a file holds. Raises OSError, or ValueError where it holds none that a driver may tell."""
    if abs(told := int(content(file))) > LARGEST:
        raise ValueError("it is larger than what fits into 64 bits")
    return told


def word(file: Path) -> str | None:
    """The one line that a file holds; None where it cannot be read, or is empty."""
    try:
        return content(file).strip("\0\n ") or None
    except OSError:
        return None
