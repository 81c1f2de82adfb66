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

from fleetview.fleet import Ended, NodeState
from fleetview.messages import RequestFailed
from fleetview.present.fleet_file import removed
from fleetview.present.node.curves import STRETCHES, Past, Stretch
from fleetview.present.node.detail import Asked, page, sections
from fleetview.present.node.processes import Holders
from fleetview.present.node.source_table import TITLE
from fleetview.present.summary import header
from fleetview.present.text import text_of
from fleetview.screens.desk import Desk
from fleetview.screens.node_actions import NodeActions
from fleetview.widgets.key_bar import KeyBar
from fleetview.widgets.lines import Lines
from fleetview.widgets.status_bar import StatusBar

AGAIN_SECONDS = 5.0
"""How long to wait before a history that could not be had is asked for again."""
LOOK_SECONDS = 10.0
"""Between two looks at who holds the memory."""
ENTRIES = 300
"""Of the journal that are looked through for what the charts mark."""


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

    CSS_PATH = "node.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (15, "-tall")]  # noqa: RUF012 -- as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "app.back", "back", id="view.back", tooltip="Back to the fleet."),
        Binding(
            "left_square_bracket", "shorter", "shorter", show=False, id="view.shorter", tooltip="Charts of less time."
        ),
        Binding(
            "right_square_bracket", "longer", "longer", show=False, id="view.longer", tooltip="Charts of more time."
        ),
        Binding("tab", "section(1)", "section", show=False, id="node.next_section", tooltip="To the next section."),
        Binding(
            "shift+tab",
            "section(-1)",
            "section before",
            show=False,
            id="node.previous_section",
            tooltip="To the section before.",
        ),
        Binding(
            "v",
            "sources",
            "sources",
            show=False,
            id="node.sources",
            tooltip="Every figure by itself, with where it is read or why it is not known.",
        ),
    ]

    def __init__(self, desk: Desk, name: str) -> None:
        super().__init__(desk)
        self._name_of_node = name
        self._asked = Asked()
        self._marked: Ended | None = None
        """The operation that had ended last when the journal was read."""
        self._journal_read = False
        self._looked_at: float | None = None
        """When who holds the memory was asked for; None: not yet."""
        self._starts: tuple[int, ...] = ()
        """The lines at which sections begin."""
        self._drawn_node: NodeState | None = None
        self._drawn: tuple[object, ...] = ()
        """What the lines were made of, besides the node."""

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

    @property
    def _past(self) -> Past:
        """What the charts are drawn of."""
        return self._asked.past

    def draw(self) -> None:
        """Show the node as it stands."""
        line = header(self.desk.title, self.shown, self.shown_at, self.size.width, self.view)
        self.query_one(StatusBar).lines = (line,)
        node, width = self.shown.get(self._name_of_node), self.size.width - 1
        past = replace(self._past, keys=self._keys("shorter", "longer"))
        asked = replace(self._asked, past=past, source_key=self._keys("sources"))
        made = (self.shown_at, width, asked)
        if node is self._drawn_node and made == self._drawn:  # of a large fleet, others change all the time
            return
        self._drawn_node, self._drawn = node, made
        parts = sections(node, self.shown_at, width, asked) if node else ((removed(self._name_of_node),),)
        lines, self._starts = page(parts)
        self.query_one("Pane > Lines", Lines).lines = lines

    def _keys(self, *actions: str) -> str:
        """What to press for these."""
        bindings = (active.binding for active in self.active_bindings.values() if active.node is self)
        return " ".join(self.app.get_key_display(one) for one in bindings if one.action in actions)

    def action_section(self, step: int) -> None:
        """To the beginning of the next section, or of the one before; from the last one to the first."""
        pane = self.query_one(Pane)
        places = sorted({min(start, pane.max_scroll_y) for start in self._starts} or {0})
        here = pane.scroll_target_y
        beyond = [place for place in places if (place > here if step > 0 else place < here)]
        ahead, around = (beyond[:1], places[0]) if step > 0 else (beyond[-1:], places[-1])
        pane.scroll_to(y=ahead[0] if ahead else around, animate=False)

    def action_sources(self) -> None:
        """Every figure by itself with its source, or figures together."""
        self._asked = replace(self._asked, is_sourced=not self._asked.is_sourced)
        self.draw()
        self.call_after_refresh(self._to_the_figures)

    def _to_the_figures(self) -> None:
        """Show the figures from the first one, or the top again."""
        lines = self.query_one("Pane > Lines", Lines).lines
        table = (start for start in self._starts if TITLE in text_of(lines[start]))
        self.query_one(Pane).scroll_to(y=next(table, 0), animate=False)

    def drawn(self) -> None:
        """Read the journal where more has ended than was read, and see now and then who holds the memory."""
        super().drawn()
        node = self.fleet.get(self._name_of_node)
        if node is None or not node.current:
            self._journal_read = False
            return
        if not self._journal_read or node.last is not self._marked:
            self._journal_read, self._marked = True, node.last
            self._read_journal(node.name)
        if self._looked_at is None or self.now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = self.now
            self._look(node.name)

    @work(exclusive=True, group="journal")
    async def _read_journal(self, name: str) -> None:
        """What was done to the node, for the charts to mark."""
        try:
            journal = await self.desk.journal(name, ENTRIES)
        except RequestFailed as failed:
            self._asked = replace(self._asked, past=replace(self._past, unread=str(failed)))
        else:
            self._asked = replace(self._asked, past=replace(self._past, journal=journal, unread=None))
        self.draw()

    @work(exclusive=True, group="processes")
    async def _look(self, name: str) -> None:
        """Who holds the node's memory, or why that cannot be known."""
        try:
            holders = Holders(await self.desk.processes(name))
        except RequestFailed as failed:
            holders = Holders(lack=str(failed))
        self._asked = replace(self._asked, holders=holders)
        self.draw()

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
        stretch = STRETCHES[place]
        self._asked = replace(self._asked, past=replace(self._past, stretch=stretch, history=None, lack=None))
        self.refresh_bindings()
        self.draw()
        self._recall(stretch)

    @work(exclusive=True, group="history")
    async def _recall(self, stretch: Stretch) -> None:
        """Ask for the node's history, and again with each of its steps."""
        while stretch.step_seconds is not None:
            if self._past.history is None or not self.paused:
                await self._read_history(stretch, stretch.step_seconds)
                self.draw()
            await asyncio.sleep(stretch.step_seconds if self._past.history else AGAIN_SECONDS)

    async def _read_history(self, stretch: Stretch, step_seconds: int) -> None:
        """What the node tells of that time, or why nothing."""
        if (node := self.node) is None or node.sample is None:
            return
        try:
            history = await self.desk.history(node.name, node.sample.at - stretch.seconds, step_seconds)
        except RequestFailed as failed:
            past = replace(self._past, history=None, lack=str(failed))
        else:
            past = replace(self._past, history=history, lack=None)
        self._asked = replace(self._asked, past=past)
