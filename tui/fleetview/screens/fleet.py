"""The fleet: one row for each node, and the selected one below."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.widgets import Input

from fleetview.fleet import NodeState
from fleetview.present.panel import panel
from fleetview.present.summary import View, header
from fleetview.screens.desk import Desk
from fleetview.screens.node_actions import NodeActions
from fleetview.widgets.fleet_table import FleetTable, Heading
from fleetview.widgets.key_bar import KeyBar
from fleetview.widgets.node_panel import NodePanel
from fleetview.widgets.status_bar import StatusBar


class FleetScreen(NodeActions):
    """What people meet first."""

    VERTICAL_BREAKPOINTS = [(0, "-short"), (15, "-tall")]  # noqa: RUF012 -- as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "find", id="view.filter", tooltip="Show only nodes whose name contains a text."),
        Binding("escape,backspace", "clear", show=False, id="view.clear", tooltip="Show all nodes again."),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._filter = ""
        self._summed: object = None
        """What the header was made of."""
        self._paneled: object = None
        """What the panel was made of."""

    @property
    def node(self) -> NodeState | None:
        """The selected node."""
        return self.fleet.get(self.query_one(FleetTable).selected or "") if self.is_mounted else None

    @property
    def filtered(self) -> bool:
        """Whether a filter hides nodes."""
        return bool(self._filter)

    def compose(self) -> ComposeResult:
        """Sums, nodes, the selected node, keys."""
        yield StatusBar()
        yield Heading()
        yield FleetTable()
        yield NodePanel()
        yield Input(placeholder="part of a name; enter keeps it, esc shows all", compact=True, id="filter")
        yield KeyBar()

    def on_mount(self) -> None:
        """The table has the keys."""
        self.query_one("#filter", Input).cursor_blink = False
        self.query_one(FleetTable).focus()

    def on_resize(self, _event: Resize) -> None:
        """Everything follows the size."""
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Show the fleet as it stands."""
        names = tuple(name for name in self.shown if self._filter.casefold() in name.casefold())
        self._draw_header()
        self.query_one(FleetTable).show(self.shown, names, self.shown_at)
        self._draw_panel()

    def _draw_header(self) -> None:
        """Sum up the fleet: once a second, and when more than a figure has changed."""
        view = View(self._filter, self.paused, self.desk.readonly)
        width = self.size.width
        fleet = tuple((node.link, node.machine is None, node.operations) for node in self.shown.values())
        if (summed := (self.desk.title, view, self.shown_at, width, fleet)) != self._summed:
            self._summed = summed
            line = header(self.desk.title, self.shown, self.shown_at, width, view)
            self.query_one(StatusBar).lines = (line,)

    def _draw_panel(self) -> None:
        """Show the selected node."""
        widget = self.query_one(NodePanel)
        node = self.shown.get(self.query_one(FleetTable).selected or "")
        size = widget.size
        if (paneled := (node, self.shown_at, size)) != self._paneled:
            self._paneled = paneled
            widget.lines = panel(node, self.shown_at, size.width, size.height) if node and size.height else ()

    @on(FleetTable.Selected)
    def select(self) -> None:
        """Moving the selection is opening the detail."""
        self._draw_panel()
        self.renew_keys()

    def action_filter(self) -> None:
        """Ask for a part of a name."""
        self.add_class("-filtering")
        self.query_one("#filter", Input).focus()

    @on(Input.Changed, "#filter")
    def narrow(self, event: Input.Changed) -> None:
        """Show only nodes that match."""
        self._filter = event.value.strip()
        self.draw()

    @on(Input.Submitted, "#filter")
    def keep(self) -> None:
        """Back to the table; the filter stays."""
        self.remove_class("-filtering")
        self.query_one(FleetTable).focus()

    def action_clear(self) -> None:
        """Show all nodes again."""
        self.query_one("#filter", Input).value = ""
        self.keep()
