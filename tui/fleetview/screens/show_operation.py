"""One operation whole: its phases, why it ended so, the engine's last lines, and how to ask for it again."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen

from fleetview.present import plain
from fleetview.present.operations.journal import Entry, whole
from fleetview.screens.copied import copied
from fleetview.screens.scroll_keys import SCROLL_KEYS
from fleetview.widgets.key_hints import KeyHints
from fleetview.widgets.lines import Lines


class ShowOperation(ModalScreen[None]):
    """Everything about one operation; changes nothing."""

    CSS_PATH = "journal.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (15, "-tall")]  # noqa: RUF012 -- as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "copy", id="journal.copy", tooltip="Copy the command line that asks for the same."),
        *SCROLL_KEYS,
        Binding("escape,backspace,q,enter", "dismiss", "close", id="operation.close", tooltip="Close it."),
    ]

    def __init__(self, entry: Entry, command: str) -> None:
        super().__init__()
        self._entry = entry
        self._command = command

    def compose(self) -> ComposeResult:
        """The operation, then the keys."""
        request = self._entry.operation.request
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content(f"{request.verb.capitalize()} on {plain(self._entry.node)}")
            with VerticalScroll(id="operation", can_focus=False):
                yield Lines()
            yield KeyHints()

    def on_resize(self) -> None:
        """As wide as there is room."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        """Word the operation for the width."""
        lines = self.query_one("#operation > Lines", Lines)
        lines.lines = whole(self._entry, lines.size.width)

    def action_scroll(self, rows: int) -> None:
        """Further down, or up."""
        self.query_one("#operation").scroll_relative(y=rows, animate=False)

    @work(exclusive=True, group="clipboard")
    async def action_copy(self) -> None:
        """Copy the command line."""
        await copied(self.app, self._command, f"copied: {self._command}")
