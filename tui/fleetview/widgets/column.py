"""What one model was asked and said."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Resize

from fleetview.chats.records import Target
from fleetview.conversation.answering import Answering
from fleetview.present.chat.lines import heading
from fleetview.widgets.answer import Answer
from fleetview.widgets.lines import Lines
from fleetview.widgets.transcript import Transcript


class Column(Vertical):
    """A transcript below the names of node and model."""

    DEFAULT_CSS = """
    Column { width: 1fr; height: 1fr; }
    Column .heading { height: 1; padding: 0 1; background: $panel; }
    """

    def __init__(self, target: Target) -> None:
        super().__init__()
        self.target = target
        self.transcript = Transcript()
        self.drawn_at = 0.0
        """When its answers last grew."""

    def compose(self) -> ComposeResult:
        """Who, and what."""
        yield Lines(classes="heading")
        yield self.transcript

    def on_mount(self) -> None:
        """Tell when there is more below, and when keys mean this column."""
        self.watch(self.transcript, "below", self._entitle, init=False)
        self.watch(self.transcript, "has_focus", self._entitle, init=False)

    def on_resize(self, _event: Resize) -> None:
        """There is room for more of the names, or for less."""
        self._entitle()

    def _entitle(self) -> None:
        """Say who it is."""
        lines = self.query_one(".heading", Lines)
        room = max(0, self.size.width - 2)  # its own size may not be known yet
        lines.lines = (heading(self.target, room, below=self.transcript.below, here=self.transcript.has_focus),)

    def show(self, said: Iterable[tuple[str, Answering]], *, unfolded: bool) -> None:
        """Show what was said, and go to its end."""
        for prompt, answering in said:
            self.transcript.say(prompt, answering, unfolded=unfolded)

    @property
    def answers(self) -> tuple[Answer, ...]:
        """All answers, oldest first."""
        return self.transcript.answers

    @property
    def growing(self) -> bool:
        """Whether not all of its answers are drawn to their end."""
        return any(not answer.settled for answer in self.answers)

    def draw(self, at: float) -> None:
        """Let its answers grow."""
        self.drawn_at = at
        for answer in self.answers:
            answer.draw(at)
