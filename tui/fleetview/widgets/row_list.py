"""Rows of which one is selected; those in view are drawn, and only when they say something else."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from fleetview.present.text import Line, difference
from fleetview.widgets.lines import draw

RowKey = Hashable


class RowList(ScrollView, can_focus=True):
    """Rows by key. The selection is a key and not a place, so it survives whatever comes and goes."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"row-list--selected"}
    DEFAULT_CSS = """
    RowList { height: 1fr; overflow-x: hidden; scrollbar-gutter: stable; scrollbar-size: 1 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "down", show=False, id="move.down", tooltip="The next row."),
        Binding("up,k", "move(-1)", "up", show=False, id="move.up", tooltip="The row before."),
        Binding("pagedown", "page(1)", "page down", show=False, id="move.page_down", tooltip="A page down."),
        Binding("pageup", "page(-1)", "page up", show=False, id="move.page_up", tooltip="A page up."),
        Binding("g,home", "end(0)", "first", show=False, id="move.first", tooltip="The first row."),
        Binding("G,end", "end(-1)", "last", show=False, id="move.last", tooltip="The last row."),
    ]

    selected: var[RowKey | None] = var(None, init=False)

    class Selected(Message):
        """Another row is selected."""

    def __init__(self) -> None:
        super().__init__()
        self._keys: tuple[RowKey, ...] = ()
        self._places: dict[RowKey, int] = {}
        self._word: Callable[[RowKey], Line] = lambda _: ()
        self._drawn: dict[RowKey, Line] = {}
        """What stands in the rows that were drawn."""

    @property
    def row_width(self) -> int:
        """Cells of a row, without the scroll bar."""
        return self.scrollable_content_region.width

    def show(self, keys: tuple[RowKey, ...], word: Callable[[RowKey], Line]) -> None:
        """Show these rows; `word` says what stands in each."""
        self._word = word
        if keys != self._keys:
            self._arrange(keys)
        first = self.scroll_offset.y
        for place, key in enumerate(keys[first : first + self.size.height], first):
            self._renew(place, key)

    def _arrange(self, keys: tuple[RowKey, ...]) -> None:
        """Other rows, perhaps fewer: keep the selection where it can be kept, else near its place."""
        place = self._places.get(self.selected, 0)
        self._keys, self._places = keys, {key: at for at, key in enumerate(keys)}
        self.virtual_size = Size(self.size.width, len(keys))
        self._drawn.clear()
        if self.selected not in self._places:
            self.selected = keys[min(place, len(keys) - 1)] if keys else None
        self._scroll_into_view()
        self.refresh()

    def _renew(self, place: int, key: RowKey) -> None:
        """Draw the part of a row that says something else."""
        old, new = self._drawn.get(key), self._word(key)
        if old is None:
            self.refresh_line(place)
        elif old != new:
            x, width = difference(old, new)
            self.refresh(Region(x, place - self.scroll_offset.y, width, 1))
        self._drawn[key] = new

    def watch_selected(self, old: RowKey | None, new: RowKey | None) -> None:
        """Draw both rows again, and see to it that the new one is in view."""
        for key in (old, new):
            if key in self._places:
                self.refresh_line(self._places[key])
        self._scroll_into_view()
        self.post_message(self.Selected())

    def _scroll_into_view(self) -> None:
        """Scroll as little as it takes."""
        place, top, height = self._places.get(self.selected), self.scroll_offset.y, self.size.height
        if place is not None and (place < top or (height and place >= top + height)):
            self.scroll_to(y=place if place < top else place - height + 1, animate=False)

    def on_resize(self, _event: Resize) -> None:
        """Columns follow the width."""
        self.virtual_size = Size(self.size.width, len(self._keys))
        self._drawn.clear()
        self._scroll_into_view()

    def on_click(self, event: Click) -> None:
        """A click selects the row."""
        self._select(event.y + self.scroll_offset.y)

    def render_line(self, y: int) -> Strip:
        """One row, if there is one."""
        place, width = y + self.scroll_offset.y, self.row_width
        if place >= len(self._keys):
            return Strip.blank(width, self.rich_style)
        key = self._keys[place]
        if (line := self._drawn.get(key)) is None:
            line = self._drawn[key] = self._word(key)
        style = self.get_visual_style("row-list--selected") if key == self.selected else None
        return draw(self, line, width, style)

    def action_move(self, rows_down: int) -> None:
        """Select a row further down, or up."""
        self._select(self._places.get(self.selected, 0) + rows_down)

    def action_page(self, pages: int) -> None:
        """Select a row a page away."""
        self.action_move(pages * max(1, self.size.height - 1))

    def action_end(self, place: int) -> None:
        """Select the first row, or the last."""
        self._select(place % max(1, len(self._keys)))

    def _select(self, place: int) -> None:
        """Select the row at a place, or the nearest that there is."""
        if self._keys:
            self.selected = self._keys[min(max(place, 0), len(self._keys) - 1)]
