"""How are models asked? A system prompt, and a few numbers; whatever is left empty is the model's own way."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Input, Static, TextArea

from fleetview.chats.records import Settings
from fleetview.chats.typed import SETTINGS, Setting, WrongSetting, settings_of, texts_of
from fleetview.widgets.key_hints import KeyHints
from fleetview.widgets.remark import Remark
from fleetview.widgets.search_line import SearchLine

_TAKE = Binding("enter", "screen.take", "set", id="settings.take", tooltip="Ask in this way from now on.")


class SystemText(TextArea):
    """Takes the system prompt, of several lines."""

    BINDINGS: ClassVar[list[BindingType]] = [
        _TAKE,
        Binding("ctrl+j", "new_line", "new line", id="chat.new_line", tooltip="Begin a new line."),
    ]

    def __init__(self, text: str) -> None:
        super().__init__(
            text, highlight_cursor_line=False, placeholder=Content("nothing in particular"), tab_behavior="focus"
        )
        self.cursor_blink = False

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
        """Obey this box's own keys in the order in which they came."""
        active = self.screen.active_bindings.get(event.key)
        if active is not None and active.node is self and not event.is_printable:
            event.stop()
            event.prevent_default()
            await self.run_action(active.binding.action)
        else:
            await super()._on_key(event)

    def action_new_line(self) -> None:
        """Begin a new line."""
        self.insert("\n")


class SettingLine(SearchLine):
    """Takes one number."""

    BINDINGS: ClassVar[list[BindingType]] = [_TAKE]

    def __init__(self, setting: Setting, text: str) -> None:
        super().__init__("the model's own")
        self.id = setting.name
        self.value = text


class ChatSettings(ModalScreen[Settings | None]):
    """Hands back how models are to be asked; None when nothing changes."""

    CSS_PATH = "dialogs.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (60, "-wide")]  # noqa: RUF012 -- as Textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-short"), (16, "-tall")]  # noqa: RUF012 -- as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", "next", id="settings.next", tooltip="The next field."),
        Binding("shift+tab", "app.focus_previous", show=False, id="settings.previous", tooltip="The field before."),
        Binding("escape", "cancel", "cancel", id="settings.cancel", tooltip="Leave everything as it is."),
    ]

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    def compose(self) -> ComposeResult:
        """The system prompt, a line for each number, the keys."""
        texts = texts_of(self._settings)
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content("How models are asked")
            yield Static("system prompt", classes="label")
            yield SystemText(self._settings.system or "")
            for setting in SETTINGS:
                with Horizontal(classes="setting"):
                    yield Static(setting.name, classes="name")
                    yield SettingLine(setting, texts[setting.name])
                    yield Static(setting.summary, classes="summary")
            yield Remark()
            yield KeyHints()

    def on_mount(self) -> None:
        """Begin with the system prompt."""
        text = self.query_one(SystemText)
        text.focus()
        text.move_cursor(text.document.end)

    @on(Input.Changed)
    def forget_the_complaint(self) -> None:
        """Another number may be right."""
        self.query_one(Remark).say("", wrong=False)

    def action_take(self) -> None:
        """Hand the settings back, or say what is wrong with them."""
        typed = {line.id or "": line.value for line in self.query(SettingLine)}
        try:
            settings = settings_of(self._settings, self.query_one(SystemText).text, typed)
        except WrongSetting as wrong:
            self.query_one(f"#{wrong.name}", SettingLine).focus()
            self.query_one(Remark).say(str(wrong), wrong=True)
            self.app.bell()
            return
        if self.is_current:
            self.dismiss(settings)

    def action_cancel(self) -> None:
        """Hand back nothing."""
        if self.is_current:
            self.dismiss(None)
