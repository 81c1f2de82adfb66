"""Where does it fit? Every node for one model with a context of one's choice; Enter loads it there, or copies it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from fleetview.fleet import Fleet, NodeState
from fleetview.messages import RequestFailed
from fleetview.models import picking
from fleetview.models.fitting import Place, goodness, planned
from fleetview.models.inventory import Entry, Inventory
from fleetview.present import plain
from fleetview.present.measures import memory_free
from fleetview.present.models import places as words
from fleetview.present.operations.plans import costs
from fleetview.present.text import Line
from fleetview.screens.confirm import Confirm
from fleetview.screens.desk import Desk
from fleetview.widgets.key_hints import KeyHints
from fleetview.widgets.lines import Lines
from fleetview_agent.wire import Order, Plan, SwapRequest

DEBOUNCE_SECONDS = 0.12
"""A context has to rest this long before it is asked for."""
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
        Binding("enter", "take", "load it there", id="places.take", tooltip="Load it there, or copy it there first."),
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
        self._now = now
        self._tokens = min(entry.trained or picking.USUAL_CONTEXT, picking.USUAL_CONTEXT)
        self._places: dict[str, Place] = {}
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

    def on_resize(self) -> None:
        """There is room for more, or for less."""
        self.call_after_refresh(self._show)

    def _begin(self) -> None:
        """Ask anew, with the context as it is chosen now."""
        self._places = {}
        self._show()
        self.run_worker(self._ask_all(), group="plans", exclusive=True)

    async def _ask_all(self) -> None:
        """Ask all nodes at the same time, and show each answer as it comes."""
        await asyncio.sleep(DEBOUNCE_SECONDS)
        gate = asyncio.Semaphore(AT_ONCE)

        async def learn(node: NodeState) -> None:
            async with gate:
                self._places[node.name] = await self._place(node)
            self._show()

        await asyncio.gather(*(learn(node) for node in self._fleet.values()))

    async def _place(self, node: NodeState) -> Place:
        """What one node has to say."""
        if not node.current or node.machine is None:
            return Place(node.name, problem=node.reason or "it is not connected")
        choice = self._choice(node)
        if choice is None:
            return Place(node.name, unknown=True, room_now=memory_free(node))
        if choice.refusal is not None:
            return Place(node.name, choice.name, lack=choice.refusal)
        try:
            beside = await self._desk.plan(node.name, self._request(choice, "none"))
            instead = await self._desk.plan(node.name, self._request(choice, "auto"))
        except RequestFailed as failed:
            return Place(node.name, choice.name, lack=str(failed))
        return planned(node.name, choice.name, beside, instead)

    def _choice(self, node: NodeState) -> picking.Choice | None:
        """The way of running the file on the node: one that works, where there is one."""
        names = {one.name for one in self._inventory.held(node.name, self._entry.key)}
        rows = [row for row in picking.choices(node) if row.name in names]
        return next((row for row in rows if row.refusal is None), rows[0] if rows else None)

    def _request(self, choice: picking.Choice, evict: str) -> SwapRequest:
        """The swap that would put it there."""
        return picking.request(choice, self._desk.author, self._tokens, evict)

    @property
    def _sources(self) -> tuple[str, ...]:
        """The connected nodes from which it could be copied."""
        holders = self._inventory.holders(self._entry.key) if self._entry.size_bytes else ()
        return tuple(name for name in holders if name in self._fleet and self._fleet[name].current)

    @property
    def at(self) -> str | None:
        """The highlighted node."""
        return self._at if self._at in self._order else next(iter(self._order), None)

    def _show(self) -> None:
        """Show what is known, the best place first."""
        if not self.is_attached or not self.query(Lines):
            return
        last = Place("", problem="")  # who was not heard comes after all that were, in the order of the fleet
        self._order = tuple(sorted(self._fleet, key=lambda name: goodness(self._places.get(name, last))))
        look = words.Look(self._entry, self._tokens, self._sources)
        settings, rows, details = (self.query_one(f"#{name}", Lines) for name in ("settings", "rows", "details"))
        settings.lines = (words.settings(look, settings.size.width),)
        rows.lines = self._rows(look, rows.size.width, max(1, self._room))
        if (node := self._fleet.get(self.at or "")) is not None:
            details.lines = words.details(self._places.get(node.name), node, self._now, details.size.width)
        self._say()
        self.refresh_bindings()

    @property
    def _room(self) -> int:
        """Nodes that there is room for."""
        return self.size.height - (7 if self.has_class("-short") else 13)

    def _rows(self, look: words.Look, width: int, height: int) -> tuple[Line, ...]:
        """The heading, and the nodes in view."""
        at = self._order.index(self.at) if self.at else 0
        lines: list[Line] = [words.heading(self._order, width)]
        for place in words.window(len(self._order), at, height):
            name = self._order[place]
            line = words.row(self._places.get(name), self._fleet[name], look, self._order, self._now, width)
            lines.append((("▸ " if place == at else "  ", "accent"), *(_bold(line) if place == at else line)))
        return tuple(lines)

    def _say(self) -> None:
        """What Enter would do, or why it does nothing."""
        message = self.query_one("#message", Static)
        message.update(Content(plain(self._doing())))
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
