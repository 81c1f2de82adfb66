"""What has been said: the operator's words as they are, the model's as Markdown that grows while it is written."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.geometry import Region, Size
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from fleetview.conversation.answering import Answering
from fleetview.conversation.files import packed
from fleetview.present.text import visible
from fleetview.widgets.answer import Answer
from fleetview.widgets.brush import COMPONENTS, Brush, guess
from fleetview.widgets.passage import Paint, Passage, Room

LONGEST_LINE = 120
"""Cells; longer lines are hard to read."""


class _Words:
    """What the operator has said, or nobody."""

    def __init__(self, text: str, paint: Paint, *, is_prompt: bool) -> None:
        self.is_prompt = is_prompt
        self.passages = (Passage(paint, lambda room: guess(text, room.width) + room.gap),)


class Transcript(ScrollView):
    """All turns, newest at the bottom; stays at the bottom unless one has scrolled up. Draws what is in view."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(COMPONENTS)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", show=False, id="chat.down", tooltip="Scroll down."),
        Binding("k", "scroll_up", show=False, id="chat.up", tooltip="Scroll up."),
        Binding("G,end", "scroll_end", show=False, id="chat.end", tooltip="Go to the newest, and follow it."),
    ]
    DEFAULT_CSS = """
    Transcript {
        width: 1fr;
        height: 1fr;
        overflow-x: hidden;
        scrollbar-size: 1 1;
        padding: 1 1 0 0;
        & > .transcript--edge { color: $accent; }
        & > .transcript--said { text-style: bold; }
        & > .transcript--note, & > .transcript--folded, & > .transcript--figures { color: $text-muted; }
        & > .transcript--thoughts { color: $text-muted; text-style: italic; }
        & > .transcript--wrong, & > .transcript--failed { color: $error; }
        & > .transcript--stopped { color: $warning; }
    }
    """

    below: var[bool] = var(False)
    """Whether there is more below than can be seen, and it is not followed."""

    def __init__(self) -> None:
        super().__init__()
        self.beside_others = False
        """Whether other answers stand beside these; what was said then begins at the top, for it is compared."""
        self.following = True
        """Whether the end stays in view."""
        self._brush = Brush(self)
        self._parts: list[_Words | Answer] = []
        self._passages: list[Passage] = []
        self._ends: list[int] = []
        """The row after each passage."""
        self._held: tuple[Passage, int] | None = None
        """Where nothing is followed: what stays where it is, and how far below the top of the view it begins."""
        self._seen: list[Strip] = []
        """What is on the screen."""
        self._moving = self._asked = False

    @property
    def answers(self) -> tuple[Answer, ...]:
        """All answers, oldest first."""
        return tuple(part for part in self._parts if isinstance(part, Answer))

    def say(self, prompt: str, answering: Answering, *, unfolded: bool = False, follow: bool = True) -> Answer:
        """Show a prompt and where its answer goes."""
        words = visible(packed(prompt)[0])
        said = _Words(words, self._spaced(lambda room: self._brush.said(words, room.width)), is_prompt=True)
        answer = Answer(answering, self._brush, self._look_soon, unfolded=unfolded)
        self._parts += (said, answer)
        self.following = self.following or follow
        answer.draw(time.monotonic())
        self._look_soon()
        return answer

    def note(self, text: str, *, wrong: bool = False) -> None:
        """Show something that neither of the two has said."""
        words = visible(text)
        paint = self._spaced(lambda room: self._brush.words(words, "wrong" if wrong else "note", room.width))
        self._parts.append(_Words(words, paint, is_prompt=False))
        self.following = True
        self._look_soon()

    def forget_last(self) -> None:
        """Take the last prompt and all that follows it away."""
        prompts = (place for place, part in enumerate(self._parts) if isinstance(part, _Words) and part.is_prompt)
        del self._parts[max(prompts, default=len(self._parts)) :]
        self._look_soon()

    @property
    def _room(self) -> Room:
        """What is drawn for."""
        width = min(self.scrollable_content_region.width, LONGEST_LINE)
        return Room(width, gap=0 if self.screen.has_class("-short") else 1)

    def _spaced(self, paint: Paint) -> Paint:
        """With an empty row after it."""
        return lambda room: [*paint(room), *[self._brush.blank(room.width)] * room.gap]

    def _look_soon(self) -> None:
        """Look once all that is to change by now has changed."""
        if not self._asked:
            self._asked = True
            self.call_next(self._look)

    def _look(self) -> None:
        """Draw what is in view, and keep it where it is."""
        self._asked = False
        room, (width, height) = self._room, self.scrollable_content_region.size
        if width <= 0 or height <= 0:
            return
        self._passages = [passage for part in self._parts for passage in part.passages]
        place, offset = self._hold(height)
        _fill(reversed(self._passages[:place]), room, offset)
        _fill(iter(self._passages[place:]), room, height - offset)
        self._ends = list(accumulate(passage.rows(room) for passage in self._passages))
        rows = self._ends[-1] if self._ends else 0
        self._resize_content(Size(width, rows))
        top = (self._ends[place - 1] if place else 0) - offset
        self._move(rows - height if self.following else top)
        self._repaint(width, height)

    def _hold(self, height: int) -> tuple[int, int]:
        """Which passage stays where it is, and how far below the top of the view it begins."""
        if not self.following and self._held is not None and self._held[0] in self._passages:
            return self._passages.index(self._held[0]), self._held[1]
        return len(self._passages), height

    def _resize_content(self, size: Size) -> None:
        """There are more rows, or fewer; the screen is not arranged anew unless the scroll bar comes or goes."""
        if size == self.virtual_size:
            return
        if (size.height > self.container_size.height) != self.show_vertical_scrollbar:
            self.virtual_size = size
            return
        self.set_reactive(Widget.virtual_size, size)
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = size.height
            self.vertical_scrollbar.refresh()

    def _move(self, top: int) -> None:
        """Let this row be the first in view."""
        if max(0, top) != self.scroll_y:
            self._moving = True
            self.scroll_to(y=max(0, top), animate=False, force=True)
            self._moving = False
        self._look_below()

    def _repaint(self, width: int, height: int) -> None:
        """Draw the rows that are not what is on the screen."""
        seen = [self._row(y, width) for y in range(self.scroll_offset.y, self.scroll_offset.y + height)]
        if len(seen) != len(self._seen):
            self.refresh()
        elif changed := [y for y, (old, new) in enumerate(zip(self._seen, seen, strict=True)) if old != new]:
            self.refresh(*(Region(0, y, width, 1) for y in changed))
        self._seen = seen

    def _look_below(self) -> None:
        """Whether somebody who scrolled up misses something."""
        self.below = not self.following and round(self.scroll_y) < self.max_scroll_y

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Somebody has scrolled: keep what is in view now."""
        super().watch_scroll_y(old_value, new_value)
        if self._moving or round(old_value) == round(new_value):
            return
        self.following = round(new_value) >= self.max_scroll_y
        self._hold_view()
        self._look_soon()  # not now: Textual's animator is still about to finish this step

    def _hold_view(self) -> None:
        """Keep the first passage in view of which it is known how long it is, since the others may turn out longer."""
        room, height, top = self._room, self.scrollable_content_region.height, self.scroll_offset.y
        first = bisect_right(self._ends, top)
        last = bisect_right(self._ends, top + height - 1)
        places = range(first, min(last + 1, len(self._passages)))
        place = next((place for place in places if self._passages[place].counted(room)), first)
        if place < len(self._passages):
            self._held = self._passages[place], (self._ends[place - 1] if place else 0) - top

    def action_scroll_end(self) -> None:
        """Go to the newest, and follow it."""
        self.following = True
        self._look()

    def on_resize(self, _event: Resize) -> None:
        """Rows follow the width."""
        self._look()

    def notify_style_update(self) -> None:
        """Colours may be others now."""
        super().notify_style_update()
        for passage in self._passages:
            passage.faded()
        self._brush.recolour()

    def _row(self, y: int, width: int) -> Strip:
        """A row of all that was said, which stands at the bottom where it does not fill the view."""
        rows = self._ends[-1] if self._ends else 0
        if not self.beside_others:
            y -= max(0, self.scrollable_content_region.height - rows)
        place = bisect_right(self._ends, y) if y >= 0 else len(self._passages)
        if place < len(self._passages):
            lines = self._passages[place].lines(self._room)
            row = y - (self._ends[place - 1] if place else 0)
            if row < len(lines):
                return lines[row].extend_cell_length(width, self.visual_style.rich_style)
        return self._brush.blank(width)

    def render_line(self, y: int) -> Strip:
        """A row of the view."""
        return self._row(y + self.scroll_offset.y, self.scrollable_content_region.width)


def _fill(passages: Iterable[Passage], room: Room, rows: int) -> None:
    """Draw passages until so many rows are full."""
    for passage in passages:
        if rows <= 0:
            return
        rows -= len(passage.lines(room))
