"""A part of an answer, as one widget."""

from __future__ import annotations

from textual.widget import Widget

from fleetview.widgets.formatted import Formatted, Palette


class Section(Widget):
    """Text that may still grow."""

    DEFAULT_CSS = """
    Section { height: auto; width: 1fr; padding: 0 1; margin-bottom: 1; }
    Section.-goes-on { margin-bottom: 0; }
    """

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._palette = palette
        self._text = ""
        self._formatted = Formatted("", palette)

    def append(self, text: str) -> None:
        """More of it has come."""
        if text:
            self._text += text
            self._format()

    def recolour(self, palette: Palette) -> None:
        """Show it in the colours of another theme."""
        self._palette = palette
        self._format()

    def _format(self) -> None:
        """Read the text again; what follows may have changed what it means."""
        self._formatted = Formatted(self._text, self._palette)
        self.refresh(layout=True)

    def render(self) -> Formatted:
        """The text as Markdown."""
        return self._formatted
