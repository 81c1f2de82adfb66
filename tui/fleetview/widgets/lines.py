"""Toned lines, of which only those are drawn again that are no longer the same."""

from __future__ import annotations

from textual.geometry import Region, Size
from textual.reactive import var
from textual.strip import Strip
from textual.style import Style
from textual.visual import Visual
from textual.widget import Widget

from fleetview.present.text import Line, difference, merged
from fleetview.widgets.toned import content


def draw(widget: Widget, line: Line, width: int, style: Style | None = None) -> Strip:
    """The line as the widget shows it, `width` cells wide."""
    base = style or widget.visual_style
    strips = Visual.to_strips(widget, content(merged(line)), width, 1, base, apply_selection=False, pad=True)
    return strips[0] if strips else Strip.blank(width)


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
