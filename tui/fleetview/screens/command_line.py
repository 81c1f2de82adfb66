"""The last line takes verbs and names, completes them, and says at once what makes no sense."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from fleetview.present.completion import Completion, choice_lines
from fleetview.present.text import plain
from fleetview.present.wrapping import wrapped
from fleetview.widgets.command_input import CommandInput
from fleetview.widgets.lines import Lines

CHOICES = 8
"""Rows of choices at most."""
_HINT = "a verb; tab completes, up is what was typed before, esc leaves"


class CommandLine(ModalScreen[str | None]):
    """Hands back a line that can be carried out; None when there is none."""

    CSS_PATH = "command_line.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "leave", id="command.leave", tooltip="Leave everything as it is."),
    ]

    def __init__(
        self,
        complete: Callable[[str], Completion],
        objection: Callable[[str], str | None],
        typed: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        self._complete = complete
        self._objection = objection
        self._typed = typed
        """What was typed before, oldest first."""
        self._back = 0
        """How many lines back the one is that stands there."""
        self._draft = ""
        """What was typed before looking back."""
        self._completion = Completion(0)
        self._at: int | None = None
        """The choice that stands in the line."""
        self._put = ""
        """What we wrote into the line ourselves."""
        self._objected: str | None = None
        """What is wrong with the line."""

    def compose(self) -> ComposeResult:
        """Choices, what is wrong, the line."""
        with Vertical(id="below"):
            yield Lines(id="choices")
            yield Lines(id="objection")
            with Horizontal(id="line"):
                yield Static(Content(f"{self.app.sub_title} :".strip()), id="colon")
                yield CommandInput(_HINT)

    def on_mount(self) -> None:
        """The line has the keys."""
        self.query_one(CommandInput).focus()
        self._offer("")

    def on_resize(self) -> None:
        """There is room for more choices, or fewer."""
        self.call_after_refresh(self._draw)

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        """Show what can be typed next; an objection was to another line."""
        if event.value != self._put:
            self._put = ""
            self._offer(event.value)
            self._object(None)

    def _offer(self, line: str) -> None:
        """Find what can stand at the end of the line."""
        self._completion, self._at = self._complete(line), None
        self._draw()

    def _draw(self) -> None:
        """Show the choices."""
        if self.is_mounted:
            rows = min(CHOICES, max(0, self.size.height - 4))
            self.query_one("#choices", Lines).lines = choice_lines(
                self._completion, self._at, rows, self.size.width - 2
            )
            said = self._objected
            lines = wrapped(((plain(said), "warm"),), self.size.width - 2) if said else ()
            self.query_one("#objection", Lines).lines = lines

    def _object(self, sentence: str | None) -> None:
        """Say what is wrong with the line, or no longer."""
        self._objected = sentence
        self._draw()

    @on(Input.Submitted)
    def _run(self, event: Input.Submitted) -> None:
        """Hand the line over; one that makes no sense stays, with the reason."""
        event.stop()
        if not self.is_current:
            return
        line = event.value.strip()
        if not line:
            self.dismiss(None)
        elif sentence := self._objection(line):
            self._object(sentence)
        else:
            self.dismiss(line)

    def _write(self, line: str) -> None:
        """Write into the line what nobody typed."""
        box = self.query_one(CommandInput)
        self._put = line
        box.value = line
        box.cursor_position = len(line)

    def action_complete(self, step: int) -> None:
        """As far as all choices agree; then one choice after the other."""
        some, start = self._completion.candidates, self._completion.start
        if not some:
            return
        line = self.query_one(CommandInput).value
        typed = line[start:]
        if len(some) == 1:
            self._write(f"{line[:start]}{some[0].word} ")
            self._offer(self._put)
        elif self._at is None and (common := self._completion.common(typed)) != typed:
            self._write(line[:start] + common)
            self._offer(self._put)
        else:
            self._at = (self._at + step) % len(some) if self._at is not None else 0 if step > 0 else len(some) - 1
            self._write(line[:start] + some[self._at].word)
            self._draw()
        self._object(None)

    def action_recall(self, step: int) -> None:
        """What was typed before, or after that."""
        box = self.query_one(CommandInput)
        back = min(max(0, self._back - step), len(self._typed))
        if self._back == 0:
            self._draft = box.value
        if back != self._back:
            self._back = back
            self._write(self._typed[-back] if back else self._draft)
            self._offer(self._put)
            self._object(None)

    def action_leave(self) -> None:
        """Hand back nothing."""
        if self.is_current:
            self.dismiss(None)
