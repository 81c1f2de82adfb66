"""Everything about one node."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.events import Resize

from fleetview.fleet import NodeState
from fleetview.messages import RequestFailed
from fleetview.present.charts import LIVE, STRETCHES, Past, Stretch
from fleetview.present.detail import detail
from fleetview.present.fleet_file import removed
from fleetview.present.summary import View, header
from fleetview.screens.desk import Desk
from fleetview.screens.node_actions import NodeActions
from fleetview.widgets.key_bar import KeyBar
from fleetview.widgets.lines import Lines
from fleetview.widgets.status_bar import StatusBar

AGAIN_SECONDS = 5.0
"""How long to wait before a history that could not be had is asked for again."""


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
        Binding(
            "left_square_bracket", "shorter", "shorter", show=False, id="view.shorter", tooltip="Charts of less time."
        ),
        Binding(
            "right_square_bracket", "longer", "longer", show=False, id="view.longer", tooltip="Charts of more time."
        ),
    ]

    def __init__(self, desk: Desk, name: str) -> None:
        super().__init__(desk)
        self._name_of_node = name
        self._past = LIVE

    @property
    def node(self) -> NodeState | None:
        """The node that this screen is about."""
        return self.fleet.get(self._name_of_node)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The node is described already."""
        return False if action == "describe" else super().check_action(action, parameters)

    def why_not(self, action: str) -> str | None:
        """The shortest charts do not get shorter, nor the longest longer."""
        match action:
            case "shorter" if self._past.stretch == STRETCHES[0]:
                return f"charts go back {STRETCHES[0].name} at least"
            case "longer" if self._past.stretch == STRETCHES[-1]:
                return f"charts go back {STRETCHES[-1].name} at most"
            case _:
                return super().why_not(action)

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
        past = replace(self._past, keys=self._keys())
        lines = detail(node, self.shown_at, self.size.width - 1, past) if node else (removed(self._name_of_node),)
        self.query_one("Pane > Lines", Lines).lines = lines

    def _keys(self) -> str:
        """What to press for charts of another time."""
        bindings = (active.binding for active in self.active_bindings.values() if active.node is self)
        return " ".join(self.app.get_key_display(one) for one in bindings if one.action in {"shorter", "longer"})

    def action_shorter(self) -> None:
        """Charts of less time."""
        self._reach(-1)

    def action_longer(self) -> None:
        """Charts of more time."""
        self._reach(1)

    def _reach(self, step: int) -> None:
        """Draw charts of another time; what the node has to tell for that is asked for."""
        place = STRETCHES.index(self._past.stretch) + step
        if not 0 <= place < len(STRETCHES):
            return
        self._past = Past(STRETCHES[place])
        self.refresh_bindings()
        self.draw()
        self._recall(self._past.stretch)

    @work(exclusive=True, group="history")
    async def _recall(self, stretch: Stretch) -> None:
        """Ask for the node's history, and again with each of its steps."""
        while stretch.step_seconds is not None:
            if self._past.history is None or not self.paused:
                self._past = await self._history(stretch, stretch.step_seconds)
                self.draw()
            await asyncio.sleep(stretch.step_seconds if self._past.history else AGAIN_SECONDS)

    async def _history(self, stretch: Stretch, step_seconds: int) -> Past:
        """What the node tells of that time, or why nothing."""
        if (node := self.node) is None or node.sample is None:
            return Past(stretch)
        try:
            since = node.sample.at - stretch.seconds
            return Past(stretch, await self.desk.history(node.name, since, step_seconds))
        except RequestFailed as failed:
            return Past(stretch, lack=str(failed))
