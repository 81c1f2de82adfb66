"""Who is asked? The models that are in memory anywhere in the fleet, one or several of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Resize
from textual.reactive import var
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from fleetview.chats.records import Target
from fleetview.fleet import Fleet
from fleetview.models.offers import Offer, is_group, matching, offers
from fleetview.present import count
from fleetview.present.chat.lists import target_heading, target_line
from fleetview.present.text import Line
from fleetview.widgets.choices import Choices
from fleetview.widgets.key_hints import KeyHints
from fleetview.widgets.lines import Lines
from fleetview.widgets.remark import Remark
from fleetview.widgets.search_line import SearchLine

EMPTY = "No model is in memory anywhere; load one with s in the fleet view."
NONE_FOUND = "Nothing matches; parts of names, @all, @role:NAME and @tag:NAME do."
GROUPS = "@all, @role:NAME and @tag:NAME mean several models."
NOBODY = "Tick a model that can be asked."


class TargetLine(SearchLine):
    """Takes parts of names, or a group of nodes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.take", "ask these", id="targets.take", tooltip="Ask the ticked models from now on."),
        Binding("space", "screen.tick", "tick", id="targets.tick", tooltip="Tick the row, or all that @… means."),
        Binding("down", "screen.move(1)", show=False, id="targets.down", tooltip="The next model."),
        Binding("up", "screen.move(-1)", show=False, id="targets.up", tooltip="The model before."),
        Binding("pagedown", "screen.page(1)", show=False, id="targets.page_down", tooltip="A page down."),
        Binding("pageup", "screen.page(-1)", show=False, id="targets.page_up", tooltip="A page up."),
    ]


class ChatTargets(ModalScreen[tuple[Target, ...] | None]):
    """Hands back the models that are to be asked, in the order of the fleet; None when nothing changes."""

    CSS_PATH = "dialogs.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (16, "-tall")]  # noqa: RUF012 -- as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "cancel", id="targets.cancel", tooltip="Clear what is typed, then close."),
    ]

    fleet: var[Fleet] = var(dict, init=False)
    """The fleet as it is; the dialog follows it."""

    def __init__(self, fleet: Fleet, chosen: Sequence[Target] = ()) -> None:
        super().__init__()
        self.set_reactive(ChatTargets.fleet, fleet)
        self._asked = tuple(chosen)
        """Who is asked now."""
        self._ticked = frozenset(chosen)

    def compose(self) -> ComposeResult:
        """What is typed, the models, the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content("Ask which models?")
            with Horizontal(id="search"):
                yield Static("> ", id="sign")
                yield TargetLine("part of a name")
                yield Static(id="found", markup=False)
            yield Lines(id="heading")
            yield Choices[Offer](self._line, lambda offer: offer.target)
            yield Remark()
            yield KeyHints()

    def on_mount(self) -> None:
        """Show all of them."""
        self.query_one(TargetLine).focus()
        self._show()

    def on_resize(self, _event: Resize) -> None:
        """The titles stand over their columns."""
        self.call_after_refresh(self._show_heading)

    def watch_fleet(self) -> None:
        """Models come and go, and so do their figures."""
        if self.is_mounted:
            self._show()

    @on(Input.Changed)
    def _show(self) -> None:
        """Show the models that are meant."""
        known = offers(self.fleet, self._asked)
        rows = matching(known, self._typed)
        self.query_one(Choices).show(rows)
        self.query_one("#found", Static).update(f"{len(self._ticked)} ticked")
        self._show_heading()
        remark = self.query_one(Remark)
        if not rows:
            remark.say(NONE_FOUND if known else EMPTY, wrong=True)
        elif is_group(self._typed):
            remark.say(f"space ticks {count(len(_able(rows)), 'model')}", wrong=False)
        else:
            remark.say(GROUPS, wrong=False)

    def _show_heading(self) -> None:
        """The titles of the columns."""
        heading = self.query_one("#heading", Lines)
        heading.lines = (target_heading(heading.size.width),)

    def _line(self, offer: Offer, width: int, here: bool) -> Line:
        """One model."""
        return target_line(offer, width, ticked=offer.target in self._ticked, here=here)

    @property
    def _typed(self) -> str:
        """What is typed."""
        return self.query_one(TargetLine).value

    def action_tick(self) -> None:
        """Tick the row, or everything that a group means; once more: no longer."""
        choices: Choices[Offer] = self.query_one(Choices)
        if is_group(self._typed):
            meant = _able(choices.rows)
            self._ticked = self._ticked - meant if meant <= self._ticked else self._ticked | meant
            self.query_one(TargetLine).clear()
        elif (offer := choices.chosen) is not None:
            target = offer.target
            if target in self._ticked:
                self._ticked -= {target}
            elif offer.refusal is None:
                self._ticked |= {target}
                choices.move(1)
            else:
                self.app.bell()
        self._show()

    def action_take(self) -> None:
        """Hand the ticked models back; without any, the chosen row."""
        if not self.is_current:
            return
        choices: Choices[Offer] = self.query_one(Choices)
        ticked = self._ticked | _able(choices.rows) if is_group(self._typed) else self._ticked
        chosen = choices.chosen
        if not ticked and chosen is not None and chosen.refusal is None:
            ticked = frozenset({chosen.target})
        able = tuple(offer.target for offer in offers(self.fleet) if not offer.refusal and offer.target in ticked)
        if able:
            self.dismiss(able)
        else:
            self.query_one(Remark).say(NOBODY, wrong=True)
            self.app.bell()

    def action_move(self, by: int) -> None:
        """Another row."""
        self.query_one(Choices).move(by)

    def action_page(self, pages: int) -> None:
        """A row a page away."""
        self.query_one(Choices).page(pages)

    def action_back(self) -> None:
        """Clear what is typed, then close."""
        if self._typed:
            self.query_one(TargetLine).clear()
        elif self.is_current:
            self.dismiss(None)


def _able(rows: Sequence[Offer]) -> frozenset[Target]:
    """Those that can be asked."""
    return frozenset(offer.target for offer in rows if offer.refusal is None)
