"""The line one types a filter into, below the rows that it thins out."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input


def filter_key(label: str, tooltip: str) -> Binding:
    """The key of a screen's action `filter`, before which no letter that comes right behind it is heard as a key."""
    return Binding("slash", "filter", label, id="view.filter", tooltip=tooltip, priority=True)


class FilterLine(Input):
    """Takes a filter; its keys stand in the last line while one types."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "keep", id="filter.keep", tooltip="Keep the filter, and go back to the rows."),
        Binding("escape", "clear", "show all", id="filter.clear", tooltip="Drop the filter, and go back to the rows."),
    ]

    def __init__(self, placeholder: str, clear: str, *, id: str = "filter") -> None:  # noqa: A002 -- as Textual has it
        super().__init__(placeholder=placeholder, compact=True, id=id)
        self.cursor_blink = False
        self._clear = clear
        """The screen's action that shows everything again."""

    async def action_clear(self) -> None:
        """Show everything again."""
        await self.run_action(f"screen.{self._clear}")
