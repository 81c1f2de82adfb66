"""What has been said: the operator's words as they are, the model's as Markdown that grows while it is written."""

from __future__ import annotations

import time
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from fleetview.present.text import plain, visible
from fleetview.sections import Piece, Sections
from fleetview.widgets.formatted import Palette
from fleetview.widgets.section import Section

Mood = Literal["live", "done", "stopped", "failed"]
INTERVAL_SECONDS = 0.125
"""A growing answer is drawn again this often at most."""
REST = 3
"""Drawing rests this many times as long as it took, so that a long answer never keeps the keys waiting."""
THOUGHT_LENGTH = 200
"""Characters of the newest thoughts that are shown."""


class Answer(Vertical):
    """One answer of a model with its figures below it."""

    DEFAULT_CSS = """
    Answer {
        height: auto;
        margin-bottom: 1;
        .thoughts { color: $text-muted; text-style: italic; padding: 0 1; height: auto; display: none; }
        .figures { color: $text-muted; padding: 0 1; height: auto; }
        &.-failed .figures { color: $error; }
        &.-stopped .figures { color: $warning; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        """All that has come, safe to show and to copy."""
        self._shown = 0
        self._thoughts = ""
        self._sections = Sections()
        self._not_before = 0.0

    def compose(self) -> ComposeResult:
        """Thoughts, text, figures."""
        yield Static(classes="thoughts", markup=False)
        self._palette = Palette(self.app.theme_variables)
        self._section = Section(self._palette)
        """The one that grows."""
        yield self._section
        yield Static(classes="figures", markup=False)

    def on_mount(self) -> None:
        """Draw what comes, at a pace that the terminal can follow."""
        self._pace = self.set_interval(INTERVAL_SECONDS, self._draw)

    def add(self, text: str, thinking: str = "") -> None:
        """More of the answer has come."""
        self.text += visible(text)
        self._thoughts = (self._thoughts + visible(thinking))[-THOUGHT_LENGTH:]

    def say(self, figures: str, mood: Mood = "live") -> None:
        """Show the figures below the text."""
        self.query_one(".figures", Static).update(Content(plain(figures)), layout=mood != "live")
        self.set_class(mood == "stopped", "-stopped")
        self.set_class(mood == "failed", "-failed")

    async def settle(self) -> None:
        """Draw the rest; nothing more comes."""
        self._pace.stop()
        self._not_before = 0.0
        self._thoughts = ""
        await self._draw(last=True)

    async def _draw(self, *, last: bool = False) -> None:
        """Show what has come since the last time."""
        begun = time.monotonic()
        if begun < self._not_before:
            return
        thoughts = self.query_one(".thoughts", Static)
        thoughts.display = bool(self._thoughts) and not self.text
        if thoughts.display:
            thoughts.update(Content(self._thoughts))
        if last or self._shown < len(self.text):
            new, self._shown = self.text[self._shown :], len(self.text)
            await self._append(self._sections.feed(new, last=last))
            self._not_before = time.monotonic() + REST * (time.monotonic() - begun)

    async def _append(self, pieces: tuple[Piece, ...]) -> None:
        """Let the last section grow, and begin others after it."""
        growth = ""
        for piece in pieces:
            if piece.begins:
                self._section.append(growth)
                self._section.set_class(piece.continues, "-goes-on")
                self._section, growth = Section(self._palette), ""
                await self.mount(self._section, before=".figures")
            growth += piece.text
        self._section.append(growth)

    def notify_style_update(self) -> None:
        """The theme has changed."""
        super().notify_style_update()
        self._palette = Palette(self.app.theme_variables)
        for section in self.query(Section):
            section.recolour(self._palette)


class Transcript(VerticalScroll):
    """All turns, newest at the bottom; stays at the bottom unless one has scrolled up."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", show=False, id="chat.down", tooltip="Scroll down."),
        Binding("k", "scroll_up", show=False, id="chat.up", tooltip="Scroll up."),
        Binding("G", "scroll_end", show=False, id="chat.end", tooltip="Go to the newest."),
    ]
    DEFAULT_CSS = """
    Transcript {
        height: 1fr;
        scrollbar-size: 1 1;
        padding: 1 1 0 1;
        .said { height: auto; padding: 0 1; margin-bottom: 1; border-left: outer $accent; text-style: bold; }
        .note { height: auto; padding: 0 1; margin-bottom: 1; color: $text-muted; }
        .note.-wrong { color: $error; }
    }
    """

    def on_mount(self) -> None:
        """Stay at the bottom."""
        self.anchor()

    async def say(self, prompt: str) -> Answer:
        """Show a prompt; what comes back is where its answer goes."""
        answer = Answer()
        await self.mount(Static(Content(visible(prompt)), classes="said"), answer)
        self.anchor()
        return answer

    async def note(self, text: str, *, wrong: bool = False) -> None:
        """Show something that neither of the two has said."""
        await self.mount(Static(Content(visible(text)), classes="note -wrong" if wrong else "note"))
        self.anchor()

    async def forget_last(self) -> None:
        """Take the last prompt and all that follows it away."""
        children = list(self.children)
        said = max((place for place, child in enumerate(children) if child.has_class("said")), default=len(children))
        await self.remove_children(children[said:])

    async def forget_all(self) -> None:
        """Begin anew."""
        await self.remove_children()
