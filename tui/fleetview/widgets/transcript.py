"""What has been said: the operator's words as they are, the model's as Markdown that grows while it is written."""

from __future__ import annotations

import time
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.reactive import var
from textual.widgets import Static

from fleetview.conversation.answering import Answering
from fleetview.conversation.files import packed
from fleetview.present.text import visible
from fleetview.widgets.answer import Answer


class Transcript(VerticalScroll):
    """All turns, newest at the bottom; stays at the bottom unless one has scrolled up."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", show=False, id="chat.down", tooltip="Scroll down."),
        Binding("k", "scroll_up", show=False, id="chat.up", tooltip="Scroll up."),
        Binding("G,end", "scroll_end", show=False, id="chat.end", tooltip="Go to the newest, and follow it."),
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

    below: var[bool] = var(False)
    """Whether there is more below than can be seen, and it is not followed."""

    def on_mount(self) -> None:
        """Stay at the bottom."""
        self.anchor()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """See what is below."""
        super().watch_scroll_y(old_value, new_value)
        self._look_below()

    def watch_virtual_size(self, _size: Size) -> None:
        """See what is below."""
        self._look_below()

    def _look_below(self) -> None:
        """Whether somebody who scrolled up misses something."""
        self.below = self._anchor_released and round(self.scroll_y) < self.max_scroll_y

    async def say(self, prompt: str, answering: Answering, *, unfolded: bool = False, follow: bool = True) -> Answer:
        """Show a prompt and where its answer goes."""
        answer = Answer(answering, unfolded=unfolded)
        await self.mount(Static(Content(visible(packed(prompt)[0])), classes="said"), answer)
        if follow:
            self.anchor()
        await answer.draw(time.monotonic())
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

    @property
    def answers(self) -> tuple[Answer, ...]:
        """All answers, oldest first."""
        return tuple(child for child in self.children if isinstance(child, Answer))
