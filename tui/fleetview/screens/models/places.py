"""Where does it fit? Every node for one model with a context of one's choice; Enter loads it there, or copies it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from fleetview.fleet import Fleet
from fleetview.models import picking
from fleetview.models.fitting import Place, goodness, said
from fleetview.models.inventory import Entry, Inventory
from fleetview.present import plain
from fleetview.present.models import places as words
from fleetview.present.operations.plans import costs
from fleetview.present.text import Line
from fleetview.present.wrapping import within
from fleetview.screens.confirm import Confirm
from fleetview.screens.desk import LOOK_SECONDS, Desk
from fleetview.screens.models.question import Question
from fleetview.widgets.key_hints import KeyHints
from fleetview.widgets.lines import Lines
from fleetview_agent.wire import Order, Plan

DEBOUNCE_SECONDS = 0.12
"""A context has to rest this long before it is asked for."""
MESSAGE_ROWS = 2
"""As many as the style sheet allows for what Enter would do."""
AT_ONCE = 16
"""Nodes that are asked at the same time."""


@dataclass(frozen=True)
class Chosen:
    """What Enter agreed to."""

    node: str
    request: Order | None = None
    """None: the model is to be copied there."""


class Places(ModalScreen[Chosen | None]):
    """Hands back the node, and the swap that was agreed to as its plan was shown; None when nothing was."""

    CSS_PATH = "places.tcss"
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-short"), (16, "-tall")]  # noqa: RUF012 - as Textual has it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "load or copy", id="places.take", tooltip="Load it there, or copy it there first."),
        Binding("left", "shorten", "context", id="places.shorter", tooltip="Half the context."),
        Binding("right", "lengthen", "context", id="places.longer", tooltip="Twice the context."),
        Binding("down,j", "move(1)", show=False, id="move.down", tooltip="The next node."),
        Binding("up,k", "move(-1)", show=False, id="move.up", tooltip="The node before."),
        Binding("pagedown", "move(8)", show=False, id="move.page_down", tooltip="A page down."),
        Binding("pageup", "move(-8)", show=False, id="move.page_up", tooltip="A page up."),
        Binding("g,home", "move(-10000)", show=False, id="move.first", tooltip="The best place."),
        Binding("G,end", "move(10000)", show=False, id="move.last", tooltip="The last node."),
        Binding("escape,q,f", "cancel", "close", id="places.cancel", tooltip="Leave everything as it is."),
    ]

    def __init__(self, entry: Entry, inventory: Inventory, fleet: Fleet, desk: Desk, now: float) -> None:
        super().__init__()
        self._fleet = fleet
        self._entry = entry
        self._inventory = inventory
        self._desk = desk
        self._ahead = now - time.monotonic()
        """How far the app's clock is before the real one."""
        self._tokens = min(entry.trained or picking.USUAL_CONTEXT, picking.USUAL_CONTEXT)
        self._places: dict[str, Place] = {}
        self._asking: frozenset[str] = frozenset()
        """Nodes that have not answered yet since the context was chosen; until they have, the best place goes first."""
        self._order: tuple[str, ...] = tuple(fleet)
        self._at: str | None = None
        """The highlighted node; None: the best, until the operator moves."""

    def compose(self) -> ComposeResult:
        """Context, nodes, what Enter would do, keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content(f"Where {plain(self._entry.name, 60)} fits")
            yield Lines(id="settings")
            yield Lines(id="rows")
            yield Lines(id="details")
            yield Static(id="message", markup=False)
            yield KeyHints()

    def on_mount(self) -> None:
        """Ask every node."""
        self._begin()
        self.set_interval(LOOK_SECONDS, self._look)

    def on_resize(self) -> None:
        """There is room for more, or for less."""
        self.call_after_refresh(self._show)

    def _begin(self) -> None:
        """Ask anew, with the context as it is chosen now."""
        self._places = {}
        self._asking = frozenset(self._fleet)
        self._sort()
        self._show()
        self.run_worker(self._ask(self._asking, DEBOUNCE_SECONDS), group="plans", exclusive=True)

    def _look(self) -> None:
        """Follow the fleet: what a node said before something was done to it is worth nothing."""
        old, new = self._fleet, self._desk.fleet()
        changed = {name for name, node in new.items() if name not in old or said(node) != said(old[name])}
        if not changed and new.keys() == old.keys():
            return
        self._at = self.at  # from now on no news moves the highlight, nor any row
        self._fleet = new
        self._inventory = self._inventory.renewed(new)
        self._entry = self._inventory.entries.get(self._entry.key, self._entry)
        self._places = {name: place for name, place in self._places.items() if name in new and name not in changed}
        self._order = tuple(dict.fromkeys((*(name for name in self._order if name in new), *new)))
        self._show()
        self.run_worker(self._ask(changed), group="news")

    async def _ask(self, names: Collection[str], wait: float = 0.0) -> None:
        """Ask these nodes at the same time, and show each answer as it comes."""
        await asyncio.sleep(wait)
        gate = asyncio.Semaphore(AT_ONCE)
        question = Question(self._entry, self._inventory, self._tokens, self._desk)

        async def learn(name: str) -> None:
            async with gate:
                if (node := self._fleet.get(name)) is None:
                    return
                place = await question.place(node)
            now = self._fleet.get(name)
            if now is None or said(now) != said(node) or question.tokens != self._tokens:
                return
            self._places[name] = place
            if name in self._asking:
                self._asking -= {name}
                self._sort()
            self._show()

        await asyncio.gather(*map(learn, names))

    @property
    def _now(self) -> float:
        """By the app's clock, for ages."""
        return self._ahead + time.monotonic()

    @property
    def _sources(self) -> tuple[str, ...]:
        """The connected nodes from which it could be copied."""
        holders = self._inventory.holders(self._entry.key) if self._entry.size_bytes else ()
        return tuple(name for name in holders if name in self._fleet and self._fleet[name].current)

    @property
    def at(self) -> str | None:
        """The highlighted node."""
        return self._at if self._at in self._order else next(iter(self._order), None)

    def _sort(self) -> None:
        """Put the best place first."""
        last = Place("", problem="")  # who was not heard comes after all that were, in the order of the fleet
        self._order = tuple(sorted(self._fleet, key=lambda name: goodness(self._places.get(name, last))))

    def _show(self) -> None:
        """Show what is known."""
        if not self.is_attached or not self.query(Lines):
            return
        look = words.Look(self._entry, self._tokens, self._sources)
        settings, rows, details = (self.query_one(f"#{name}", Lines) for name in ("settings", "rows", "details"))
        at = self._order.index(self.at) if self.at else 0
        seen = words.window(len(self._order), at, max(1, self._room))
        view = words.in_view(seen, len(self._order))
        settings.lines = (words.settings(look, settings.size.width, view),)
        rows.lines = self._rows(look, rows.size.width, seen, at)
        if (node := self._fleet.get(self.at or "")) is not None:
            details.lines = words.details(self._places.get(node.name), node, self._now, details.size.width)
        self._say()
        self.refresh_bindings()

    @property
    def _room(self) -> int:
        """Nodes that there is room for."""
        return self.size.height - (7 if self.has_class("-short") else 13)

    def _rows(self, look: words.Look, width: int, seen: range, at: int) -> tuple[Line, ...]:
        """The heading, and the nodes in view."""
        lines: list[Line] = [words.heading(self._order, width)]
        for place in seen:
            name = self._order[place]
            line = words.row(self._places.get(name), self._fleet[name], look, self._order, self._now, width)
            lines.append((("▸ " if place == at else "  ", "accent"), *(_bold(line) if place == at else line)))
        return tuple(lines)

    def _say(self) -> None:
        """What Enter would do, or why it does nothing."""
        message = self.query_one("#message", Static)
        message.update(Content(within(plain(self._doing()), message.size.width or 80, MESSAGE_ROWS)))
        message.remove_class("insisted")

    def _doing(self) -> str:
        """The same in words."""
        if self._desk.readonly:
            return "read-only: nothing is loaded from here"
        if (place := self._places.get(self.at or "")) is None:
            return "asking …"
        if place.resident:
            return f"It is in memory on {place.node} with this context already."
        if place.problem is not None:
            return f"{place.node} is not connected."
        if place.unknown:
            return (
                f"enter shows what copying it to {place.node} would take" if self._sources else "It cannot come here."
            )
        if (plan := place.best) is None or not place.fits:
            return plan.refusal if plan is not None and plan.refusal else place.lack or "It does not fit here."
        return f"enter loads it on {place.node}" + (f"; {len(plan.evictions)} would leave" if plan.evictions else "")

    @property
    def _able(self) -> bool:
        """Whether Enter would do something."""
        place = self._places.get(self.at or "")
        if place is None or place.resident or place.problem is not None or self._desk.readonly:
            return False
        return bool(self._sources) if place.unknown else place.fits

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's signature
        """A read-only dashboard loads nothing."""
        return not (action == "take" and self._desk.readonly)

    def action_take(self) -> None:
        """Agree to the plan that is shown, or insist on why it cannot be."""
        place = self._places.get(self.at or "")
        if place is None or not self._able or not self.is_current:
            self.query_one("#message", Static).add_class("insisted")
            self.app.bell()
        elif place.unknown:
            self.dismiss(Chosen(place.node))
        elif place.best is not None:
            self._agree(place.node, place.best)

    def _agree(self, node: str, plan: Plan) -> None:
        """Agree; where it costs somebody something, once more."""
        chosen = Chosen(node, plan.request)
        if not (lines := costs(plan, self._fleet[node])):
            self.dismiss(chosen)
            return

        def answered(agreed: bool | None) -> None:
            if agreed:
                self.dismiss(chosen)

        title = f"Load {plain(self._entry.name, 60)} on {node}?"
        self.app.push_screen(Confirm(title, lines, "load it all the same"), answered)

    def action_lengthen(self) -> None:
        """Twice the context, up to what the model was trained for."""
        self._turn(lambda: picking.longer(self._tokens, self._entry.trained))

    def action_shorten(self) -> None:
        """Half the context."""
        self._turn(lambda: picking.shorter(self._tokens))

    def _turn(self, step: Callable[[], int]) -> None:
        """Another context."""
        if (context := step()) != self._tokens:
            self._tokens = context
            self._begin()

    def action_move(self, rows: int) -> None:
        """Highlight a node further down, or up."""
        if self._order:
            place = self._order.index(self.at or self._order[0])
            self._at = self._order[min(max(place + rows, 0), len(self._order) - 1)]
            self._show()

    def action_cancel(self) -> None:
        """Agree to nothing."""
        if self.is_current:
            self.dismiss(None)


def _bold(line: Line) -> Line:
    """The line of the highlighted node."""
    return tuple((text, "strong" if tone == "plain" else tone) for text, tone in line)
