"""The models that are asked, side by side, each with its own conversation; as many as there is room for."""

from __future__ import annotations

import time

from textual.containers import Horizontal
from textual.events import Resize
from textual.message import Message

from fleetview.chats.records import Target
from fleetview.conversation.dialogue import Dialogue, Said
from fleetview.present.chat.lines import columns
from fleetview.widgets.column import Column

INTERVAL_SECONDS = 0.125
"""A growing answer is drawn again this often at most."""
TURN_SECONDS = 0.04
"""One column is drawn at a time, so that a key waits for one at most; after this comes the next."""
REST = 3
"""Drawing rests this many times as long as it took, so that long answers never keep the keys waiting."""
LONGEST_REST_SECONDS = 1.0
"""What comes is seen after this long at the latest."""


class Columns(Horizontal):
    """Draws the answers of a dialogue as they come."""

    DEFAULT_CSS = """
    Columns { height: 1fr; }
    Columns.-single .heading { display: none; }
    Columns Column { border-left: vkey $panel; }
    Columns Column.-leftmost { border-left: none; }
    """

    class Changed(Message):
        """Other columns are seen, or there is more or less below them."""

    class Settled(Message):
        """Nothing more comes."""

    def __init__(self, dialogue: Dialogue) -> None:
        super().__init__()
        self._dialogue = dialogue
        self._columns: list[Column] = []
        self._first = 0
        """Which column is the first that is seen."""
        self.unfolded = False
        """Whether thoughts are shown."""
        self._not_before = 0.0

    async def on_mount(self) -> None:
        """Show what was said, and draw what comes at a pace that the terminal can follow."""
        self._pace = self.set_interval(TURN_SECONDS, self.draw)
        await self.build()

    async def build(self) -> None:
        """A column for each target, with what it was asked and said."""
        await self.remove_children()
        self._columns = [Column(target) for target in self._dialogue.targets]
        await self.mount_all(self._columns)
        self.set_class(len(self._columns) == 1, "-single")
        for column in self._columns:
            self.watch(column.transcript, "below", self._tell, init=False)
            said = ((said.prompt, answer) for said, answer in self._dialogue.column(column.target))
            column.show(said, unfolded=self.unfolded)
        self._fit()
        self._pace.resume()

    def on_resize(self, _event: Resize) -> None:
        """There is room for more columns, or for fewer."""
        self._fit()
        if self._columns:
            self._pace.resume()  # what came to a column that had no room was not drawn

    def on_screen_resume(self) -> None:
        """Draw what came meanwhile."""
        self._pace.resume()

    def _fit(self) -> None:
        """Show as many columns as there is room for."""
        room = columns(self.screen.size.width, len(self._columns))
        self._first = max(0, min(self._first, len(self._columns) - room))
        for number, column in enumerate(self._columns):
            column.display = self._first <= number < self._first + room
            column.set_class(number == self._first, "-leftmost")
            column.transcript.beside_others = room > 1
        self._tell()

    def _tell(self) -> None:
        """Say that something else is seen."""
        self.post_message(self.Changed())

    @property
    def seen(self) -> tuple[int, int]:
        """The first and the last column that can be seen, counted from one."""
        shown = [number for number, column in enumerate(self._columns, 1) if column.display]
        return (shown[0], shown[-1]) if shown else (0, 0)

    @property
    def more(self) -> bool:
        """Whether there are columns that cannot be seen."""
        return not all(column.display for column in self._columns)

    @property
    def below(self) -> bool:
        """Whether there is more below the only column than is seen."""
        return len(self._columns) == 1 and self._columns[0].transcript.below

    @property
    def meant(self) -> Column:
        """The column that keys mean: the one with the focus, else the first that is seen."""
        focused = (column for column in self._columns if column.transcript.has_focus)
        return next(focused, self._columns[self._first])

    def follow(self, said: Said, targets: tuple[Target, ...]) -> None:
        """Show the answers of these targets as they come."""
        for column in self._columns:
            if column.target in targets and (answer := said.answer_of(column.target)) is not None:
                column.transcript.say(said.prompt, answer, unfolded=self.unfolded)
        self._pace.resume()

    def forget(self, last: Said, targets: tuple[Target, ...]) -> None:
        """Take the last turn away from the columns of these targets."""
        for column in self._columns:
            if column.target in targets and last.answer_of(column.target) is not None:
                column.transcript.forget_last()

    def draw_now(self) -> None:
        """Draw all that is seen without waiting for its time."""
        for column in self._growing():
            column.draw(time.monotonic())
        self._settle()

    def draw(self) -> None:
        """Let the answer grow that was drawn before all others."""
        begun = time.monotonic()
        if begun < self._not_before or not self.screen.is_current:
            return
        column = min(self._growing(), key=lambda one: one.drawn_at, default=None)
        if column is not None and begun - column.drawn_at >= INTERVAL_SECONDS:
            column.draw(begun)
            self._rest(begun)
            self.call_after_refresh(self._rest, begun)
        self._settle()

    def _growing(self) -> list[Column]:
        """The columns that are seen and of which not everything is drawn yet."""
        return [column for column in self._columns if column.display and column.growing]

    def _settle(self) -> None:
        """Rest where nothing more comes."""
        if not self._dialogue.answering and not self._growing():
            self._pace.pause()
            self.post_message(self.Settled())

    def _rest(self, begun: float) -> None:
        """Leave time for the keys; what was drawn has to be laid out and painted too."""
        now = time.monotonic()
        self._not_before = now + min(REST * (now - begun), LONGEST_REST_SECONDS)

    def page(self, pages: int) -> None:
        """Scroll what is seen."""
        for column in self._columns:
            height = column.transcript.size.height
            column.transcript.scroll_relative(y=pages * max(1, height - 1), animate=False)

    def turn(self, places: int) -> None:
        """Show other columns."""
        self._first += places
        self._fit()
        self._columns[self._first].transcript.focus()
        self._pace.resume()

    def last(self) -> None:
        """Show the last of the columns."""
        self._first = len(self._columns)
        self._fit()

    def unfold(self) -> None:
        """Unfold all thoughts, or fold them."""
        self.unfolded = not self.unfolded
        for column in self._columns:
            for answer in column.answers:
                answer.unfold(self.unfolded, time.monotonic())
