"""The box one types a prompt into: Enter sends, ctrl+j begins a new line."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Key
from textual.message import Message
from textual.widgets import TextArea


class Prompt(TextArea):
    """Says INSERT while it takes what is typed, so that nobody wonders what a letter does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "send", id="chat.send", tooltip="Send the prompt."),
        Binding(
            "ctrl+j",
            "new_line",
            "new line",
            id="chat.new_line",
            tooltip="Begin a new line; so does a backslash before Enter.",
        ),
        Binding("ctrl+underscore", "take_back", show=False, id="chat.undo", tooltip="Undo the last edit."),
        Binding("up", "recall", show=False, id="chat.recall", tooltip="On an empty line: edit the last prompt."),
    ]
    DEFAULT_CSS = """
    Prompt {
        height: auto;
        max-height: 8;
        padding: 0 1;
        background: transparent;
        border: none;
        border-top: solid $panel;
        border-title-color: $text-muted;
        border-title-style: none;
        &:focus {
            border: none;
            border-top: solid $accent;
            border-title-color: $accent;
            border-title-style: bold;
        }
        & .text-area--cursor-line { background: transparent; }
    }
    """

    class Sent(Message):
        """A prompt is to be sent."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        super().__init__(highlight_cursor_line=False, placeholder=Content("Ask something, or /help"))
        self.cursor_blink = False
        self._last = ""
        """The last prompt that was sent."""

    def watch_has_focus(self, _has_focus: bool) -> None:
        """Show whether letters are typed or obeyed."""
        super().watch_has_focus(_has_focus)
        self.border_title = Content(" INSERT " if _has_focus else " i to type ")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Job control keeps ctrl+z, and without a selection ctrl+c is the app's."""
        match action:
            case "undo":
                return False
            case "copy":
                return not self.selection.is_empty
            case _:
                return super().check_action(action, parameters)

    async def _on_key(self, event: Key) -> None:
        """Obey this box's own keys in the order in which they came.

        A key that Textual finds by itself may overtake letters, or be overtaken, where many arrive at once.
        """
        if event.is_printable:
            return
        active = self.screen.active_bindings.get(event.key)
        if active is not None and active.node is self:
            event.stop()
            event.prevent_default()
            await self.run_action(active.binding.action)

    def give_back(self, text: str) -> None:
        """Put a prompt that could not be answered back, unless another one has been begun."""
        if not self.text:
            self._put(text)

    def action_send(self) -> None:
        """Send what is there; a backslash at the end means that more is to come."""
        row, column = self.cursor_location
        if self.document.get_line(row)[:column].endswith("\\"):
            self.action_delete_left()
            self.action_new_line()
        elif text := self.text.strip():
            self.post_message(self.Sent(text))

    def clear_sent(self, text: str) -> None:
        """Begin anew after `text` has been taken."""
        self._last = text
        self.clear()

    def action_new_line(self) -> None:
        """Begin a new line."""
        self.insert("\n")

    def action_take_back(self) -> None:
        """Undo the last edit."""
        self.undo()

    def action_recall(self) -> None:
        """Edit the last prompt; in a text, go up a line."""
        if self.text or not self._last:
            self.action_cursor_up()
        else:
            self._put(self._last)

    def _put(self, text: str) -> None:
        """Show a text with the cursor at its end."""
        self.load_text(text)
        self.move_cursor(self.document.end)
