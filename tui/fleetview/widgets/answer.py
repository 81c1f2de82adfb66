"""One answer of a model, which grows while it is written, with its figures below it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual.strip import Strip

from fleetview.chats.records import State
from fleetview.conversation.answering import Answering
from fleetview.conversation.sections import Sections
from fleetview.present.chat.answers import thoughts
from fleetview.present.text import ELLIPSIS, SEPARATOR, Line, plain, text_of
from fleetview.present.wrapping import flowing
from fleetview.widgets.brush import INDENT, Brush, Kind, guess
from fleetview.widgets.passage import Passage, Room

NEWEST = 200
"""Characters of the newest thoughts that are shown while the model thinks."""
UNFOLDED = 20_000
"""Characters of thoughts that are shown when they are unfolded."""
FIGURES_SECONDS = 0.5
"""How often the figures of a growing answer are drawn again."""
KINDS: Mapping[State, Kind] = {"failed": "failed", "stopped": "stopped", "interrupted": "stopped"}
"""How the figures are drawn where the answer did not go well."""


class _Section:
    """A part of the text."""

    def __init__(self, brush: Brush, *, parted: bool) -> None:
        self._brush = brush
        self._parted = parted
        """Whether an empty line parts it from the one before."""
        self.text = ""
        self.passage = Passage(self._paint, lambda room: guess(self.text, room.width) + parted)

    def _paint(self, room: Room) -> list[Strip]:
        rows = self._brush.markdown(self.text, room.width)
        for end in (0, -1):  # Rich puts empty rows around some blocks, which would part a list that goes on
            while rows and not rows[end].text.strip():
                rows.pop(end)
        return [self._brush.blank(room.width), *rows] if self._parted else rows


class Answer:
    """Shows what its `answering` has when it is told to, and tells when its rows are no longer the same."""

    def __init__(
        self, answering: Answering, brush: Brush, changed: Callable[[], None], *, unfolded: bool = False
    ) -> None:
        self.answering = answering
        self.settled = False
        """Whether all of it is drawn, and nothing more comes."""
        self.figures = ""
        """What stands below the text."""
        self._brush = brush
        self._changed = changed
        self._unfolded = unfolded
        self._shown = 0
        self._folded_line = self._thoughts = ""
        """What stands above the text; nothing where it is not shown."""
        self._parted = False
        """Whether there is a text to be parted from the thoughts."""
        self._figures_at: float | None = None
        self._told = False
        """Whether the figures were drawn since the text began."""
        self._parts = Sections()
        self._above = Passage(self._paint_above, lambda room: guess(self._folded_line + self._thoughts, room.width))
        self._sections = [_Section(brush, parted=False)]
        self._below = Passage(self._paint_below, lambda room: 1 + 2 * room.gap)

    @property
    def passages(self) -> tuple[Passage, ...]:
        """Thoughts, text, figures."""
        return (self._above, *(section.passage for section in self._sections), self._below)

    @property
    def sections(self) -> int:
        """Into how many parts its text was divided."""
        return len(self._sections)

    def unfold(self, unfolded: bool, at: float) -> None:
        """Show the thoughts, or a line that stands for them."""
        self._unfolded = unfolded
        if self._think(at):
            self._changed()

    def draw(self, at: float) -> None:
        """Show what has come since the last time."""
        if self.settled:
            return
        answering = self.answering
        last = not answering.writing
        new = answering.text[self._shown :]
        self._shown += len(new)
        changed = self._think(at)
        if new or last:
            self._grow(new, last=last)
            changed = True
        if self._tell(at, last=last) or changed:
            self._changed()
        self.settled = last

    def _grow(self, new: str, *, last: bool) -> None:
        """More of the text has come."""
        for piece in self._parts.feed(new, last=last):
            if piece.begins:
                self._sections.append(_Section(self._brush, parted=not piece.continues))
            if piece.text:
                self._sections[-1].text += piece.text
                self._sections[-1].passage.changed()  # what follows may have changed what was there

    def _think(self, at: float) -> bool:
        """The line that stands for the thoughts, and as much of them as is to be seen; whether they are others now."""
        answering = self.answering
        if not answering.thinking:
            return False
        line = thoughts(answering.progress, answering.thinking, at, unfolded=self._unfolded)
        newest = ""
        if self._unfolded or (answering.writing and not answering.text):
            limit = UNFOLDED if self._unfolded else NEWEST
            newest = answering.thinking.strip()
            newest = newest if len(newest) <= limit else ELLIPSIS + newest[-limit:]
        above = (line, newest, bool(answering.text))
        if above == (self._folded_line, self._thoughts, self._parted):
            return False
        self._folded_line, self._thoughts, self._parted = above
        self._above.changed()
        self._below.changed()
        return True

    def _tell(self, at: float, *, last: bool) -> bool:
        """How far it is, or how it went; whether that is something else now."""
        begun = self._shown > 0 and not self._told  # what is read must not be said to be waited for
        if not last and not begun and self._figures_at is not None and at - self._figures_at < FIGURES_SECONDS:
            return False
        self._told = self._told or begun
        self._figures_at = at
        self.figures = plain(self.answering.remark(at))
        self._below.changed()
        return True

    def _paint_above(self, room: Room) -> list[Strip]:
        """The thoughts."""
        rows = self._brush.words(self._folded_line, "folded", room.width) if self._folded_line else []
        if self._thoughts:
            rows += self._brush.words(self._thoughts, "thoughts", room.width, INDENT + 2)
        return [*rows, *[self._brush.blank(room.width)] * room.gap] if self._parted else rows

    def _paint_below(self, room: Room) -> list[Strip]:
        """The figures in as many lines as they take, none of them torn from its unit."""
        kind = KINDS.get(self.answering.state, "figures")
        parts: tuple[Line, ...] = tuple(((part, "plain"),) for part in self.figures.split(SEPARATOR))
        told = "\n".join(text_of(line) for line in flowing(parts, max(1, room.width - INDENT - 1), indent=0))
        rows = self._brush.words(told, kind, room.width)
        blank = [self._brush.blank(room.width)] * room.gap
        before = blank if self._shown or self._folded_line else []  # the prompt has one after it
        # where there are few rows, the text is worth more than figures; why there is none is told to its end
        return [*before, *(rows if room.gap or kind == "failed" else rows[:1]), *blank]
