"""A small dialog that asks which of a few things is meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList

from fleetview.present import plain
from fleetview.widgets.key_hints import KeyHints


class MarkedList(OptionList):
    """Lines of which the highlighted one has a sign: bold and a background alone are not seen in every terminal."""

    def __init__(self, choices: Sequence[str]) -> None:
        self._choices = choices
        self._marked: int | None = None
        """The line that has the sign."""
        super().__init__(*map(_unmarked, choices), markup=False, compact=True)

    def watch_highlighted(self, highlighted: int | None) -> None:
        """The sign goes with the highlight."""
        if self._marked is not None:
            self.replace_option_prompt_at_index(self._marked, _unmarked(self._choices[self._marked]))
        if highlighted is not None:
            self.replace_option_prompt_at_index(highlighted, Content(f"▸ {plain(self._choices[highlighted])}"))
        self._marked = highlighted
        super().watch_highlighted(highlighted)


def _unmarked(choice: str) -> Content:
    """A line as it stands among the others."""
    return Content(f"  {plain(choice)}")


class Choose(ModalScreen[int | None]):
    """Lists things and hands back the place of the one that was chosen; None when nothing was."""

    CSS_PATH = "choose.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (15, "-tall")]  # noqa: RUF012 -- as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "choose", id="choose.take", tooltip="Take the highlighted line.", priority=True),
        Binding("escape,q", "cancel", "cancel", id="choose.cancel", tooltip="Leave everything as it is."),
        # With priority, as Enter has it: a key that comes before the list has the focus must not be passed by the next.
        Binding("down,j", "move('down')", show=False, id="choose.down", tooltip="The next line.", priority=True),
        Binding("up,k", "move('up')", show=False, id="choose.up", tooltip="The line before.", priority=True),
        Binding("home,g", "move('first')", show=False, id="choose.first", tooltip="The first line.", priority=True),
        Binding("end,G", "move('last')", show=False, id="choose.last", tooltip="The last line.", priority=True),
    ]

    def __init__(self, title: str, choices: Sequence[str]) -> None:
        super().__init__()
        self._title = title
        self._choices = tuple(choices)
        self._seen = False
        """Whether it stands on the screen: nobody chooses what was not shown."""
        self._early: int | None = None
        """The line that was taken before that; it counts once the line stands there."""

    def on_mount(self) -> None:
        """From the next picture on something can be chosen."""
        self.call_after_refresh(self._be_seen)

    def _be_seen(self) -> None:
        """It stands on the screen."""
        self._seen = True
        if self._early is not None and self.is_current:
            self.dismiss(self._early)

    def compose(self) -> ComposeResult:
        """The choices, then the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content(plain(self._title))
            yield MarkedList(self._choices)
            yield KeyHints()

    @on(OptionList.OptionSelected)
    def choose_clicked(self, event: OptionList.OptionSelected) -> None:
        """A line was clicked."""
        self.dismiss(event.option_index)

    def action_choose(self) -> None:
        """Hand back the highlighted line."""
        highlighted = self.query_one(OptionList).highlighted
        if not self._seen:
            self._early = highlighted if self._early is None else self._early
        elif self.is_current:
            self.dismiss(highlighted)

    def action_cancel(self) -> None:
        """Hand back nothing."""
        if self.is_current:
            self.dismiss(None)

    def action_move(self, way: str) -> None:
        """Move the highlight."""
        options = self.query_one(OptionList)
        moves = {
            "down": options.action_cursor_down,
            "up": options.action_cursor_up,
            "first": options.action_first,
            "last": options.action_last,
        }
        moves[way]()
