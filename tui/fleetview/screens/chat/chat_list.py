"""Former chats: search them, read on in one, keep one as a file, forget one."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Resize
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from fleetview.chats.export import Form, NotExported, export
from fleetview.chats.records import FormerChat
from fleetview.chats.store import ChatStore
from fleetview.paths import tilde
from fleetview.present import count, plain
from fleetview.present.chat.lists import ago, chat_line, found, preview, targets_words
from fleetview.present.text import Line
from fleetview.screens.confirm import Confirm
from fleetview.screens.type_name import TypeName
from fleetview.widgets.choices import Choices
from fleetview.widgets.key_hints import KeyHints
from fleetview.widgets.lines import Lines
from fleetview.widgets.remark import Remark
from fleetview.widgets.search_line import SearchLine

COUNT_SECONDS = 1.0
"""How often answers that are being written are counted."""
LIMIT = 500
"""Chats that are shown at most; words find the others."""
EMPTY = "No chats are kept yet; c in the fleet view begins one."
NONE_FOUND = "No chat has all of these words."
_OPEN = Binding("enter", "screen.open", "open", id="chats.open", tooltip="Read the chat, and go on with it.")
_PAGES = (
    Binding("pagedown", "screen.page(1)", show=False, id="chats.page_down", tooltip="A page down."),
    Binding("pageup", "screen.page(-1)", show=False, id="chats.page_up", tooltip="A page up."),
)


class Former(Choices[FormerChat], can_focus=True):
    """The chats; letters are keys here."""

    BINDINGS: ClassVar[list[BindingType]] = [
        _OPEN,
        # With priority: letters that come right behind it must find the search.
        Binding(
            "slash,tab",
            "screen.search",
            "search",
            id="chats.search",
            tooltip="Type words of prompts or answers.",
            priority=True,
        ),
        Binding("x", "screen.export('md')", "export", id="chats.export", tooltip="Write the chat as Markdown, here."),
        Binding("X", "screen.export('json')", "JSON", id="chats.export_json", tooltip="Write the chat as JSON, here."),
        Binding("R", "screen.rename", "rename", id="chats.rename", tooltip="Give the chat another title."),
        Binding("D", "screen.delete", "delete", id="chats.delete", tooltip="Forget the chat for good; asks first."),
        Binding("down,j", "screen.move(1)", show=False, id="chats.down", tooltip="The next chat."),
        Binding("up,k", "screen.move(-1)", show=False, id="chats.up", tooltip="The chat before."),
        *_PAGES,
        Binding("g,home", "screen.end(False)", show=False, id="chats.first", tooltip="The newest chat."),
        Binding("G,end", "screen.end(True)", show=False, id="chats.last", tooltip="The oldest chat."),
    ]


class ChatSearchLine(SearchLine):
    """Takes words of prompts and answers."""

    BINDINGS: ClassVar[list[BindingType]] = [
        _OPEN,
        Binding("tab", "screen.leave_search", "keys", id="chats.leave_search", tooltip="Letters are keys again."),
        Binding("down", "screen.move(1)", show=False, id="chats.next_found", tooltip="The next chat."),
        Binding("up", "screen.move(-1)", show=False, id="chats.previous_found", tooltip="The chat before."),
        *_PAGES,
    ]


class ChatList(ModalScreen[int | None]):
    """Hands back the id of the chat that is to be opened; None when none is."""

    CSS_PATH = "dialogs.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (16, "-tall")]  # noqa: RUF012 -- as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="chats.back", tooltip="Clear the search, then close."),
    ]

    def __init__(
        self,
        chats: ChatStore,
        folder: Path | None = None,
        clock: Callable[[], float] = time.time,
        answering: Callable[[], int] = lambda: 0,
    ) -> None:
        """Exports go to `folder`, or where the program was started; `answering`: answers that are being written."""
        super().__init__()
        self._chats = chats
        self._answering = answering
        self._folder = folder or Path.cwd()
        self._clock = clock

    def compose(self) -> ComposeResult:
        """What is searched, the chats, a look into the chosen one, the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content("Former chats")
            with Horizontal(id="search"):
                yield Static("/ ", id="sign")
                yield ChatSearchLine("words that were said")
                yield Static(id="found", markup=False)
            yield Former(self._line, lambda chat: chat.id)
            yield Lines(id="preview")
            yield Remark()
            yield KeyHints()

    def on_mount(self) -> None:
        """Show the newest ones; letters are keys."""
        self.query_one(Former).focus()
        self._show()
        self.set_interval(COUNT_SECONDS, self._count)

    @on(Input.Changed)
    def _show(self) -> None:
        """Show the chats that match."""
        typed = self.query_one(ChatSearchLine).value
        chats = self._chats.chats(typed, LIMIT)
        self.query_one(Former).show(chats)
        self._count()
        empty = NONE_FOUND if typed.strip() else EMPTY
        self.query_one(Remark).say("" if chats else empty, wrong=False)
        self.refresh_bindings()

    def _count(self) -> None:
        """Say how many there are, and how many answers are being written."""
        chats = found(len(self.query_one(Former).rows), LIMIT, "chat")
        answering = self._answering()
        self.query_one("#found", Static).update(f"{answering} answering, {chats}" if answering else chats)

    @on(Choices.Moved)
    def _preview(self) -> None:
        """Show the end of the chosen chat, as far as there is room."""
        view = self.query_one("#preview", Lines)
        chosen = self.query_one(Former).chosen
        view.lines = preview(self._chats.chat(chosen.id) if chosen else None, *view.size)

    def on_resize(self, _event: Resize) -> None:
        """There is room for more of it, or less."""
        self.call_after_refresh(self._preview)

    def _line(self, chat: FormerChat, width: int, here: bool) -> Line:
        """One chat."""
        return chat_line(chat, self._clock(), width, here=here)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 -- Textual's signature
        """What acts on a chat needs one."""
        if (
            action in {"open", "export", "rename", "delete"}
            and self.is_mounted
            and self.query_one(Former).chosen is None
        ):
            return None
        return True

    def action_open(self) -> None:
        """Hand the chosen chat back."""
        chosen = self.query_one(Former).chosen
        if chosen is not None and self.is_current:
            self.dismiss(chosen.id)

    def action_export(self, form: Form) -> None:
        """Write the chosen chat to a file, and say which."""
        chosen = self.query_one(Former).chosen
        chat = self._chats.chat(chosen.id) if chosen else None
        if chat is None:
            return
        try:
            path = export(chat, self._folder, form)
        except NotExported as problem:
            self.query_one(Remark).say(str(problem), wrong=True)
            self.app.bell()
        else:
            self.notify(f"Written to {plain(tilde(path))}.", markup=False)

    def action_rename(self) -> None:
        """Give the chosen chat another title."""
        chosen = self.query_one(Former).chosen
        if chosen is None:
            return

        def answered(title: str | None) -> None:
            if title is not None:
                self._chats.rename(chosen.id, title)
                self._show()

        lines = (f"It is called: {chosen.title}",)
        self.app.push_screen(TypeName("Rename the chat", lines, "another title", asked="another title"), answered)

    def action_delete(self) -> None:
        """Forget the chosen chat, after asking."""
        chosen = self.query_one(Former).chosen
        if chosen is None:
            return

        def answered(agreed: bool | None) -> None:
            if agreed:
                self._chats.delete(chosen.id)
                self._show()
                self._preview()

        when = ago(chosen.changed_at, self._clock())
        lines = (
            f"{count(chosen.turns, 'prompt')} to {targets_words(chosen.targets)}, {when}.",
            "It cannot be taken back; x keeps a copy as a file.",
        )
        self.app.push_screen(Confirm(f'Delete "{plain(chosen.title)}"?', lines, "delete"), answered)

    def action_search(self) -> None:
        """Let letters be text."""
        self.set_focus(self.query_one(ChatSearchLine))

    def action_leave_search(self) -> None:
        """Let letters be keys."""
        self.query_one(Former).focus()

    def action_move(self, by: int) -> None:
        """Another row."""
        self.query_one(Former).move(by)

    def action_page(self, pages: int) -> None:
        """A row a page away."""
        self.query_one(Former).page(pages)

    def action_end(self, last: bool) -> None:
        """The first row, or the last."""
        self.query_one(Former).end(last=last)

    def action_back(self) -> None:
        """Clear the search, then close."""
        line = self.query_one(ChatSearchLine)
        if line.value:
            line.clear()
            self.query_one(Former).focus()
        elif line.has_focus:
            self.query_one(Former).focus()
        elif self.is_current:
            self.dismiss(None)
