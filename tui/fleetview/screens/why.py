"""Why something failed on a node, over the screen that it was asked on."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen

from fleetview.messages import RequestFailed
from fleetview.present import plain
from fleetview.present.operations.why import Then, Trouble, card, remembered
from fleetview.screens.desk import Desk
from fleetview.screens.scroll_keys import SCROLL_KEYS
from fleetview.widgets.dialog import Dialog
from fleetview.widgets.lines import Lines

STEP_SECONDS = 10
"""Of the history that is asked for; the shortest that there is."""


class Why(ModalScreen[None]):
    """One failure; changes nothing. What was read at that time is asked for where it is not at hand."""

    CSS_PATH = "why.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (15, "-tall")]  # noqa: RUF012 -- as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace,q,enter,exclamation_mark", "dismiss", "close", id="why.close", tooltip="Close it."),
        *SCROLL_KEYS,
    ]

    def __init__(self, desk: Desk, trouble: Trouble, then: Then | None) -> None:
        super().__init__()
        self._desk = desk
        self._trouble = trouble
        self._then = then

    def compose(self) -> ComposeResult:
        """The card."""
        with Dialog("why", "esc closes") as pane:
            pane.border_title = Content(f"What failed on {plain(self._trouble.node)}")
            yield Lines()

    def on_mount(self) -> None:
        """Look further back where need be."""
        if self._then is None and self._trouble.at is not None:
            self._recall(self._trouble.at)

    def on_resize(self) -> None:
        """As wide as there is room."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        """Word the failure for the width."""
        lines = self.query_one(Lines)
        lines.lines = card(self._trouble, self._then, lines.size.width)

    @work
    async def _recall(self, at: float) -> None:
        """Ask the node's history; where it does not tell, the dash stays."""
        try:
            history = await self._desk.history(self._trouble.node, at - STEP_SECONDS, STEP_SECONDS)
        except RequestFailed:
            return
        self._then = remembered(history, at)
        self._draw()

    def action_scroll(self, rows: int) -> None:
        """Further down, or up."""
        self.query_one("#why").scroll_relative(y=rows, animate=False)
