"""Everything about one node."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.events import Resize

from fleetview.fleet import NodeState
from fleetview.present.detail import detail
from fleetview.present.fleet_file import removed
from fleetview.present.summary import View, header
from fleetview.screens.desk import Desk
from fleetview.screens.node_actions import NodeActions
from fleetview.widgets.key_bar import KeyBar
from fleetview.widgets.lines import Lines
from fleetview.widgets.status_bar import StatusBar


class Pane(VerticalScroll, inherit_bindings=False):
    """Scrolls with the keys that move in a table."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll_down", "down", show=False, id="move.down", tooltip="A line down."),
        Binding("up,k", "scroll_up", "up", show=False, id="move.up", tooltip="A line up."),
        Binding("pagedown,space", "page_down", "page down", show=False, id="move.page_down", tooltip="A page down."),
        Binding("pageup", "page_up", "page up", show=False, id="move.page_up", tooltip="A page up."),
        Binding("g,home", "scroll_home", "first", show=False, id="move.first", tooltip="To the top."),
        Binding("G,end", "scroll_end", "last", show=False, id="move.last", tooltip="To the end."),
    ]


class NodeScreen(NodeActions):
    """Figures, models, engines and operations of one node."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "app.back", "back", id="view.back", tooltip="Back to the fleet."),
    ]

    def __init__(self, desk: Desk, name: str) -> None:
        super().__init__(desk)
        self._name_of_node = name

    @property
    def node(self) -> NodeState | None:
        """The node that this screen is about."""
        return self.fleet.get(self._name_of_node)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The node is described already."""
        return False if action == "describe" else super().check_action(action, parameters)

    def compose(self) -> ComposeResult:
        """Sums, the node, keys."""
        yield StatusBar()
        with Pane(id="node"):
            yield Lines()
        yield KeyBar()

    def on_mount(self) -> None:
        """The pane has the keys."""
        self.query_one(Pane).focus()

    def on_resize(self, _event: Resize) -> None:
        """Everything follows the size."""
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Show the node as it stands."""
        view = View(paused=self.paused, readonly=self.desk.readonly)
        line = header(self.desk.title, self.shown, self.shown_at, self.size.width, view)
        self.query_one(StatusBar).lines = (line,)
        node = self.shown.get(self._name_of_node)
        lines = detail(node, self.shown_at, self.size.width - 1) if node else (removed(self._name_of_node),)
        self.query_one("Pane > Lines", Lines).lines = lines
