"""Toned lines, of which only those are drawn again that are no longer the same."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.geometry import Region, Size
from textual.reactive import var
from textual.strip import Strip
from textual.style import Style
from textual.visual import Visual
from textual.widget import Widget

from fleetview.present.text import Line, Tone, difference, merged
from fleetview.widgets.toned import content


def draw(widget: Widget, line: Line, width: int, style: Style | None = None) -> Strip:
    """The line as the widget shows it, `width` cells wide."""
    base = style or widget.visual_style
    theme = widget.app.theme
    cells = [Segment(text, _painted(theme, base, tone, widget)) for text, tone in merged(line) if text]
    return Strip(cells).adjust_cell_length(width, _painted(theme, base, "plain", widget))


_PAINTED: dict[tuple[str, Style, Tone], RichStyle] = {}
"""How Textual draws a tone upon a style under a theme: worked out once, and not for each cell that changes."""


def _painted(theme: str, base: Style, tone: Tone, widget: Widget) -> RichStyle:
    """The style of a piece of text."""
    if (known := _PAINTED.get((theme, base, tone))) is not None:
        return known
    (strip,) = Visual.to_strips(widget, content(((".", tone),)), 1, 1, base, apply_selection=False)
    painted = (next(iter(strip)).style or RichStyle.null()).clear_meta_and_links()
    _PAINTED[theme, base, tone] = painted
    return painted


class Lines(Widget):
    """Shows lines; as high as there are lines unless the style sheet says otherwise."""

    DEFAULT_CSS = """
    Lines { height: auto; width: 1fr; }
    """

    lines: var[tuple[Line, ...]] = var((), init=False)

    def watch_lines(self, old: tuple[Line, ...], new: tuple[Line, ...]) -> None:
        """Draw what changed."""
        if len(old) != len(new):
            self.refresh(layout=self.styles.height is None or self.styles.height.is_auto)
            return
        for y, (before, after) in enumerate(zip(old, new, strict=True)):
            if before != after:
                x, width = difference(before, after)
                self.refresh(Region(x, y, width, 1))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 -- Textual's
        """One row for each line."""
        return len(self.lines)

    def render_line(self, y: int) -> Strip:
        """One line."""
        width = self.size.width
        return draw(self, self.lines[y] if y < len(self.lines) else (), width)
