"""Rows of which one is chosen; only those in view are drawn, and of these only what changed."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import ClassVar, Generic, TypeVar

from textual.events import Click, Resize
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from fleetview.present.text import Line
from fleetview.widgets.lines import Lines, draw

Row = TypeVar("Row", bound=Hashable)


class Choices(Lines, Generic[Row]):
    """As many rows as there is room for, around the chosen one; keys come from what has the focus."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"choices--here"}
    DEFAULT_CSS = """
    Choices {
        height: 1fr;
        & > .choices--here { background: $row-selected; }
    }
    """

    class Moved(Message):
        """Another row is chosen, or there are other rows."""

    def __init__(self, line: Callable[[Row, int, bool], Line], key: Callable[[Row], Hashable]) -> None:
        super().__init__()
        self.rows: tuple[Row, ...] = ()
        self._line = line
        """How a row is drawn in so many cells, and as the chosen one."""
        self._key = key
        """By what a row is known again when it has changed."""
        self._place = 0
        self._first = 0
        """The row at the top."""

    @property
    def chosen(self) -> Row | None:
        """The row that keys act on."""
        return self.rows[self._place] if self.rows else None

    def show(self, rows: tuple[Row, ...]) -> None:
        """Show these rows; the chosen one stays where it is still among them."""
        before = self._key(self.chosen) if self.chosen is not None else None
        other = rows != self.rows
        self.rows = rows
        places = (place for place, row in enumerate(rows) if self._key(row) == before)
        self._place = next(places, 0)
        self._fill()
        if other:
            self.post_message(self.Moved())

    def move(self, by: int) -> None:
        """Choose a row further down, or up."""
        self._go(self._place + by)

    def page(self, pages: int) -> None:
        """Choose a row a page away."""
        self._go(self._place + pages * max(1, self.size.height - 1))

    def end(self, *, last: bool) -> None:
        """Choose the last row, or the first."""
        self._go(len(self.rows) - 1 if last else 0)

    def _go(self, place: int) -> None:
        """Choose the nearest row that there is."""
        place = min(max(place, 0), max(len(self.rows) - 1, 0))
        if place != self._place:
            old, self._place = self._place, place
            self._fill()
            for row in (old, place):
                self.refresh(Region(0, row - self._first, self.size.width, 1))
            self.post_message(self.Moved())

    def _fill(self) -> None:
        """Draw what is in view."""
        width, height = self.size
        first = min(self._first, self._place, max(0, len(self.rows) - height))
        self._first = max(first, self._place - height + 1, 0)
        rows = enumerate(self.rows[self._first : self._first + height], self._first)
        self.lines = tuple(self._line(row, width, place == self._place) for place, row in rows)

    def on_resize(self, _event: Resize) -> None:
        """There is room for others."""
        self._fill()

    def on_click(self, event: Click) -> None:
        """A click chooses a row."""
        if event.y < len(self.lines):
            self._go(self._first + event.y)

    def render_line(self, y: int) -> Strip:
        """One row; the chosen one stands out."""
        if self.rows and y + self._first == self._place and y < len(self.lines):
            return draw(self, self.lines[y], self.size.width, self.get_visual_style("choices--here"))
        return super().render_line(y)
