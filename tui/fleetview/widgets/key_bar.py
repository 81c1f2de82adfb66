"""The last line: the keys that matter now, read off the bindings of the screen."""

from __future__ import annotations

from dataclasses import dataclass

from textual.events import Mount, Resize
from textual.screen import Screen

from fleetview.present.text import Line, Span, width_of
from fleetview.widgets.lines import Lines

_GAP: Span = ("  ", "plain")


@dataclass(frozen=True)
class Key:
    """A key, what it does, and whether it would just now."""

    key: str
    label: str
    enabled: bool


def key_line(keys: tuple[Key, ...], width: int) -> Line:
    """As many keys as there is room for, the most important first; the last one, help, always stays."""
    if not keys:
        return ()
    *others, last = (_hint(key) for key in keys)
    line: Line = ((" ", "plain"),)
    for hint in others:
        if width_of((*line, *hint, _GAP, *last)) > width:
            break
        line = (*line, *hint, _GAP)
    return (*line, *last)


def _hint(key: Key) -> Line:
    """One key in words; one that would do nothing is quiet."""
    if key.enabled:
        return ((key.key, "accent"), (f" {key.label}", "plain"))
    return ((f"{key.key} {key.label}", "off"),)


class KeyBar(Lines):
    """Which keys can be pressed on this screen."""

    def on_mount(self, _event: Mount) -> None:
        """Follow the bindings."""
        self.screen.bindings_updated_signal.subscribe(self, self._follow)

    def on_resize(self, _event: Resize) -> None:
        """There is room for other keys."""
        self._follow(self.screen)

    def _follow(self, screen: Screen[object]) -> None:
        """Show the keys that are meant to be shown, one for each action."""
        shown: dict[str, Key] = {}
        for _, binding, enabled, _ in screen.active_bindings.values():
            if binding.show and binding.action not in shown:
                shown[binding.action] = Key(self.app.get_key_display(binding), binding.description, enabled)
        self.lines = (key_line(tuple(shown.values()), self.size.width),)
