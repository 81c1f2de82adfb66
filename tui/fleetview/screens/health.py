"""What is wrong with one node, over the screen that it was asked on."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen

from fleetview.present import plain
from fleetview.present.node.health import Finding, health_lines
from fleetview.screens.scroll_keys import SCROLL_KEYS
from fleetview.widgets.dialog import Dialog
from fleetview.widgets.lines import Lines


class Health(ModalScreen[None]):
    """What was found on a node; changes nothing."""

    CSS_PATH = "help.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (15, "-tall")]  # noqa: RUF012 -- as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace,q,h,enter", "dismiss", "close", id="health.close", tooltip="Close it."),
        *SCROLL_KEYS,
    ]

    def __init__(self, node: str, findings: tuple[Finding, ...]) -> None:
        super().__init__()
        self._node_name = node
        self._findings = findings

    def compose(self) -> ComposeResult:
        """The findings."""
        with Dialog("health", "esc closes") as pane:
            pane.border_title = Content(f"Health of {plain(self._node_name)}")
            yield Lines()

    def on_resize(self) -> None:
        """As wide as there is room."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        """Word the findings for the width."""
        lines = self.query_one(Lines)
        lines.lines = health_lines(self._findings, lines.size.width)

    def action_scroll(self, rows: int) -> None:
        """Further down, or up."""
        self.query_one("#health").scroll_relative(y=rows, animate=False)
