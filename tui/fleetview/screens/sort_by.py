"""The last line asks by what the rows are put in order."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from fleetview.widgets.key_bar import Letters


def _letter(key: str, column: str, label: str, tooltip: str) -> Binding:
    """A letter for a column."""
    return Binding(key, f"take('{column}')", label, id=f"sort.{column}", tooltip=tooltip)


class SortBy(ModalScreen[str | None]):
    """Hands back the name of a column; None: the order stays as it is."""

    CSS_PATH = "sort_by.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        _letter("n", "name", "name", "By name; again: the other way round."),
        _letter("g", "gpu", "GPU", "By the load of the GPU over the last minute, the busiest first."),
        _letter("m", "memory", "memory", "By free memory, the most first."),
        _letter("t", "tps", "tok/s", "By tokens per second over the last minute, the most first."),
        _letter("p", "pressure", "pressure", "By the pressure on memory, the hardest first."),
        _letter("u", "uptime", "uptime", "By uptime, the longest first."),
        Binding("escape,q,o", "cancel", "cancel", id="sort.cancel", tooltip="Leave the order as it is."),
    ]

    def compose(self) -> ComposeResult:
        """The letters."""
        yield Letters(note="sort by")

    def action_take(self, column: str) -> None:
        """Hand back a column."""
        self.dismiss(column)

    def action_cancel(self) -> None:
        """Hand back nothing."""
        self.dismiss(None)
