"""The table of nodes: one row each, drawn again only when it says something else."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from fleetview.fleet import Fleet, NodeState
from fleetview.present import rows
from fleetview.present.text import Line, difference
from fleetview.widgets.lines import Lines, draw


class Heading(Lines):
    """What stands over the columns."""


def _arranged_by(node: NodeState | None) -> object:
    """What the columns depend on."""
    return None if node is None else (node.machine is None, node.machine is not None and node.machine.gpu)


class FleetTable(ScrollView, can_focus=True):
    """One row for each node. The selection is a node, not a place, so it survives whatever changes."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"fleet-table--selected"}
    DEFAULT_CSS = """
    FleetTable { height: 1fr; overflow-x: hidden; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "down", show=False, id="move.down", tooltip="The next row."),
        Binding("up,k", "move(-1)", "up", show=False, id="move.up", tooltip="The row before."),
        Binding("pagedown", "page(1)", "page down", show=False, id="move.page_down", tooltip="A page down."),
        Binding("pageup", "page(-1)", "page up", show=False, id="move.page_up", tooltip="A page up."),
        Binding("g,home", "end(0)", "first", show=False, id="move.first", tooltip="The first row."),
        Binding("G,end", "end(-1)", "last", show=False, id="move.last", tooltip="The last row."),
    ]

    names: var[tuple[str, ...]] = var((), init=False)
    """The rows, in their order."""
    selected: var[str | None] = var(None, init=False)
    """The node that keys act on."""

    class Selected(Message):
        """Another row is selected."""

    def __init__(self) -> None:
        super().__init__()
        self._fleet: Fleet = {}
        self._now = 0.0
        self._columns: tuple[rows.Column, ...] = ()
        self._drawn: dict[str, Line] = {}
        """What stands in the rows that were drawn."""

    def show(self, fleet: Fleet, names: tuple[str, ...], now: float) -> None:
        """Show these nodes of the fleet as they are now."""
        before, then = self._fleet, self._now
        self._fleet, self._now = fleet, now
        if names != self.names:
            self.names = names
        if any(
            before.get(name) is not node and _arranged_by(before.get(name)) != _arranged_by(node)
            for name, node in fleet.items()
        ):
            self._arrange()
        first = self.scroll_offset.y
        for place, name in enumerate(names[first : first + self.size.height], first):
            if fleet[name] is not before.get(name) or (now != then and rows.ages(fleet[name], then, now)):
                self._renew(place, name)

    def _renew(self, place: int, name: str) -> None:
        """Draw the part of a row that says something else."""
        old, new = self._drawn.get(name), self._row(name)
        if old is None:
            self.refresh_line(place)
        elif old != new:
            x, width = difference(old, new)
            self.refresh(Region(x, place - self.scroll_offset.y, width, 1))
        self._drawn[name] = new

    def _arrange(self) -> None:
        """Choose the columns anew, for another width or other machines."""
        width = self.size.width
        columns = rows.layout(self._fleet, width)
        self.screen.query_one(Heading).lines = (rows.heading(columns, width),)
        if columns != self._columns:
            self._columns = columns
            self._drawn.clear()
            self.refresh()

    def _row(self, name: str) -> Line:
        """What stands in the row of a node now."""
        return rows.row(self._fleet[name], self._now, self._columns, self.size.width, selected=name == self.selected)

    def watch_names(self, _old: tuple[str, ...], names: tuple[str, ...]) -> None:
        """Other rows, perhaps fewer: keep the selection where it can be kept."""
        self.virtual_size = Size(self.size.width, len(names))
        self._drawn.clear()
        if self.selected not in names:
            self.selected = names[0] if names else None
        elif self.selected is not None:
            self._scroll_into_view(names.index(self.selected))
        self.refresh()

    def watch_selected(self, old: str | None, new: str | None) -> None:
        """Draw both rows again, and see to it that the new one is in view."""
        for name in (old, new):
            if name in self.names:
                self._drawn.pop(name, None)
                self.refresh_line(self.names.index(name))
        if new is not None:
            self._scroll_into_view(self.names.index(new))
        self.post_message(self.Selected())

    def _scroll_into_view(self, place: int) -> None:
        """Scroll as little as it takes."""
        top, height = self.scroll_offset.y, self.size.height
        if place < top or (height and place >= top + height):
            self.scroll_to(y=place if place < top else place - height + 1, animate=False)

    def on_resize(self, _event: Resize) -> None:
        """Columns follow the width."""
        self.virtual_size = Size(self.size.width, len(self.names))
        self._arrange()
        if self.selected is not None:
            self._scroll_into_view(self.names.index(self.selected))

    def on_click(self, event: Click) -> None:
        """A click selects the row."""
        place = event.y + self.scroll_offset.y
        if place < len(self.names):
            self.selected = self.names[place]

    def render_line(self, y: int) -> Strip:
        """One row, if there is one."""
        place, width = y + self.scroll_offset.y, self.size.width
        if place >= len(self.names) or not self._columns:
            return Strip.blank(width, self.rich_style)
        name = self.names[place]
        line = self._drawn.setdefault(name, self._row(name))
        style = self.get_visual_style("fleet-table--selected") if name == self.selected else None
        return draw(self, line, width, style)

    def action_move(self, rows_down: int) -> None:
        """Select a row further down, or up."""
        self._select(self._place() + rows_down)

    def action_page(self, pages: int) -> None:
        """Select a row a page away."""
        self._select(self._place() + pages * max(1, self.size.height - 1))

    def action_end(self, place: int) -> None:
        """Select the first row, or the last."""
        self._select(place % max(1, len(self.names)))

    def _place(self) -> int:
        """Where the selection is."""
        return self.names.index(self.selected) if self.selected in self.names else 0

    def _select(self, place: int) -> None:
        """Select the row at a place, or the nearest that there is."""
        if self.names:
            self.selected = self.names[min(max(place, 0), len(self.names) - 1)]
