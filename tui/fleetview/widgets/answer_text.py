"""The text of an answer as one widget, however long it is: only the section that grows is drawn and laid out again."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

from textual.strip import Strip
from textual.visual import Visual, visualize
from textual.widget import Widget

from fleetview.widgets.formatted import Formatted, Palette

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.geometry import Size

    from fleetview.conversation.sections import Piece


class _Section:
    """A part of the text, and how it was drawn last."""

    def __init__(self, *, parted: bool) -> None:
        self.parted = parted
        """Whether an empty line parts it from the one before."""
        self.text = ""
        self.width: int | None = None
        """What its lines were drawn for; None where they are no longer true."""
        self.lines: list[Strip] = []


class AnswerText(Widget):
    """Markdown that may still grow."""

    DEFAULT_CSS = """
    AnswerText { height: auto; width: 1fr; padding: 0 1; margin-bottom: 1; }
    """

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._palette = palette
        self._sections = [_Section(parted=False)]
        self._ends: list[int] = []
        """Lines up to the end of each section."""

    @property
    def sections(self) -> int:
        """Into how many parts it was divided."""
        return len(self._sections)

    def append(self, pieces: Iterable[Piece]) -> None:
        """More of it has come."""
        for piece in pieces:
            if piece.begins:
                self._sections.append(_Section(parted=not piece.continues))
            if piece.text:
                self._sections[-1].text += piece.text
                self._sections[-1].width = None  # what follows may have changed what was there
        self.refresh(layout=True)

    def recolour(self, palette: Palette) -> None:
        """Show it in the colours of another theme."""
        self._palette = palette
        for section in self._sections:
            section.width = None
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 -- Textual's signature
        """Lines of all sections, each drawn if it is no longer what was drawn."""
        self._draw(width)
        return self._ends[-1]

    def render_line(self, y: int) -> Strip:
        """One of the lines; nobody asks for those that cannot be seen."""
        self._draw(self.size.width)
        number = bisect_right(self._ends, y)
        if number >= len(self._sections):
            return Strip.blank(self.size.width, self.visual_style.rich_style)
        return self._sections[number].lines[y - (self._ends[number - 1] if number else 0)]

    def _draw(self, width: int) -> None:
        """See that every section is drawn for this width."""
        old = [section for section in self._sections if section.width != width]
        if not old:
            return
        for section in old:
            visual = visualize(self, Formatted(section.text, self._palette))
            lines = Visual.to_strips(self, visual, width, None, self.visual_style) if width else []
            section.lines = [Strip.blank(width, self.visual_style.rich_style), *lines] if section.parted else lines
            section.width = width
        self._ends = list(accumulate(len(section.lines) for section in self._sections))
