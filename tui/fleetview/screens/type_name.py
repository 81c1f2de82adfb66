"""A small dialog that takes a name, letter by letter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from fleetview.present import plain
from fleetview.widgets.key_hints import KeyHints
from fleetview.widgets.toned import contents
from fleetview_agent.wire import LONGEST_NAME


class NameLine(Input):
    """Takes a name; Enter hands it over."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "do it", id="name.take", tooltip="Take the name that is typed."),
    ]

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, compact=True, max_length=LONGEST_NAME)
        self.cursor_blink = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a selection, ctrl+c is the app's."""
        if action == "copy":
            return not self.selection.is_empty
        return super().check_action(action, parameters)


class TypeName(ModalScreen[str | None]):
    """Hands back a name; where one is expected, that one alone. None when nothing was typed."""

    CSS_PATH = "question.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (18, "-tall")]  # noqa: RUF012 -- as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", id="name.cancel", tooltip="Leave everything as it is."),
    ]

    def __init__(
        self,
        title: str,
        lines: Sequence[str],
        placeholder: str,
        expected: str | None = None,
        asked: str = "the name of the model",
    ) -> None:
        super().__init__()
        self._asked = asked
        self._title = title
        self._lines = tuple(lines)
        self._placeholder = plain(placeholder)
        self._expected = expected

    def compose(self) -> ComposeResult:
        """What it is about, the line, and the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content(plain(self._title))
            yield Static(contents(((plain(line), "plain"),) for line in self._lines), id="lines")
            yield NameLine(self._placeholder)
            yield Static(id="message", markup=False)
            yield KeyHints()

    def on_mount(self) -> None:
        """The line has the keys."""
        self.set_class(self._expected is not None, "-destroys")
        self.query_one(NameLine).focus()

    @on(Input.Changed)
    def forget_the_complaint(self) -> None:
        """Another name may be right."""
        self.query_one("#message", Static).update("")

    @on(Input.Submitted)
    def take(self, event: Input.Submitted) -> None:
        """Hand the name over, or say why not."""
        event.stop()
        typed = event.value.strip()
        if not self.is_current:
            return
        if typed and (self._expected is None or typed == self._expected):
            self.dismiss(typed)
            return
        wrong = f"That is not {plain(self._expected)}." if self._expected and typed else f"Type {self._asked}."
        self.query_one("#message", Static).update(Content(wrong))
        self.app.bell()

    def action_cancel(self) -> None:
        """Hand back nothing."""
        if self.is_current:
            self.dismiss(None)
