"""What did I ask back then? All former prompts, narrowed as one types."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Resize
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from fleetview.chats.records import FormerPrompt
from fleetview.chats.store import ChatStore
from fleetview.present.chat.lists import found, prompt_line, prompt_preview
from fleetview.present.text import Line
from fleetview.widgets.choices import Choices
from fleetview.widgets.key_hints import KeyHints
from fleetview.widgets.lines import Lines
from fleetview.widgets.search_line import SearchLine

LIMIT = 500
"""Prompts that are shown at most; words find the others."""


class PromptSearchLine(SearchLine):
    """Takes parts of a former prompt."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.take", "take", id="prompts.take", tooltip="Put the prompt into the input."),
        Binding("down,ctrl+r", "screen.move(1)", "older", id="prompts.older", tooltip="An older prompt."),
        Binding("up", "screen.move(-1)", "newer", show=False, id="prompts.newer", tooltip="A newer prompt."),
        Binding("pagedown", "screen.page(1)", show=False, id="prompts.page_down", tooltip="A page down."),
        Binding("pageup", "screen.page(-1)", show=False, id="prompts.page_up", tooltip="A page up."),
    ]


class PromptSearch(ModalScreen[str | None]):
    """Hands back a former prompt; None when nothing was taken."""

    CSS_PATH = "dialogs.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (16, "-tall")]  # noqa: RUF012 -- as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "cancel", id="prompts.cancel", tooltip="Clear what is typed, then close."),
    ]

    def __init__(self, chats: ChatStore, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._chats = chats
        self._clock = clock

    def compose(self) -> ComposeResult:
        """What is typed, the prompts, the whole of the chosen one, the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content("Former prompts")
            with Horizontal(id="search"):
                yield Static("> ", id="sign")
                yield PromptSearchLine("words of a former prompt")
                yield Static(id="found", markup=False)
            yield Choices[FormerPrompt](self._line, lambda prompt: prompt.text)
            yield Lines(id="preview")
            yield KeyHints()

    def on_mount(self) -> None:
        """Show the newest ones."""
        self.query_one(PromptSearchLine).focus()
        self._show()

    @on(Input.Changed)
    def _show(self) -> None:
        """Show the prompts that match."""
        prompts = self._chats.prompts(self.query_one(PromptSearchLine).value, LIMIT)
        self.query_one(Choices).show(prompts)
        self.query_one("#found", Static).update(found(len(prompts), LIMIT, "prompt"))

    @on(Choices.Moved)
    def _preview(self) -> None:
        """Show the whole of the chosen prompt, as far as there is room."""
        view = self.query_one("#preview", Lines)
        chosen: FormerPrompt | None = self.query_one(Choices).chosen
        view.lines = prompt_preview(chosen, *view.size)

    def on_resize(self, _event: Resize) -> None:
        """There is room for more of it, or less."""
        self.call_after_refresh(self._preview)

    def _line(self, prompt: FormerPrompt, width: int, here: bool) -> Line:
        """One prompt."""
        return prompt_line(prompt, self._clock(), width, here=here)

    def action_take(self) -> None:
        """Hand the chosen prompt back."""
        chosen: FormerPrompt | None = self.query_one(Choices).chosen
        if chosen is None:
            self.app.bell()
        elif self.is_current:
            self.dismiss(chosen.text)

    def action_move(self, by: int) -> None:
        """Another row."""
        self.query_one(Choices).move(by)

    def action_page(self, pages: int) -> None:
        """A row a page away."""
        self.query_one(Choices).page(pages)

    def action_back(self) -> None:
        """Clear what is typed, then close."""
        line = self.query_one(PromptSearchLine)
        if line.value:
            line.clear()
        elif self.is_current:
            self.dismiss(None)
