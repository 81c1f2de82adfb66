"""A small dialog: are you sure? The safe answer is the one that is chosen at first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.reactive import reactive
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from fleetview.present import plain
from fleetview.screens.desk import LOOK_SECONDS
from fleetview.widgets.dialog import Dialog
from fleetview.widgets.toned import contents

Told = tuple[tuple[str, ...], bool]
"""What it would do, and whether it can still be done."""


class Answers(Widget):
    """No and yes, one of them chosen."""

    DEFAULT_CSS = """
    Answers { height: 1; width: 1fr; content-align: center middle; }
    """

    chosen: reactive[bool] = reactive(False)

    def __init__(self, yes: str) -> None:
        super().__init__()
        self._yes = yes

    def render(self) -> Content:
        """Both answers with their keys; the chosen one stands out without colour too."""
        return Content("   ").join([self._answer("n", "no", False), self._answer("y", self._yes, True)])

    def _answer(self, key: str, word: str, means: bool) -> Content:
        """One answer."""
        label = word if word.startswith(key) else f"{key} {word}"
        return Content.styled(f"▸ {label} ", "bold reverse") if self.chosen is means else Content(f"  {label} ")


class Confirm(ModalScreen[bool]):
    """Asks before something that cannot be taken back; Enter alone says no."""

    CSS_PATH = "confirm.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (18, "-tall")]  # noqa: RUF012 -- as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,escape", "answer(False)", "no", id="confirm.no", tooltip="Leave everything as it is."),
        Binding("y", "answer(True)", "yes", id="confirm.yes", tooltip="Do it."),
        Binding("enter", "take", "choose", id="confirm.take", tooltip="Take the answer that is chosen."),
        Binding("left,up,h,k", "choose(False)", show=False, id="confirm.previous", tooltip="Choose no."),
        Binding("right,down,l,j", "choose(True)", show=False, id="confirm.next", tooltip="Choose yes."),
        Binding("tab,shift+tab", "other", show=False, id="confirm.other", tooltip="Choose the other answer."),
    ]

    def __init__(
        self, title: str, lines: Sequence[str], yes: str = "yes", follow: Callable[[], Told] | None = None
    ) -> None:
        super().__init__()
        self._follow = follow
        """What is true just now; None: the lines stand."""
        self._is_possible = True
        self._title = title
        self._lines = tuple(lines)
        self._yes = yes
        self._seen = False
        """Whether it stands on the screen: nobody agrees to what was not shown."""
        self._early = False
        """Whether it was agreed to before that; it counts once it stands there."""

    def on_mount(self) -> None:
        """From the next picture on it can be agreed to."""
        self.call_after_refresh(self._be_seen)
        if self._follow is not None:
            self.set_interval(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        """Say what is true by now."""
        if self._follow is None or (told := self._follow()) == (self._lines, self._is_possible):
            return
        self._lines, self._is_possible = told
        self.query_one("#lines", Static).update(contents(((plain(line), "plain"),) for line in self._lines))

    def _be_seen(self) -> None:
        """It stands on the screen."""
        self._seen = True
        if self._early:
            self.action_answer(True)

    def compose(self) -> ComposeResult:
        """What it is about, then the answers."""
        with Dialog("dialog") as dialog:
            dialog.border_title = Content(plain(self._title))
            if self._lines:
                yield Static(contents(((plain(line), "plain"),) for line in self._lines), id="lines")
            yield Answers(self._yes)

    def action_answer(self, yes: bool) -> None:
        """Say it."""
        self._look()
        self._early = yes and not self._seen
        if yes and not self._is_possible:
            self.app.bell()
        elif self.is_current and not self._early:
            self.dismiss(yes)

    def action_take(self) -> None:
        """Say what is chosen."""
        self.action_answer(self.query_one(Answers).chosen)

    def action_choose(self, yes: bool) -> None:
        """Choose an answer without saying it yet."""
        self.query_one(Answers).chosen = yes

    def action_other(self) -> None:
        """Choose the other answer."""
        answers = self.query_one(Answers)
        answers.chosen = not answers.chosen
