"""The keys of the screen below, read off its bindings."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen
from textual.widgets import Input

from fleetview.present.keys import Group, HelpKey, help_lines
from fleetview.screens.following import FollowingScreen
from fleetview.screens.scroll_keys import SCROLL_KEYS
from fleetview.verbs.twins import TWINS
from fleetview.widgets.dialog import Dialog
from fleetview.widgets.lines import Lines

_ROWS = ("node", "model", "operation", "row")
"""What stands before the dot in ids of actions on rows."""


class Help(ModalScreen[None]):
    """Which keys work now, why the others do not, and what to type in a shell instead."""

    CSS_PATH = "help.tcss"
    AUTO_FOCUS = ""
    VERTICAL_BREAKPOINTS = [(0, "-short"), (15, "-tall")]  # noqa: RUF012 -- as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace,q,question_mark,enter", "close", "close", id="help.close", tooltip="Close help."),
        Binding("slash", "search", "search", id="help.search", tooltip="Only keys with some words."),
        *SCROLL_KEYS,
    ]

    def __init__(self, keys: tuple[HelpKey, ...]) -> None:
        super().__init__()
        self._keys = keys

    def compose(self) -> ComposeResult:
        """The keys."""
        with Dialog("help", "/ searches · esc closes") as pane:
            pane.border_title = "Keys"
            yield Lines()
        yield Input(placeholder="words; esc shows all", compact=True, id="search")

    def on_mount(self) -> None:
        """Letters are keys until somebody searches."""
        box = self.query_one(Input)
        box.cursor_blink = False
        box.display = False
        self.set_focus(None)

    def on_resize(self) -> None:
        """As wide as there is room."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        """Word the keys for the width."""
        lines = self.query_one(Lines)
        lines.lines = help_lines(self._keys, lines.size.width - 1, self.query_one(Input).value)

    @on(Input.Changed)
    def narrow(self) -> None:
        """Only what matches."""
        self._draw()

    @on(Input.Submitted)
    def keep(self) -> None:
        """Letters are keys again; what was found stays."""
        self.query_one(Input).display = False
        self.set_focus(None)

    def action_search(self) -> None:
        """Ask for words."""
        box = self.query_one(Input)
        box.display = True
        box.focus()

    def action_close(self) -> None:
        """Show all again; where that is so, close."""
        box = self.query_one(Input)
        if box.value or box.display:
            box.value = ""
            self.keep()
        elif self.is_current:
            self.dismiss()

    def action_scroll(self, rows: int) -> None:
        """Further down, or up."""
        self.query_one("#help").scroll_relative(y=rows, animate=False)


def keys_of(screen: Screen[object]) -> tuple[HelpKey, ...]:
    """Every action that a key of the screen reaches, with all its keys."""
    why_not = screen.why_not if isinstance(screen, FollowingScreen) else lambda _action: None
    found: dict[str, HelpKey] = {}
    # what the last line shows comes first, then what else a key does, then how to move
    active = sorted(screen.active_bindings.values(), key=lambda one: (not one.binding.show, one.node is screen.focused))
    for owner, binding, enabled, tooltip in active:
        if binding.system or not tooltip:
            continue
        shown = screen.app.get_key_display(binding)
        known = found.get(binding.action)
        keys = (*known.keys, shown) if known else (shown,)
        reason = None if enabled else why_not(binding.action) or "it cannot be done just now"
        name = binding.id or ""
        group = _group(name, everywhere=owner is screen.app)
        found[binding.action] = HelpKey(keys, tooltip, reason, TWINS.get(name), name, group)
    return tuple(found.values())


def _group(name: str, *, everywhere: bool) -> Group:
    """Where in help an action stands."""
    kind = name.partition(".")[0]
    if everywhere:
        return "everywhere"
    if kind == "move":
        return "moving"
    return "rows" if kind in _ROWS or name in {"chat.open", "logs.open"} else "this view"
