"""One answer of a model, which grows while it is written, with its figures below it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.events import Resize
from textual.widgets import Static

from fleetview.conversation.answering import Answering
from fleetview.conversation.sections import Sections
from fleetview.present.chat.answers import thoughts
from fleetview.present.text import ELLIPSIS, SEPARATOR, Line, joined, plain, text_of
from fleetview.present.wrapping import flowing
from fleetview.widgets.answer_text import AnswerText
from fleetview.widgets.formatted import Palette

NEWEST = 200
"""Characters of the newest thoughts that are shown while the model thinks."""
UNFOLDED = 20_000
"""Characters of thoughts that are shown when they are unfolded."""
PORTION = 1500
"""Characters that are drawn at once at most, so that much text at once does not keep the keys waiting."""
BACKLOG = 6000
"""Of more than this, all is drawn at once: a former answer does not come piece by piece."""
FIGURES_SECONDS = 0.5
"""How often the figures of a growing answer are drawn again."""


class Answer(Vertical):
    """Shows what its `answering` has when it is told to."""

    DEFAULT_CSS = """
    Answer {
        height: auto;
        margin-bottom: 1;
        .folded { color: $text-muted; padding: 0 1; height: auto; display: none; }
        .thoughts { color: $text-muted; text-style: italic; padding: 0 1 0 3; height: auto; display: none; }
        .figures { color: $text-muted; padding: 0 1; height: auto; }
        &.-failed .figures { color: $error; }
        &.-stopped .figures, &.-interrupted .figures { color: $warning; }
    }
    """

    def __init__(self, answering: Answering, *, unfolded: bool = False) -> None:
        super().__init__()
        self.answering = answering
        self.settled = False
        """Whether all of it is drawn, and nothing more comes."""
        self._unfolded = unfolded
        self._shown = 0
        self._thought = -1
        """Characters of thoughts when they were drawn last."""
        self._figures_at: float | None = None
        self._told = False
        """Whether the figures were drawn since the text began."""
        self._sections = Sections()
        self._wide = 0
        """Cells for which the figures were put into lines."""

    def compose(self) -> ComposeResult:
        """Thoughts, text, figures."""
        yield Static(classes="folded", markup=False)
        yield Static(classes="thoughts", markup=False)
        self._palette = Palette(self.app.theme_variables)
        self._text = AnswerText(self._palette)
        yield self._text
        yield Static(classes="figures", markup=False)

    def unfold(self, unfolded: bool, at: float) -> None:
        """Show the thoughts, or a line that stands for them."""
        self._unfolded, self._thought = unfolded, -1
        self._draw_thoughts(at)

    async def draw(self, at: float) -> None:
        """Show what has come since the last time."""
        if self.settled or not self.is_attached:
            return
        answering = self.answering
        ended = not answering.writing
        self._draw_thoughts(at)
        backlog = len(answering.text) - self._shown
        portion = PORTION if backlog <= BACKLOG else backlog
        new = answering.text[self._shown : self._shown + portion]
        self._shown += len(new)
        last = ended and self._shown == len(answering.text)
        if new or last:
            self._text.append(self._sections.feed(new, last=last))
        self._draw_figures(at, last=last)
        self.settled = last

    def _draw_thoughts(self, at: float) -> None:
        """The line that stands for the thoughts, and as much of them as is to be seen."""
        answering = self.answering
        if not answering.thinking:
            return
        busy = answering.writing and not answering.text
        line, box = self.query_one(".folded", Static), self.query_one(".thoughts", Static)
        line.display = True
        line.update(Content(thoughts(answering.progress, answering.thinking, at, unfolded=self._unfolded)))
        box.display = self._unfolded or busy
        if box.display and self._thought != len(answering.thinking):
            self._thought = len(answering.thinking)
            limit = UNFOLDED if self._unfolded else NEWEST
            newest = answering.thinking.strip()
            box.update(Content(newest if len(newest) <= limit else ELLIPSIS + newest[-limit:]))

    def _draw_figures(self, at: float, *, last: bool) -> None:
        """How far it is, or how it went."""
        begun = self._shown > 0 and not self._told  # what is read must not be said to be waited for
        if not last and not begun and self._figures_at is not None and at - self._figures_at < FIGURES_SECONDS:
            return
        self._told = self._told or begun
        self._figures_at = at
        self._write_figures(at)
        for state in ("stopped", "failed", "interrupted"):
            self.set_class(last and self.answering.state == state, f"-{state}")

    def _write_figures(self, at: float) -> None:
        """The figures in as many lines as they take, none of them torn from its unit."""
        parts: tuple[Line, ...] = tuple(
            ((part, "plain"),) for part in plain(self.answering.remark(at)).split(SEPARATOR)
        )
        room = self.size.width - 2
        lines = flowing(parts, room, indent=0) if room > 0 else (joined(parts),)
        for figures in self.query(".figures").results(Static):  # none once the answer has been taken away
            figures.update(Content("\n".join(text_of(line) for line in lines)))

    def on_resize(self, event: Resize) -> None:
        """There is room for more figures in a line, or for fewer."""
        if event.size.width != self._wide and self._figures_at is not None:
            self._write_figures(self._figures_at)
        self._wide = event.size.width

    def notify_style_update(self) -> None:
        """The theme has changed."""
        super().notify_style_update()
        self._palette = Palette(self.app.theme_variables)
        for text in self.query(AnswerText):
            text.recolour(self._palette)
