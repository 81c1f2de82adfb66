"""The frame of a dialog that has no line of keys: says on its border when everything in it is made up."""

from __future__ import annotations

from textual.containers import Vertical
from textual.content import Content


class Dialog(Vertical):
    """The border with its title; below on the right the sign of a demonstration."""

    DEFAULT_CSS = """
    Dialog { border-subtitle-color: $accent; }
    """

    def on_mount(self) -> None:
        """The whole program is a demonstration, or nothing is."""
        self.border_subtitle = Content(self.app.sub_title)
