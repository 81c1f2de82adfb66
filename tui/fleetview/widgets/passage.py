"""A part of a transcript: its rows are drawn when they are looked at, and how many there are is guessed before."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from textual.strip import Strip


class Room(NamedTuple):
    """What rows are drawn for."""

    width: int
    gap: int = 1
    """Empty rows between two parts; none where there are few rows at all."""


Paint = Callable[[Room], list[Strip]]
"""The rows for a room."""


class Passage:
    """Rows that are kept until the text changes, or the width."""

    def __init__(self, paint: Paint, guess: Callable[[Room], int]) -> None:
        self._paint = paint
        self._guess = guess
        """About how many rows there will be."""
        self._room: Room | None = None
        """For which the number of rows is true, be it counted or guessed."""
        self._rows = 0
        self._counted = False
        self._lines: list[Strip] | None = None

    def changed(self) -> None:
        """What was drawn is no longer true."""
        self._room = self._lines = None

    def faded(self) -> None:
        """Its colours are others now; there are as many rows as before."""
        self._lines = None

    def counted(self, room: Room) -> bool:
        """Whether it is known how many rows there are."""
        return self._room == room and self._counted

    def rows(self, room: Room) -> int:
        """How many rows there are, as far as is known."""
        if self._room != room:
            self._room, self._counted, self._lines = room, False, None
            self._rows = self._guess(room)
        return self._rows

    def lines(self, room: Room) -> list[Strip]:
        """The rows themselves."""
        if self._lines is None or self._room != room:
            self._lines = self._paint(room)
            self._room, self._counted, self._rows = room, True, len(self._lines)
        return self._lines
