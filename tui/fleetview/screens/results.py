"""What has come of a verb on every node, live; closing it ends nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from fleetview.present import plain
from fleetview.present.operations.bulk import row_lines, totals
from fleetview.screens.batch import Batch
from fleetview.screens.scroll_keys import SCROLL_KEYS
from fleetview.widgets.key_hints import KeyHints
from fleetview.widgets.toned import contents
from fleetview.wishes.batch import listed


class Results(ModalScreen[None]):
    """Every node, failures first."""

    CSS_PATH = "bulk.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (15, "-tall")]  # noqa: RUF012 -- as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "again", "retry the failed", id="results.retry", tooltip="Ask those that failed once more."),
        Binding(
            "escape,backspace,q,enter", "dismiss", "close", id="results.close", tooltip="Close it; operations go on."
        ),
        *SCROLL_KEYS,
    ]

    def __init__(self, title: str, batch: Batch, retry: Callable[[], None]) -> None:
        super().__init__()
        self._title = title
        self._batch = batch
        self._retry = retry

    def compose(self) -> ComposeResult:
        """The nodes, how many are how far, the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content(plain(self._title))
            with VerticalScroll(id="rows", can_focus=False):
                yield Static(id="lines")
            yield Static(id="message", markup=False)
            yield KeyHints()

    def on_mount(self) -> None:
        """Follow the nodes."""
        self._batch.changed = self._show
        self._batch.watched = True

    def on_unmount(self) -> None:
        """Nobody looks any more."""
        self._batch.changed = lambda: None
        self._batch.watched = False

    def on_resize(self) -> None:
        """As wide as there is room."""
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        """Show every node as it is."""
        if not self.is_attached or not self.query("#lines"):
            return
        lines = self.query_one("#lines", Static)
        if width := lines.size.width:
            lines.update(contents(row_lines(listed(self._batch.rows), width)))
        self.query_one("#message", Static).update(Content(totals(self._batch.rows)))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 -- Textual's
        """Only what failed is asked again."""
        return True if action != "again" or self._batch.failed else None

    def action_again(self) -> None:
        """Ask those that failed once more."""
        self._retry()

    def action_scroll(self, rows: int) -> None:
        """Further down, or up."""
        self.query_one("#rows").scroll_relative(y=rows, animate=False)
