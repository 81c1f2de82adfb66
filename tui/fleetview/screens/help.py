"""The keys of the screen below, read off its bindings."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen

from fleetview.present.keys import HelpKey, help_lines
from fleetview.screens.node_actions import NodeActions
from fleetview.verbs import VERBS
from fleetview.widgets.lines import Lines


class Help(ModalScreen[None]):
    """Which keys work now, why the others do not, and what to type in a shell instead."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace,q,question_mark,enter", "dismiss", "close", id="help.close", tooltip="Close help."),
        Binding("down,j", "scroll(1)", show=False, id="move.down", tooltip="A line down."),
        Binding("up,k", "scroll(-1)", show=False, id="move.up", tooltip="A line up."),
        Binding("pagedown,space", "scroll(10)", show=False, id="move.page_down", tooltip="A page down."),
        Binding("pageup", "scroll(-10)", show=False, id="move.page_up", tooltip="A page up."),
    ]

    def __init__(self, keys: tuple[HelpKey, ...]) -> None:
        super().__init__()
        self._keys = keys

    def compose(self) -> ComposeResult:
        """The keys."""
        with VerticalScroll(id="help", can_focus=False) as pane:
            pane.border_title = "Keys"
            yield Lines()

    def on_resize(self) -> None:
        """As wide as there is room."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        """Word the keys for the width."""
        lines = self.query_one(Lines)
        lines.lines = help_lines(self._keys, lines.size.width)

    def action_scroll(self, rows: int) -> None:
        """Further down, or up."""
        self.query_one("#help").scroll_relative(y=rows, animate=False)


def keys_of(screen: Screen[object]) -> tuple[HelpKey, ...]:
    """Every action that a key of the screen reaches, with all its keys."""
    twins = {verb.id: verb.twin for verb in VERBS if verb.id}
    why_not = screen.why_not if isinstance(screen, NodeActions) else lambda _action: None
    found: dict[str, HelpKey] = {}
    # what the last line shows comes first, then what else a key does, then how to move
    active = sorted(screen.active_bindings.values(), key=lambda one: (not one.binding.show, one.node is screen.focused))
    for _, binding, enabled, tooltip in active:
        if binding.system or not tooltip:
            continue
        shown = screen.app.get_key_display(binding)
        known = found.get(binding.action)
        keys = (*known.keys, shown) if known else (shown,)
        reason = None if enabled else why_not(binding.action) or "it cannot be done just now"
        found[binding.action] = HelpKey(keys, tooltip, reason, twins.get(binding.id or ""))
    return tuple(found.values())
