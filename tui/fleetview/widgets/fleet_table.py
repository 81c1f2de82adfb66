"""The table of nodes: one row each, drawn again only when it says something else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from fleetview.fleet import Fleet, NodeState
from fleetview.present import measures
from fleetview.present.table.freshness import FRESH_SECONDS, changed
from fleetview.present.table.grouping import Group, group_line
from fleetview.present.table.layout import Choice, Placed, layout
from fleetview.present.table.rows import ages, heading, row
from fleetview.present.table.sorting import Sort
from fleetview.present.text import Line, difference, left
from fleetview.widgets.lines import Lines, draw

_NOTE = 2
"""Lines for what stands below the rows."""
Row = str | Group
"""A node by its name, or what stands over several."""


class Heading(Lines):
    """What stands over the columns."""


def _arranged_by(node: NodeState | None) -> object:
    """What the columns depend on."""
    if node is None:
        return None
    return node.machine is None, node.machine is not None and node.machine.gpu, measures.has_power_of_parts(node)


class FleetTable(ScrollView, can_focus=True):
    """One row for each node. The selection is a node, not a place, so it survives whatever changes."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"fleet-table--selected", "fleet-table--group"}
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

    rows: var[tuple[Row, ...]] = var((), init=False)
    """Nodes and the headings of their groups, in their order."""
    selected: var[str | None] = var(None, init=False)
    """The node that keys act on."""
    marked: var[frozenset[str]] = var(frozenset(), init=False)
    """The nodes that keys act on instead, where there are any."""
    choice: var[Choice] = var(Choice(), init=False)
    """Which columns are wanted."""
    sort: var[Sort | None] = var(None, init=False)
    """The order that the heading tells of; the rows come in it."""
    note: var[Line] = var((), init=False)
    """What stands below the rows."""

    class Selected(Message):
        """Another row is selected."""

    def __init__(self) -> None:
        super().__init__()
        self.names: tuple[str, ...] = ()
        """The nodes that can be selected, in their order."""
        self._places: dict[str, int] = {}
        """In which row each of them stands."""
        self._fleet: Fleet = {}
        self._now = 0.0
        self._wanted: str | None = None
        """The node that was selected by hand; selected again when it comes back."""
        self._columns: tuple[Placed, ...] = ()
        self._width = 0
        """Cells for which they were chosen."""
        self._drawn: dict[Row, Line] = {}
        """What stands in the rows that were drawn."""
        self._fresh: dict[str, float] = {}
        """Since when something about a node is new."""

    def show(self, fleet: Fleet, shown: tuple[Row, ...], now: float) -> None:
        """Show these nodes of the fleet as they are now."""
        before, then = self._fleet, self._now
        self._fleet, self._now = fleet, now
        if shown != self.rows:
            self.rows = shown
        other = [name for name, node in fleet.items() if before.get(name) is not node]
        if any(_arranged_by(before.get(name)) != _arranged_by(fleet[name]) for name in other):
            self._arrange()
        self._fresh.update({name: now for name in other if changed(before.get(name), fleet[name])})
        calm = {name for name, since in self._fresh.items() if now - since > FRESH_SECONDS}
        for name in calm:
            del self._fresh[name]
        late = {*other, *calm}
        for place, one in self._in_view():
            if isinstance(one, Group):
                stirred = now != then  # as the header, once a second
            else:
                stirred = one in late or (now != then and ages(fleet[one], then, now, self._columns))
            if stirred:
                self._renew(place, one)
        seen = (one for _, one in self._in_view())
        self._drawn = {one: self._drawn[one] for one in seen if one in self._drawn}  # what is not seen may grow old

    def _in_view(self) -> Iterator[tuple[int, Row]]:
        """The rows that can be seen, with their places."""
        first = self.scroll_offset.y
        return enumerate(self.rows[first : first + self.size.height], first)

    def _renew(self, place: int, shown: Row) -> None:
        """Draw the part of a row that says something else."""
        old, new = self._drawn.get(shown), self._line(shown)
        if old is None:
            self.refresh_line(place)
        elif old != new:
            x, width = difference(old, new)
            self.refresh(Region(x, place - self.scroll_offset.y, width, 1))
        self._drawn[shown] = new

    def _arrange(self) -> None:
        """Choose the columns anew, for another width, other machines or other wishes."""
        width = self._room()
        columns = layout(self._fleet, width, self.choice)
        self.screen.query_one(Heading).lines = (heading(columns, self.size.width, self.sort),)
        if (columns, width) != (self._columns, self._width):
            self._columns, self._width = columns, width
            self._drawn.clear()
            self.refresh()

    def _room(self) -> int:
        """Cells for a row; the scrollbar takes one of them where there are more rows than can be seen."""
        return self.size.width - (len(self.rows) > self.size.height)

    def _line(self, shown: Row) -> Line:
        """What stands in a row now."""
        width = self._width
        if isinstance(shown, Group):
            return group_line(shown, self._fleet, self._now, width)
        return row(
            self._fleet[shown],
            self._now,
            self._columns,
            width,
            selected=shown == self.selected,
            marked=shown in self.marked,
            fresh=shown in self._fresh,
        )

    def watch_rows(self, _old: tuple[Row, ...], shown: tuple[Row, ...]) -> None:
        """Other rows, perhaps fewer: keep the selection where it can be kept."""
        before = self._place()
        self._places = {one: place for place, one in enumerate(shown) if isinstance(one, str)}
        self.names = tuple(self._places)
        self.virtual_size = Size(self.size.width, len(shown))
        if self._columns and self._room() != self._width:
            self._arrange()
        if self._wanted in self._places and self.selected != self._wanted:
            self.selected = self._wanted
        elif self.selected not in self._places:
            self.selected = self.names[min(before, len(self.names) - 1)] if self.names else None
        elif self.selected is not None:
            self._scroll_into_view(self.selected)
        self.refresh()

    def watch_selected(self, old: str | None, new: str | None) -> None:
        """Draw both rows again, and see to it that the new one is in view."""
        self._forget(name for name in (old, new) if name is not None)
        if new is not None:
            self._scroll_into_view(new)
        self.post_message(self.Selected())

    def watch_marked(self, old: frozenset[str], new: frozenset[str]) -> None:
        """Draw the rows that are marked now, and those that were."""
        self._forget(old ^ new)

    def _forget(self, names: Iterable[str]) -> None:
        """Draw whole rows again."""
        for name in names:
            if name in self._places:
                self._drawn.pop(name, None)
                self.refresh_line(self._places[name])

    def watch_choice(self) -> None:
        """Other columns."""
        if self.size.width:
            self._arrange()

    def watch_sort(self) -> None:
        """Another heading."""
        if self.size.width:
            self._arrange()

    def watch_note(self) -> None:
        """Something else stands below the rows."""
        self.refresh()

    def _scroll_into_view(self, name: str) -> None:
        """Scroll as little as it takes, and show the heading of a group with its first row."""
        place = self._places[name]
        first = place - 1 if place and isinstance(self.rows[place - 1], Group) else place
        top, height = self.scroll_offset.y, self.size.height
        if first < top or (height and place >= top + height):
            self.scroll_to(y=first if first < top else place - height + 1, animate=False)

    def on_resize(self, _event: Resize) -> None:
        """Columns follow the width."""
        self.virtual_size = Size(self.size.width, len(self.rows))
        self._arrange()
        if self.selected is not None:
            self._scroll_into_view(self.selected)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 -- Textual's
        """All nodes, also those that a filter hides, so that what stands below keeps its place; and the note."""
        return max(len(self.rows), len(self._fleet)) + _NOTE

    def on_click(self, event: Click) -> None:
        """A click selects the row."""
        place = event.y + self.scroll_offset.y
        if place < len(self.rows) and isinstance(name := self.rows[place], str):
            self.choose(name)

    def render_line(self, y: int) -> Strip:
        """One row, if there is one; the note below the last."""
        place, width = y + self.scroll_offset.y, self.size.width
        if place >= len(self.rows) or not self._columns:
            note = self.note if place == len(self.rows) + bool(self.rows) else ()
            return draw(self, left(note, width), width) if note else Strip.blank(width, self.rich_style)
        shown = self.rows[place]
        line = self._drawn.get(shown)
        if line is None:
            line = self._drawn[shown] = self._line(shown)
        kind = "group" if isinstance(shown, Group) else "selected" if shown == self.selected else None
        return draw(self, line, width, self.get_visual_style(f"fleet-table--{kind}") if kind else None)

    def action_move(self, rows_down: int) -> None:
        """Select a row further down, or up."""
        self._select(self._place() + rows_down)

    def action_page(self, pages: int) -> None:
        """Select a row a page away."""
        self._select(self._place() + pages * max(1, self.size.height - 1))

    def action_end(self, place: int) -> None:
        """Select the first row, or the last."""
        self._select(place % max(1, len(self.names)))

    def choose(self, name: str) -> None:
        """Select a node, and again when it comes back after having been hidden."""
        self._wanted = self.selected = name

    def _place(self) -> int:
        """Where among the nodes the selection is."""
        return self.names.index(self.selected) if self.selected in self._places else 0

    def _select(self, place: int) -> None:
        """Select the node at a place, or the nearest that there is."""
        if self.names:
            self.choose(self.names[min(max(place, 0), len(self.names) - 1)])
