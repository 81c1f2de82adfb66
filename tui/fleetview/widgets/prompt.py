"""The box one types a prompt into: Enter sends, ctrl+j begins a new line."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Key, Paste
from textual.message import Message
from textual.reactive import var
from textual.widgets import TextArea

from fleetview.conversation.files import packed, unpacked

_EDITING = " INSERT · enter replaces the last prompt and its answers "


class Prompt(TextArea):
    """Says INSERT while it takes what is typed, so that nobody wonders what a letter does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "send", id="chat.send", tooltip="Send the prompt."),
        Binding(
            "ctrl+j",
            "new_line",
            "new line",
            show=False,
            id="chat.new_line",
            tooltip="Begin a new line; so does a backslash before Enter.",
        ),
        Binding("ctrl+underscore", "take_back", show=False, id="chat.undo", tooltip="Undo the last edit."),
        Binding(
            "up",
            "recall",
            show=False,
            id="chat.recall",
            tooltip="On an empty line: edit the last prompt, which is then asked anew.",
        ),
        # Here as well as on the screen: TextArea has its own idea of these, and letters must not be overtaken.
        Binding("ctrl+e", "screen.edit", show=False, id="chat.edit", tooltip="Edit the prompt in $EDITOR."),
        Binding("ctrl+r", "screen.search", show=False, id="chat.search", tooltip="Search what was asked before."),
        Binding("pageup", "screen.page(-1)", show=False, id="chat.page_up", tooltip="Scroll a page up."),
        Binding("pagedown", "screen.page(1)", show=False, id="chat.page_down", tooltip="Scroll a page down."),
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

    last: var[str] = var("")
    """The last prompt that was sent."""
    replacing: var[bool] = var(False)
    """Whether the last prompt is being edited, to be asked anew."""

    class Sent(Message):
        """A prompt is to be sent."""

        def __init__(self, text: str, *, replaces: bool = False) -> None:
            super().__init__()
            self.text = text
            self.replaces = replaces
            """Whether it stands in place of the last one."""

    class Dropped(Message):
        """Text was pasted that may be the path of a file: terminals paste that when a file is dropped on them."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        super().__init__(highlight_cursor_line=False, placeholder=Content("Ask something, or /help"))
        self.cursor_blink = False
        self._files: dict[str, str] = {}
        """Chips that were put in → what they stand for."""

    def watch_has_focus(self, _has_focus: bool) -> None:
        """Show whether letters are typed or obeyed."""
        super().watch_has_focus(_has_focus)
        self._entitle()

    def watch_replacing(self) -> None:
        """Show what Enter would do."""
        self._entitle()

    def _entitle(self) -> None:
        """Say what letters and Enter do."""
        typing = _EDITING if self.replacing else " INSERT "
        self.border_title = Content(typing if self.has_focus else " i to type ")

    def on_text_area_changed(self) -> None:
        """Who takes everything away does not edit the last prompt any more."""
        if not self.text:
            self.replacing = False

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

    async def _on_paste(self, event: Paste) -> None:
        """Leave what may be the path of a file to whoever knows files."""
        text = event.text.strip()
        if text and "\n" not in text and text.startswith(("/", "~", "'/", '"/', "file:")):
            event.stop()
            event.prevent_default()
            self.post_message(self.Dropped(event.text))

    def give_back(self, text: str) -> None:
        """Put a prompt that could not be answered back, unless another one has been begun."""
        if not self.text:
            self.put(text)

    def action_send(self) -> None:
        """Send what is there; a backslash at the end means that more is to come."""
        row, column = self.cursor_location
        if self.document.get_line(row)[:column].endswith("\\"):
            self.action_delete_left()
            self.action_new_line()
        elif text := self.text.strip():
            self.post_message(self.Sent(text, replaces=self.replacing))

    def clear_sent(self, text: str) -> None:
        """Begin anew after `text` has been taken."""
        self.last = text
        self.replacing = False
        self.clear()

    def action_new_line(self) -> None:
        """Begin a new line."""
        self.insert("\n")

    def action_take_back(self) -> None:
        """Undo the last edit."""
        self.undo()

    def action_recall(self) -> None:
        """Edit the last prompt; in a text, go up a line."""
        if self.text or not self.last:
            self.action_cursor_up()
        else:
            self.put(self.last)
            self.replacing = True

    def put(self, text: str) -> None:
        """Show a text with the cursor at its end; files in it as chips."""
        short, files = packed(text)
        self._files.update(files)
        self.load_text(short)
        self.move_cursor(self.document.end)

    def attach(self, short: str, block: str, *, instead: str = "") -> None:
        """Put a file in, as a chip: where the cursor is, or instead of a word."""
        self._files[short] = block
        if instead:
            self.load_text(self.text.replace(instead, short, 1))
            self.move_cursor(self.document.end)
        else:
            self.insert(f"{short} ")

    def unpacked(self, text: str) -> str:
        """The text with the files that its chips stand for."""
        return unpacked(text, self._files)
