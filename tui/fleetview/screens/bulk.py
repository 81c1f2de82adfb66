"""Shows what a verb would do on every marked node; Enter there is the consent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from fleetview.fleet import NodeState
from fleetview.messages import RequestFailed
from fleetview.present import count, plain
from fleetview.present.operations.bulk import concerns, target_lines
from fleetview.screens.confirm import Confirm
from fleetview.screens.scroll_keys import SCROLL_KEYS
from fleetview.widgets.key_hints import KeyHints
from fleetview.widgets.toned import contents
from fleetview.wishes.batch import Target, nodes_of, planned
from fleetview_agent.wire import Order, Plan

Make = Callable[[str], tuple[Target, ...]]
"""Who leaves (`auto`, `none` or `all`) → what each node is asked for."""
EVICTIONS = ("auto", "none", "all")
_LEAVE = {"auto": "longest unused first", "none": "nothing has to", "all": "but what is pinned"}
"""What each of them means."""


class Bulk(ModalScreen[tuple[Target, ...] | None]):
    """Hands back what was agreed to, node by node, with those that are left out; None when nothing was."""

    CSS_PATH = "bulk.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (15, "-tall")]  # noqa: RUF012 -- as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "agree", "do it", id="bulk.agree", tooltip="Ask every node that is not left out."),
        Binding(
            "tab",
            "evict",
            "what leaves",
            id="bulk.evict",
            tooltip="What leaves: auto (what was unused for longest, until it fits), none, or all but what is pinned.",
        ),
        Binding("escape,n,q", "cancel", "cancel", id="bulk.cancel", tooltip="Leave everything as it is."),
        *SCROLL_KEYS,
    ]

    def __init__(
        self,
        title: str,
        make: Make,
        plan: Callable[[str, Order], Awaitable[Plan]],
        nodes: Mapping[str, NodeState],
        at: float,
        *,
        evicts: bool = False,
    ) -> None:
        super().__init__()
        self._title = title
        self._make = make
        self._ask = plan
        self._fleet = nodes
        self._at = at
        self._evicts = evicts
        self._evict = EVICTIONS[0]
        self._targets: tuple[Target, ...] = ()
        self._seen = False
        """Whether every plan that there is stands on the screen."""

    def compose(self) -> ComposeResult:
        """Every node, how many are asked, the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content(plain(self._title))
            with VerticalScroll(id="targets", can_focus=False):
                yield Static(id="lines")
            yield Static(id="message", markup=False)
            yield KeyHints()

    def on_mount(self) -> None:
        """Ask what it would do."""
        self._plan()

    def on_resize(self) -> None:
        """Everything is told to its end in another width too."""
        self.call_after_refresh(self._show)

    def _plan(self) -> None:
        """Begin anew with what leaves as it is chosen now."""
        self._seen = False
        self._targets = self._make(self._evict)
        self._show()
        self.run_worker(self._learn(self._targets), group="plan", exclusive=True)

    async def _learn(self, targets: tuple[Target, ...]) -> None:
        """Ask all nodes at once, and show each answer as it comes."""
        await asyncio.gather(*(self._learn_one(place, target) for place, target in enumerate(targets)))
        self.call_after_refresh(self._be_seen)

    async def _learn_one(self, place: int, target: Target) -> None:
        """What one node says that it would do, or why it cannot."""
        if target.request is None:
            return
        try:
            answer = planned(target, await self._ask(target.node, target.request))
        except RequestFailed as failed:
            answer = Target(target.node, target.request, refusal=str(failed))
        self._targets = (*self._targets[:place], answer, *self._targets[place + 1 :])
        self._show()

    def _be_seen(self) -> None:
        """From now on it can be agreed to."""
        self._seen = True
        self._show()
        self.refresh_bindings()

    def _show(self) -> None:
        """Show every node."""
        if not self.is_attached or not self.query("#lines"):
            return
        lines = self.query_one("#lines", Static)
        if width := lines.size.width:
            lines.update(contents(target_lines(self._targets, self._fleet, self._at, width)))
        self.query_one("#message", Static).update(Content(self._message()))

    def _message(self) -> str:
        """How many nodes are asked, and what leaves there."""
        leaves = f"; what leaves: {self._evict} ({_LEAVE[self._evict]})" if self._evicts else ""
        if not self._seen:
            return f"planning …{leaves}"
        asked = nodes_of(self._targets)
        return f"{count(len(asked), 'node')} would be asked{leaves}" if asked else f"nothing can be done{leaves}"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 -- Textual's
        """Nobody agrees to what was not shown; what leaves is chosen only where something comes."""
        if action == "evict":
            return self._evicts
        ready = self._seen and bool(nodes_of(self._targets))
        return True if action != "agree" or ready else None

    def action_agree(self) -> None:
        """Agree; where it touches many or costs somebody something, once more."""
        if not self.is_current:
            return
        if not (lines := concerns(self._targets, self._fleet)):
            self.dismiss(self._targets)
            return
        targets = self._targets

        def answered(agreed: bool | None) -> None:
            if agreed:
                self.dismiss(targets)

        self.app.push_screen(Confirm(f"{self._title}?", lines, "yes, all of them"), answered)

    def action_evict(self) -> None:
        """Change what leaves."""
        self._evict = EVICTIONS[(EVICTIONS.index(self._evict) + 1) % len(EVICTIONS)]
        self._plan()
        self.refresh_bindings()

    def action_cancel(self) -> None:
        """Do not agree."""
        if self.is_current:
            self.dismiss(None)

    def action_scroll(self, rows: int) -> None:
        """Further down, or up."""
        self.query_one("#targets").scroll_relative(y=rows, animate=False)
