"""The frame of a dialog that has no line of keys: says on its border how to leave, and when all of it is made up."""

from __future__ import annotations

from textual.containers import Vertical
from textual.content import Content

from fleetview.present.text import Line, joined
from fleetview.widgets.toned import content


class Dialog(Vertical):
    """The border with its title; below on the right the way out, and the sign of a demonstration."""

    DEFAULT_CSS = """
    Dialog { border-subtitle-color: $accent; }
    """

    def __init__(self, name: str, keys: str = "") -> None:
        super().__init__(id=name)
        self._keys = keys
        """What to press here; empty where the dialog tells it by itself."""

    def on_mount(self) -> None:
        """The whole program is a demonstration, or nothing is."""
        self._sign()

    def watch_show_vertical_scrollbar(self) -> None:
        """There is more than can be seen, or no longer."""
        self._sign()

    def _sign(self) -> None:
        """Say what can be pressed, and whether all of it is made up."""
        words = f"j k scroll · {self._keys}" if self.show_vertical_scrollbar else self._keys
        keys: Line = ((words, "dim"),) if self._keys else ()
        sign: Line = ((self.app.sub_title, "accent"),) if self.app.sub_title else ()
        line = joined((keys, sign))
        self.border_subtitle = content(line) if line else Content("")
