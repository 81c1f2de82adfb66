"""Words and Markdown as rows of a transcript, in the colours of the theme."""

from __future__ import annotations

from typing import Literal

from rich.segment import Segment
from textual.content import Content
from textual.strip import Strip
from textual.visual import Visual, visualize
from textual.widget import Widget

from fleetview.widgets.formatted import Formatted, Palette

Kind = Literal["said", "note", "wrong", "folded", "thoughts", "figures", "failed", "stopped"]
COMPONENTS = frozenset(f"transcript--{kind}" for kind in (*Kind.__args__, "edge"))  # type: ignore[attr-defined] # a Literal has them
"""The names that the style sheet has for them."""
EDGE = "▌"
"""Stands before the operator's words."""
INDENT = 2
"""Cells before all words, which so begin in one column; one is free after them."""


class Brush:
    """Draws for one widget."""

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._palette: Palette | None = None

    def recolour(self) -> None:
        """The theme may be another."""
        self._palette = None

    @property
    def palette(self) -> Palette:
        """The colours of Markdown."""
        if self._palette is None:
            self._palette = Palette(self._widget.app.theme_variables)
        return self._palette

    def blank(self, width: int) -> Strip:
        """A row without anything."""
        return Strip.blank(width, self._widget.visual_style.rich_style)

    def words(self, text: str, kind: Kind, width: int, indent: int = INDENT) -> list[Strip]:
        """Text as it is, in as many rows as it takes."""
        style = self._widget.get_visual_style(f"transcript--{kind}")
        room = width - indent - 1
        if room <= 0:
            return []
        before, after = (Segment(" " * cells, style.rich_style) for cells in (indent, 1))
        rows = Visual.to_strips(self._widget, Content(text), room, None, style)
        return [Strip([before, *row.adjust_cell_length(room, style.rich_style), after], width) for row in rows]

    def said(self, text: str, width: int) -> list[Strip]:
        """Words of the operator, beside a line."""
        edge = Segment(EDGE, self._widget.get_visual_style("transcript--edge").rich_style)
        return [Strip([edge, *row], width) for row in self.words(text, "said", width - 1, INDENT - 1)]

    def markdown(self, text: str, width: int) -> list[Strip]:
        """Words of a model."""
        style, room = self._widget.visual_style, width - INDENT - 1
        if room <= 0:
            return []
        before, after = (Segment(" " * cells, style.rich_style) for cells in (INDENT, 1))
        rows = Visual.to_strips(self._widget, visualize(self._widget, Formatted(text, self.palette)), room, None, style)
        return [Strip([before, *row.adjust_cell_length(room, style.rich_style), after], width) for row in rows]


def guess(text: str, width: int) -> int:
    """About how many rows a text takes."""
    return sum(1 + len(line) // max(1, width) for line in text.splitlines())
