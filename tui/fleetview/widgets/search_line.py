"""The line one types a search into; its keys are obeyed in the order in which they were pressed."""

from __future__ import annotations

from textual.events import Key
from textual.widgets import Input


class SearchLine(Input):
    """Takes words; dialogs make their own of it, with the keys that work while one types."""

    DEFAULT_CSS = """
    SearchLine {
        width: 1fr;
        background: transparent;
        &:focus { background-tint: transparent; }
    }
    """

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, compact=True)
        self.cursor_blink = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a selection, ctrl+c is the app's."""
        if action == "copy":
            return not self.selection.is_empty
        return super().check_action(action, parameters)

    async def _on_key(self, event: Key) -> None:
        """A key of the dialog is no letter; all others are typed."""
        active = self.screen.active_bindings.get(event.key)
        if active is not None and active.node is self and event.is_printable:
            event.stop()
            event.prevent_default()
            await self.run_action(active.binding.action)
        else:
            await super()._on_key(event)
