"""The matrix of models and nodes: what is in view is made, and drawn again only where it changed."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from fleetview.fleet import condition
from fleetview.models.inventory import Entry, Inventory
from fleetview.present.models import matrix
from fleetview.present.models.matrix import Grid, Mark
from fleetview.present.models.matrix_cells import Table
from fleetview.present.text import Line, difference
from fleetview.widgets.lines import draw

Place = tuple[str, str]
"""A model's key, and a node."""


class ModelMatrix(ScrollView, can_focus=True):
    """One row for each model, one column for each node. What is selected is a model and a node, not a place."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"model-matrix--selected"}
    DEFAULT_CSS = """
    ModelMatrix { height: 1fr; overflow-x: hidden; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "down", show=False, id="move.down", tooltip="The next row."),
        Binding("up,k", "move(-1)", "up", show=False, id="move.up", tooltip="The row before."),
        Binding("left", "turn(-1)", "node before", show=False, id="matrix.left", tooltip="The node before."),
        Binding("right", "turn(1)", "next node", show=False, id="matrix.right", tooltip="The next node."),
        Binding("pagedown", "page(1)", "page down", show=False, id="move.page_down", tooltip="A page down."),
        Binding("pageup", "page(-1)", "page up", show=False, id="move.page_up", tooltip="A page up."),
        Binding("g,home", "end(0)", "first", show=False, id="move.first", tooltip="The first row."),
        Binding("G,end", "end(-1)", "last", show=False, id="move.last", tooltip="The last row."),
    ]

    key: var[str | None] = var(None, init=False)
    """The selected model."""
    node: var[str | None] = var(None, init=False)
    """The selected node."""

    class Selected(Message):
        """Another model or node is selected, or there is room for other columns."""

    def __init__(self) -> None:
        super().__init__()
        self.grid = Grid(matrix.Head(8))
        self._entries: tuple[Entry, ...] = ()
        self._places: dict[str, int] = {}
        """Where the row of each model is."""
        self._table = Table({}, Inventory(), {}, 0.0)
        self._marked: frozenset[Place] = frozenset()
        self._seen: object = None
        """What the cells in view were made of."""
        self._drawn: dict[str, Line] = {}
        """What stands in the rows that were drawn."""

    @property
    def entry(self) -> Entry | None:
        """The selected model."""
        place = self._places.get(self.key or "")
        return None if place is None else self._entries[place]

    def show(self, table: Table, entries: tuple[Entry, ...], marked: frozenset[Place]) -> None:
        """Show these models as they are now."""
        self._table = table
        if entries is not self._entries:
            self._put(entries)
        if self.node not in table.fleet:
            self.node = next(iter(table.fleet), None)
        self._arrange()
        if (seen := self._in_view()) != self._seen or marked != self._marked:
            self._seen, self._marked = seen, marked
            first = self.scroll_offset.y
            for place in range(first, min(first + self.size.height, len(entries))):
                self._renew(place)

    def _in_view(self) -> object:
        """What the cells in view depend on."""
        fleet, now = self._table.fleet, self._table.now
        nodes = (fleet[name] for name in self.grid.nodes if name in fleet)
        return tuple((id(node.backends), id(node.operations), condition(node, now)) for node in nodes)

    def _put(self, entries: tuple[Entry, ...]) -> None:
        """Other rows, perhaps fewer: keep the selection where it can be kept."""
        before, self._entries = self._entries, entries
        self._places = {entry.key: place for place, entry in enumerate(entries)}
        self._drawn.clear()
        self._seen = None
        self.virtual_size = Size(self.size.width, len(entries))
        if self.key not in self._places:
            near = next((place for place, entry in enumerate(before) if entry.key == self.key), 0)
            self.key = entries[min(near, len(entries) - 1)].key if entries else None
        elif self.key is not None:
            self._scroll_into_view(self._places[self.key])
        self.refresh()

    def _arrange(self) -> None:
        """Choose the columns anew, for another width, other nodes, or another one that is selected."""
        scrollbar = 1 if len(self._entries) > self.size.height else 0
        grid = matrix.grid(self._table.fleet, self.node, self.grid, self.size.width, scrollbar)
        if grid != self.grid:
            self.grid = grid
            self._drawn.clear()
            self._seen = None
            self.refresh()

    def _renew(self, place: int) -> None:
        """Draw the part of a row that says something else."""
        entry = self._entries[place]
        old, new = self._drawn.get(entry.key), self._row(entry)
        if old is None:
            self.refresh_line(place)
        elif old != new:
            x, width = difference(old, new)
            self.refresh(Region(x, place - self.scroll_offset.y, width, 1))
        self._drawn[entry.key] = new

    def _row(self, entry: Entry) -> Line:
        """What stands in the row of a model now."""
        selected = self.node if entry.key == self.key else None
        marked = frozenset(node for key, node in self._marked if key == entry.key) if self._marked else frozenset()
        return matrix.row(entry, self.grid, self._table, Mark(selected, marked))

    def watch_key(self, old: str | None, new: str | None) -> None:
        """Draw both rows again, and see to it that the new one is in view."""
        for key in (old, new):
            if key is not None and (place := self._places.get(key)) is not None:
                self._drawn.pop(key, None)
                self.refresh_line(place)
        if new is not None and new in self._places:
            self._scroll_into_view(self._places[new])
        self.post_message(self.Selected())

    def watch_node(self) -> None:
        """Draw the row of the selection again, and bring the node into view."""
        self._arrange()
        if self.key is not None and self.key in self._places:
            self._renew(self._places[self.key])
        self.post_message(self.Selected())

    def _scroll_into_view(self, place: int) -> None:
        """Scroll as little as it takes."""
        top, height = self.scroll_offset.y, self.size.height
        if place < top or (height and place >= top + height):
            self.scroll_to(y=place if place < top else place - height + 1, animate=False)

    def on_resize(self, _event: Resize) -> None:
        """Columns follow the width."""
        self.virtual_size = Size(self.size.width, len(self._entries))
        self._arrange()
        if self.key is not None and self.key in self._places:
            self._scroll_into_view(self._places[self.key])
        self.post_message(self.Selected())

    def on_click(self, event: Click) -> None:
        """A click selects the row, and the node where it hits a column."""
        place = event.y + self.scroll_offset.y
        if place < len(self._entries):
            self.key = self._entries[place].key
        column = (event.x - matrix.taken(self.grid.head)) // max(1, self.grid.cell + self.grid.gap)
        if 0 <= column < len(self.grid.nodes):
            self.node = self.grid.nodes[column]

    def render_line(self, y: int) -> Strip:
        """One row, if there is one."""
        place, width = y + self.scroll_offset.y, self.size.width
        if place >= len(self._entries):
            return Strip.blank(width, self.rich_style)
        entry = self._entries[place]
        line = self._drawn.setdefault(entry.key, self._row(entry))
        style = self.get_visual_style("model-matrix--selected") if entry.key == self.key else None
        return draw(self, line, width, style)

    def action_move(self, rows_down: int) -> None:
        """Select a row further down, or up."""
        self._select(self._place() + rows_down)

    def action_page(self, pages: int) -> None:
        """Select a row a page away."""
        self._select(self._place() + pages * max(1, self.size.height - 1))

    def action_end(self, place: int) -> None:
        """Select the first row, or the last."""
        self._select(place % max(1, len(self._entries)))

    def action_turn(self, nodes: int) -> None:
        """Select another node."""
        names = tuple(self._table.fleet)
        if names:
            place = names.index(self.node) if self.node in names else 0
            self.node = names[min(max(place + nodes, 0), len(names) - 1)]

    def _place(self) -> int:
        """Where the selection is."""
        return self._places.get(self.key or "", 0)

    def _select(self, place: int) -> None:
        """Select the row at a place, or the nearest that there is."""
        if self._entries:
            self.key = self._entries[min(max(place, 0), len(self._entries) - 1)].key
