"""The keys that move what a dialog shows and cannot select in."""

from __future__ import annotations

from textual.binding import Binding

SCROLL_KEYS = (
    Binding("down,j", "scroll(1)", show=False, id="move.down", tooltip="A line down."),
    Binding("up,k", "scroll(-1)", show=False, id="move.up", tooltip="A line up."),
    Binding("pagedown,space", "scroll(10)", show=False, id="move.page_down", tooltip="A page down."),
    Binding("pageup", "scroll(-10)", show=False, id="move.page_up", tooltip="A page up."),
)
"""Whoever has them has an `action_scroll`."""
