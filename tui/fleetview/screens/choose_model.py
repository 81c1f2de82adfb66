"""A small dialog that asks which of a few models is meant."""

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


class ChooseModel(ModalScreen[str | None]):
    """Lists models and hands back the one that was chosen; None when nobody was."""

    CSS_PATH = "choose_model.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "choose", id="choose.take", tooltip="Take the highlighted model.", priority=True),
        Binding("escape,q", "cancel", "cancel", id="choose.cancel", tooltip="Leave everything as it is."),
        Binding("j", "move('down')", show=False, id="choose.down", tooltip="The next model."),
        Binding("k", "move('up')", show=False, id="choose.up", tooltip="The model before."),
    ]

    def __init__(self, title: str, models: Sequence[str]) -> None:
        super().__init__()
        self._title = title
        self._models = tuple(models)

    def compose(self) -> ComposeResult:
        """The models, then the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content(plain(self._title))
            yield OptionList(*(Content(plain(model)) for model in self._models), markup=False, compact=True)
            yield KeyHints()

    @on(OptionList.OptionSelected)
    def choose_clicked(self, event: OptionList.OptionSelected) -> None:
        """A model was clicked."""
        self.dismiss(self._models[event.option_index])

    def action_choose(self) -> None:
        """Hand back the highlighted model."""
        index = self.query_one(OptionList).highlighted
        self.dismiss(None if index is None else self._models[index])

    def action_cancel(self) -> None:
        """Hand back nothing."""
        self.dismiss(None)

    def action_move(self, way: str) -> None:
        """Move the highlight."""
        options = self.query_one(OptionList)
        if way == "down":
            options.action_cursor_down()
        else:
            options.action_cursor_up()
