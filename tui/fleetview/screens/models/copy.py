"""A model to other nodes: which ones, and what each would take in; Enter there is the consent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from fleetview.fleet import Fleet, NodeState, unconnected
from fleetview.messages import RequestFailed
from fleetview.models.fitting import said
from fleetview.present import plain
from fleetview.present.models.places import in_view, window
from fleetview.present.numbers import size
from fleetview.present.operations import copying
from fleetview.present.operations.copying import Target
from fleetview.present.text import spread
from fleetview.present.wrapping import within
from fleetview.screens.confirm import Confirm
from fleetview.screens.desk import LOOK_SECONDS, Desk
from fleetview.screens.models.places import MESSAGE_ROWS
from fleetview.widgets.key_hints import KeyHints
from fleetview.widgets.lines import Lines
from fleetview_agent.wire import CopyRequest, ModelFile

FEW = 3
"""More nodes than this are asked about once more."""


@dataclass(frozen=True)
class Source:
    """What is copied, and where it is."""

    node: str
    backend: str
    file: ModelFile


class CopyModel(ModalScreen[tuple[CopyRequest, tuple[str, ...]] | None]):
    """Hands back the request and the nodes that were agreed to; None when nothing was."""

    CSS_PATH = "places.tcss"
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-short"), (16, "-tall")]  # noqa: RUF012 - as Textual has it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "mark", id="copy.mark", tooltip="Copy it to this node, or not."),
        Binding("enter", "agree", "copy", id="copy.agree", tooltip="Copy it to the marked nodes, or to this one."),
        Binding("down,j", "move(1)", show=False, id="move.down", tooltip="The next node."),
        Binding("up,k", "move(-1)", show=False, id="move.up", tooltip="The node before."),
        Binding("pagedown", "move(8)", show=False, id="move.page_down", tooltip="A page down."),
        Binding("pageup", "move(-8)", show=False, id="move.page_up", tooltip="A page up."),
        Binding("g,home", "move(-10000)", show=False, id="move.first", tooltip="The first node."),
        Binding("G,end", "move(10000)", show=False, id="move.last", tooltip="The last node."),
        Binding("escape,q", "cancel", "cancel", id="copy.cancel", tooltip="Copy nothing."),
    ]

    def __init__(self, source: Source, fleet: Fleet, desk: Desk, marked: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._source = source
        self._desk = desk
        self._fleet = fleet
        self._targets = tuple(
            Target(node.name, _away(node), node.name in marked and node.current)
            for node in fleet.values()
            if node.name != source.node
        )
        self._at = next((place for place, one in enumerate(self._targets) if one.marked), 0)
        self._request: CopyRequest | None = None
        self._asked: set[str] = set()
        """Nodes whose plans were asked for."""
        self._read: float | None = None
        """How far the files have been read."""
        self._trouble: str | None = None

    def compose(self) -> ComposeResult:
        """What goes, where to, what Enter does, keys."""
        with Vertical(id="dialog") as dialog:
            model = f"{plain(self._source.backend)}/{plain(self._source.file.name, 60)}"
            dialog.border_title = Content(f"Copy {model} from {self._source.node}")
            yield Lines(id="settings")
            yield Lines(id="rows")
            yield Static(id="message", markup=False)
            yield KeyHints()

    def on_mount(self) -> None:
        """Find out what the model consists of."""
        self._show()
        self.run_worker(self._learn(), group="parts", exclusive=True)
        self.set_interval(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        """Follow the fleet: what a node said before something was done to it is worth nothing."""
        old, self._fleet = self._fleet, self._desk.fleet()
        if self._fleet is old:
            return
        known = {one.node: one for one in self._targets}
        at = self._targets[self._at].node if self._targets else ""
        names = dict.fromkeys((*(name for name in known if name in self._fleet), *self._fleet))
        changed = {name for name in names if name not in old or said(self._fleet[name]) != said(old[name])}
        self._targets = tuple(
            Target(name, _away(self._fleet[name]), name in known and known[name].marked)
            if name in changed
            else known[name]
            for name in names
            if name != self._source.node
        )
        self._at = next((place for place, one in enumerate(self._targets) if one.node == at), 0)
        self._asked -= changed
        if changed or names.keys() != old.keys():
            self._plan_wanted()
            self._show()

    def on_resize(self) -> None:
        """There is room for more, or for less."""
        self.call_after_refresh(self._show)

    async def _learn(self) -> None:
        """Ask for the files, then for the plans of the nodes that are marked by now."""
        source = self._source
        try:
            self._request = await self._desk.copies.read(source.node, source.backend, source.file.name, self._reading)
        except RequestFailed as failed:
            self._trouble = str(failed)
        else:
            self._plan_wanted()
        self._show()

    def _reading(self, ratio: float) -> None:
        """Reading has gone on."""
        self._read = ratio
        self._show()

    def _plan_wanted(self) -> None:
        """Ask for the plans that are wanted and not known."""
        if self._request is None:
            return
        for place, one in enumerate(self._targets):
            if (one.marked or place == self._at) and one.refusal is None and one.node not in self._asked:
                self._asked.add(one.node)
                self._plan(one.node, self._request)

    @work(group="plans")
    async def _plan(self, node: str, request: CopyRequest) -> None:
        """What the copy to one node would do."""
        before = said(self._fleet[node])
        try:
            plan, trouble = await self._desk.plan(node, request), None
        except RequestFailed as failed:
            plan, trouble = None, str(failed)
        if node in self._fleet and said(self._fleet[node]) == before:
            self._become(node, plan=plan, trouble=trouble)

    def _become(self, node: str, **changes: object) -> None:
        """Something more is known of a node."""
        self._targets = tuple(
            replace(one, **changes) if one.node == node else one  # type: ignore[arg-type]  # as the callers name them
            for one in self._targets
        )
        self._show()

    @property
    def _chosen(self) -> tuple[Target, ...]:
        """The marked nodes; without any the highlighted one."""
        marked = tuple(one for one in self._targets if one.marked)
        return marked or self._targets[self._at : self._at + 1]

    @property
    def _ready(self) -> bool:
        """Whether every plan is known, and nothing stands in the way."""
        known = self._request is not None and self._lost is None
        return known and bool(self._chosen) and all(one.ready for one in self._chosen)

    @property
    def _lost(self) -> str | None:
        """Why the model cannot be had from its node any more."""
        source = self._fleet.get(self._source.node)
        if source is None:
            return f"{self._source.node} is not in the fleet any more"
        return None if source.current else f"{source.name} is {_away(source)}"

    def _show(self) -> None:
        """Show what is known."""
        if not self.is_attached or not self.query(Lines):
            return
        settings, rows = self.query_one("#settings", Lines), self.query_one("#rows", Lines)
        source = self._source
        reading = None if self._trouble else copying.Reading(source.node, self._read)
        height = max(1, self.size.height - (6 if self.has_class("-short") else 9))
        seen = window(len(self._targets), self._at, height)
        about = copying.about(self._request, source.file.size_bytes, reading)
        view = in_view(seen, len(self._targets))
        settings.lines = (spread(about, view, settings.size.width) if view else about,)
        stuck = self._trouble is not None
        rows.lines = copying.rows(self._targets, self._at, seen.start, height, rows.size.width, stuck=stuck)
        message = self.query_one("#message", Static)
        message.update(Content(within(plain(self._message()), message.size.width or 80, MESSAGE_ROWS)))
        message.remove_class("insisted")
        self.refresh_bindings()

    def _message(self) -> str:
        """What Enter would do, or why it does nothing."""
        if (trouble := self._trouble or self._lost) is not None:
            return trouble
        if not self._targets:
            return "There is no other node to copy it to."
        if self._request is None:
            return "reading …"
        if (refused := next((one for one in self._chosen if one.refusal), None)) is not None:
            return f"{refused.node}: {refused.refusal}"
        return copying.summary(self._chosen, self._request) if self._ready else "planning …"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's signature
        """Nobody agrees to what was not shown, or is refused."""
        return None if action == "agree" and not self._ready else True

    def action_mark(self) -> None:
        """Mark the highlighted node, or no longer, and go on to the next."""
        if not self._targets:
            return
        one = self._targets[self._at]
        if one.away is None or one.marked:
            self._become(one.node, marked=not one.marked)
        self.action_move(1)

    def action_move(self, rows: int) -> None:
        """Highlight another node."""
        self._at = min(max(self._at + rows, 0), max(0, len(self._targets) - 1))
        self._plan_wanted()
        self._show()

    def action_agree(self) -> None:
        """Agree; where many nodes are touched, once more."""
        if self._request is None or not self._ready or not self.is_current:
            return
        request, names = self._request, tuple(one.node for one in self._chosen)
        if len(names) <= FEW:
            self.dismiss((request, names))
            return

        def answered(agreed: bool | None) -> None:
            if agreed:
                self.dismiss((request, names))

        amount = size(sum(part.size_bytes for part in request.parts) * len(names))
        lines = (f"{amount} go through this program to {len(names)} nodes:", ", ".join(names))
        self.app.push_screen(Confirm(f"Copy to {len(names)} nodes?", lines, "yes, to all of them"), answered)

    def action_cancel(self) -> None:
        """Agree to nothing."""
        if self.is_current:
            self.dismiss(None)


def _away(node: NodeState) -> str | None:
    """Why a node cannot be asked."""
    return None if node.current else f"not connected: {unconnected(node)}"
