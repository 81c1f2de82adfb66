"""The line of a dialog that says what stands in the way."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from fleetview.present import plain


class Remark(Static):
    """A sentence, which stands out where it keeps something from being done."""

    def __init__(self) -> None:
        super().__init__(id="message", markup=False)

    def say(self, text: str, wrong: bool) -> None:
        """Say something else."""
        self.update(Content(plain(text)))
        self.set_class(wrong, "wrong")
        self.remove_class("insisted")

    def insist(self) -> None:
        """Say it once more, and louder."""
        self.add_class("insisted")
        self.app.bell()
