"""The last line of a dialog: its own keys in the order they were declared, those that do the same thing together."""

from __future__ import annotations

from textual.binding import Binding
from textual.screen import Screen

from fleetview.present.text import width_of
from fleetview.widgets.key_bar import Key, KeyBar, key_line


class KeyHints(KeyBar):
    """Which keys can be pressed in this dialog; the last of them always stays."""

    def _follow(self, screen: Screen[object]) -> None:
        """Show the keys of the screen itself and of what has the focus."""
        owners = [owner for owner in (screen.focused, screen) if owner is not None]
        declared = [binding.id for owner in owners for binding in type(owner).BINDINGS if isinstance(binding, Binding)]
        places = {name: place for place, name in enumerate(declared)}
        own = [active for active in screen.active_bindings.values() if active.node in owners and active.binding.show]
        own.sort(key=lambda active: places.get(active.binding.id, len(places)))
        actions: dict[str, Key] = {}
        for _, binding, enabled, _ in own:
            actions.setdefault(binding.action, Key(self.app.get_key_display(binding), binding.description, enabled))
        sign = self.sign
        line = key_line(tuple(together(tuple(actions.values()))), self.size.width + 2 - width_of(sign))
        self.lines = ((*sign[1:], *(line if sign else line[1:])),)  # the dialog has its own padding


def together(keys: tuple[Key, ...]) -> list[Key]:
    """The keys, with those side by side that have the same label."""
    merged: list[Key] = []
    for key in keys:
        if merged and merged[-1].label == key.label:
            merged[-1] = Key(merged[-1].key + key.key, key.label, key.enabled)
        else:
            merged.append(key)
    return merged
