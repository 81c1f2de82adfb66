"""Asks for what opens a private key. What is typed is never shown, copied, or kept."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from fleetview.present import plain
from fleetview.present.text import Line
from fleetview.widgets.key_hints import KeyHints
from fleetview.widgets.toned import content, contents


class Secret(Input, inherit_bindings=False):
    """A line that nobody can read: of an input's own keys, those that would copy it are not there."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "give", id="secret.give", tooltip="Open the private key."),
        Binding("left", "cursor_left", show=False, id="secret.left", tooltip="To the left."),
        Binding("right", "cursor_right", show=False, id="secret.right", tooltip="To the right."),
        Binding("home", "home", show=False, id="secret.home", tooltip="To the beginning."),
        Binding("end,ctrl+e", "end", show=False, id="secret.end", tooltip="To the end."),
        Binding("backspace", "delete_left", show=False, id="secret.backspace", tooltip="Take a letter away."),
        Binding("delete", "delete_right", show=False, id="secret.delete", tooltip="Take the next letter away."),
        Binding("ctrl+u", "clear", show=False, id="secret.clear", tooltip="Begin anew."),
    ]

    def __init__(self) -> None:
        super().__init__(password=True, compact=True, select_on_focus=False)
        self.cursor_blink = False

    def action_copy(self) -> None:
        """Not this text."""

    def action_cut(self) -> None:
        """Not this text."""

    def action_clear(self) -> None:
        """Begin anew."""
        self.clear()


_MEANING = "It stays in memory until fleetview ends, and is written nowhere."


class Passphrase(ModalScreen[str | None]):
    """Hands back a passphrase; None when the operator will not say."""

    CSS_PATH = "question.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (18, "-tall")]  # noqa: RUF012 -- as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", id="passphrase.cancel", tooltip="Do without this private key."),
    ]

    def __init__(self, node: str, file: str, *, wrong: bool) -> None:
        super().__init__()
        self._node = plain(node)
        self._file = plain(file)
        self._wrong = wrong

    def compose(self) -> ComposeResult:
        """Which key, for whom, and the line."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content("Passphrase")
            yield Static(contents(self._lines()), id="lines")
            yield Static(_MEANING, id="meaning")
            if self._wrong:
                yield Static(content((("! That did not open it.", "hot"),)))
            yield Secret()
            yield KeyHints()

    def _lines(self) -> tuple[Line, ...]:
        """What it is about."""
        return ((("key  ", "dim"), (self._file, "strong")), (("for  ", "dim"), (self._node, "plain")))

    def on_mount(self) -> None:
        """The line has the keys; that it went wrong is worth more room than what was read before."""
        self.set_class(self._wrong, "-wrong")
        self.query_one(Secret).focus()

    @on(Input.Submitted)
    def give(self, event: Input.Submitted) -> None:
        """Hand it back and forget it; nothing typed is nothing said."""
        event.stop()
        self._answer(self.query_one(Secret).value or None)

    def action_cancel(self) -> None:
        """Hand back nothing."""
        self._answer(None)

    def _answer(self, text: str | None) -> None:
        """Say it, once: a second key may have been pressed by then."""
        if self.is_current:
            self.query_one(Secret).clear()
            self.dismiss(text)
