"""Lines of logs, of which only those in view are drawn; the last one is followed unless another is selected."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import Click, MouseScrollDown, MouseScrollUp, Resize
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from fleetview.present.logs import Columns, Entry, row, rows_of
from fleetview.widgets.lines import draw

MOST = 10_000
"""Lines that are kept; the oldest leave."""
_SLACK = 1000
"""More that are let be before they do, since that moves all others."""
_WHEEL = 3
_DRAWN = 400
"""Rows of which is remembered how they were drawn."""


class LogView(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows lines as they come. Moving up from the last one stops following; the last one starts it again."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"log-view--selected"}
    DEFAULT_CSS = """
    LogView { height: 1fr; overflow-x: hidden; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "down", show=False, id="move.down", tooltip="The next row."),
        Binding("up,k", "move(-1)", "up", show=False, id="move.up", tooltip="The row before."),
        Binding("pagedown", "page(1)", "page down", show=False, id="move.page_down", tooltip="A page down."),
        Binding("pageup", "page(-1)", "page up", show=False, id="move.page_up", tooltip="A page up."),
        Binding("g,home", "first", "first", show=False, id="move.first", tooltip="The first row."),
        Binding("G,end", "last", "last", show=False, id="move.last", tooltip="The last row."),
    ]

    class Moved(Message):
        """Another line is selected."""

    def __init__(self) -> None:
        super().__init__()
        self.wraps = False
        self.following = True
        """Whether the newest line stays in view."""
        self.below = 0
        """Lines that came since it does not."""
        self._entries: list[Entry] = []
        self._ends: list[int] = []
        """The row after each line."""
        self._columns = Columns()
        self._selected = 0
        self._strips: dict[tuple[Entry, int | None, bool], Strip] = {}
        """What was drawn before: while lines are followed, most of them only move up."""

    @property
    def entries(self) -> int:
        """How many lines there are."""
        return len(self._entries)

    @property
    def selected(self) -> Entry | None:
        """The line that keys act on."""
        return self._entries[self._selected] if self._selected < len(self._entries) else None

    def show(self, entries: Iterable[Entry], columns: Columns, *, keep: bool) -> None:
        """Show these lines, the newest of them in view; or `keep` the one that was selected, where it is among them."""
        selected = self.selected if keep and not self.following else None
        self._entries = list(entries)[-MOST:]
        self._columns = columns
        self.following = selected not in self._entries
        if self.following:
            self.below = 0
        elif selected is not None:
            self._selected = self._entries.index(selected)
        self._arrange()

    def extend(self, entries: Iterable[Entry]) -> None:
        """More lines have come."""
        fresh = list(entries)
        if not fresh:
            return
        self._entries += fresh
        self._measure(fresh)
        if len(self._entries) > MOST + _SLACK:
            self._forget(len(self._entries) - MOST)
        self.virtual_size = Size(self._width, self._rows)
        if self.following:
            self._selected = len(self._entries) - 1
            self._scroll_to_end()
        else:
            self.below += len(fresh)
        self.refresh()

    def wrap(self, wraps: bool) -> None:
        """Show long lines whole, or in a row each."""
        self.wraps = wraps
        self._arrange()

    @property
    def _width(self) -> int:
        """Cells beside the scroll bar."""
        return self.scrollable_content_region.width

    @property
    def _rows(self) -> int:
        return self._ends[-1] if self._ends else 0

    def _arrange(self) -> None:
        """Find out anew which row is whose; the selected line stays in view."""
        self._strips.clear()
        self._ends = []
        self._measure(self._entries)
        self.virtual_size = Size(self._width, self._rows)
        if self.following:
            self._selected = max(0, len(self._entries) - 1)
            self._scroll_to_end()
        else:
            self._select(self._selected)
        self.refresh()

    def _measure(self, entries: Iterable[Entry]) -> None:
        """Add the rows of lines that stand at the end."""
        room = max(1, self._width - self._columns.width)
        end = self._rows
        for one in entries:
            end += rows_of(one, room, wraps=self.wraps)
            self._ends.append(end)

    def _forget(self, number: int) -> None:
        """The oldest lines leave; what is in view stays there."""
        gone = self._ends[number - 1]
        del self._entries[:number]
        self._ends = [end - gone for end in self._ends[number:]]
        self._selected = max(0, self._selected - number)
        self.scroll_to(y=max(0, self.scroll_offset.y - gone), animate=False, force=True)

    def _scroll_to_end(self) -> None:
        self.scroll_to(y=max(0, self._rows - self.size.height), animate=False, force=True, immediate=True)

    def _select(self, place: int) -> None:
        """Select the line at a place, or the nearest that there is."""
        if not self._entries:
            return
        last = len(self._entries) - 1
        self._selected = min(max(place, 0), last)
        self.following = self._selected == last
        if self.following:
            self.below = 0
            self._scroll_to_end()
        else:
            start, end = self._ends[self._selected - 1] if self._selected else 0, self._ends[self._selected]
            top, height = self.scroll_offset.y, self.size.height
            if start < top or end > top + height:
                self.scroll_to(y=start if start < top else end - height, animate=False, force=True, immediate=True)
        self.refresh()
        self.post_message(self.Moved())

    def on_resize(self, _event: Resize) -> None:
        """Rows follow the width."""
        self._arrange()

    def on_click(self, event: Click) -> None:
        """A click selects the line."""
        self._select(bisect_right(self._ends, event.y + self.scroll_offset.y))

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """The wheel moves the selection, so that what is in view and what is followed stay one thing."""
        event.stop()
        self.action_move(-_WHEEL)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """As above."""
        event.stop()
        self.action_move(_WHEEL)

    def notify_style_update(self) -> None:
        """Colours are others now."""
        super().notify_style_update()
        self._strips.clear()

    def render_line(self, y: int) -> Strip:
        """One row, if there is one."""
        width, place = self._width, y + self.scroll_offset.y
        index = bisect_right(self._ends, place)
        if index >= len(self._entries):
            return Strip.blank(width, self.rich_style)
        part = place - (self._ends[index - 1] if index else 0) if self.wraps else None
        key = (self._entries[index], part, index == self._selected)
        if (strip := self._strips.get(key)) is None:
            if len(self._strips) > _DRAWN:
                self._strips.clear()
            style = self.get_visual_style("log-view--selected") if index == self._selected else None
            strip = self._strips[key] = draw(self, row(key[0], self._columns, width, part), width, style)
        return strip

    def action_move(self, lines: int) -> None:
        """Select a line further down, or up."""
        self._select(self._selected + lines)

    def action_page(self, pages: int) -> None:
        """Select a line a page away."""
        self._select(self._selected + pages * max(1, self.size.height - 1))

    def action_first(self) -> None:
        """Select the first line."""
        self._select(0)

    def action_last(self) -> None:
        """Select the last line, and follow."""
        self._select(len(self._entries) - 1)
