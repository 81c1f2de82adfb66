"""Every model on every node: a matrix, and the selected cell below."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Hashable, Mapping
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.widgets import Input

from fleetview.fleet import NodeState
from fleetview.models import inventory
from fleetview.models.inventory import Entry, Inventory
from fleetview.present.models import matrix, matrix_panel
from fleetview.present.models.matrix_cells import Table, engines
from fleetview.screens.desk import Desk
from fleetview.screens.models.cell_verdicts import CellVerdicts
from fleetview.screens.models.moves import Moving, copy, fit
from fleetview.screens.node_actions import NodeActions
from fleetview.widgets.filter_line import FilterLine, filter_key
from fleetview.widgets.key_bar import KeyBar
from fleetview.widgets.lines import Lines
from fleetview.widgets.model_matrix import ModelMatrix, Place
from fleetview.wishes.subject import Subject

REST_SECONDS = 0.25
"""The selection has to rest this long before it is asked whether the model fits."""
_HINT = "parts of a name, !not"


class ModelsScreen(NodeActions):
    """What the fleet could run, and what runs where."""

    CSS_PATH = "models.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (15, "-tall")]  # noqa: RUF012 -- as Textual declares it
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (60, "-roomy")]  # noqa: RUF012 -- as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "fit", "where it fits", id="model.fit", tooltip="Where in the fleet the model fits."),
        filter_key("filter", "Show only models that match."),
        Binding("space", "mark", "mark", id="row.mark", tooltip="Mark the model on the node; verbs act on all marked."),
        Binding("o", "sort_by", "sort", id="view.sort", tooltip="Put the models in another order."),
        Binding("asterisk", "mark_all", "mark all", show=False, id="row.mark_all", tooltip="Mark all on the node."),
        Binding("escape,backspace", "clear", show=False, id="view.clear", tooltip="Show all; no marks; then back."),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._inventory = Inventory()
        self._order = ("name", False)
        self._filter = ""
        self._marked: frozenset[Place] = frozenset()
        self._arranged: object = None
        """What the rows were made of."""
        self._framed: object = None
        """What stands above and below them was made of."""
        self._rows: tuple[Entry, ...] = ()
        self._letters: dict[str, str] = {}
        self._verdicts = CellVerdicts(desk.plan, desk.author)
        self._asked: object = None
        """For what it was asked last whether it fits."""

    @property
    def matrix(self) -> ModelMatrix:
        """The rows."""
        return self.query_one(ModelMatrix)

    @property
    def node(self) -> NodeState | None:
        """The selected node."""
        return self.fleet.get(self.matrix.node or "") if self.is_mounted else None

    @property
    def entry(self) -> Entry | None:
        """The selected model."""
        return self.matrix.entry if self.is_mounted else None

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """The marked cells that can be seen, row by row; without any the selected one."""
        if (marked := tuple(self.marks.values())) or (entry := self.entry) is None:
            return marked or super().subjects
        return tuple(filter(None, (self._subject(entry, self.matrix.node or ""),)))

    @property
    def marks(self) -> Mapping[Hashable, Subject]:
        """The marked cells that can be seen, row by row."""
        keys = {key for key, _ in self._marked} if self.is_mounted else set()
        rows = [entry for entry in self._rows if entry.key in keys] if keys else ()
        cells = ((entry, name) for entry in rows for name in self.fleet if (entry.key, name) in self._marked)
        return {(one.key, name): about for one, name in cells if (about := self._subject(one, name))}

    def unmark(self, marks: Collection[Hashable]) -> None:
        """Take these marks away."""
        self._mark(self._marked.difference(marks))

    def _subject(self, entry: Entry, node: str) -> Subject | None:
        """One cell as verbs take it: by the engine that has the model in memory, or owns its file."""
        if (state := self.fleet.get(node)) is None:
            return None
        held = inventory.chosen(self._inventory.held(node, entry.key), state)
        return Subject(state, held.backend, held.file.name) if held else Subject(state, None, entry.name)

    def why_not(self, action: str) -> str | None:
        """Why a key does nothing just now."""
        if action == "fit":
            return None if self.entry else "no model is selected"
        if action == "copy":
            return moving.no_copy if (moving := self._moving) else "no model is selected"
        return super().why_not(action)

    def compose(self) -> ComposeResult:
        """Title, nodes, models, the selected cell, what the signs mean, keys."""
        yield Lines(id="title")
        yield Lines(id="nodes")
        yield ModelMatrix()
        yield Lines(id="cell")
        yield Lines(id="legend")
        yield FilterLine(_HINT, "clear")
        yield KeyBar()

    def on_mount(self) -> None:
        """The matrix has the keys."""
        self.matrix.focus()

    def on_resize(self, _event: Resize) -> None:
        """Everything follows the size."""
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Show the models as they are."""
        self._arrange()
        table = Table(self.shown, self._inventory, self._letters, self.shown_at)
        known = self._inventory.entries
        self._marked = frozenset(place for place in self._marked if place[0] in known and place[1] in self.shown)
        self.matrix.show(table, self._rows, self._marked)
        self._draw_frame(table)
        self._draw_cell(table)

    def _arrange(self) -> None:
        """Make rows anew where there are other models, or another order or filter."""
        self._inventory = self._inventory.renewed(self.shown)
        arranged = (self._inventory.entries, self._order, self._filter)
        if arranged != self._arranged:
            self._arranged = arranged
            self._letters = dict(engines(self._inventory.shelves.values()))
            by, reverse = self._order
            found = inventory.matching(self._inventory.entries.values(), self._filter)
            self._rows = inventory.ordered(found, by, reverse=reverse)

    def _draw_frame(self, table: Table) -> None:
        """What stands above and below the rows."""
        width, grid = self.size.width, self.matrix.grid
        place = (grid, self.matrix.node, width, self._marked, self._signs())
        if (framed := (self.shown_at, self._arranged, place)) == self._framed:
            return
        self._framed = framed
        by, reverse = self._order
        total = len(self._inventory.entries)
        seen = {entry.key for entry in self._rows} if self._marked else set()
        hidden = sum(key not in seen for key, _ in self._marked)
        marked = (len(self._marked), hidden)
        look = matrix.Look(len(self._rows), total, self._filter, by, reverse, *marked, self._signs())
        self.query_one("#title", Lines).lines = (matrix.title(look, grid, self.shown, width),)
        high = not self.has_class("-short")
        below = matrix.standing(grid, self.shown, self.shown_at, width, high=high)
        above = (matrix.heading(grid, self.matrix.node, width), below)
        self.query_one("#nodes", Lines).lines = tuple(filter(None, above))
        self.query_one("#legend", Lines).lines = (matrix.legend(table.letters, grid, width),)

    def _signs(self) -> tuple[str, ...]:
        """What is unusual about the picture."""
        demo = any(node.machine and node.machine.simulated for node in self.shown.values())
        signs = (("DEMO", demo), ("paused", self.paused), ("read-only", self.desk.readonly))
        return tuple(sign for sign, holds in signs if holds)

    def _draw_cell(self, table: Table) -> None:
        """Show the selected model on the selected node."""
        widget = self.query_one("#cell", Lines)
        entry, node = self.matrix.entry, self.shown.get(self.matrix.node or "")
        self.set_class(entry is None, "-empty")
        if entry is None or node is None:
            widget.lines = matrix_panel.emptiness(self._filter, self.shown)
            return
        width, height = widget.content_size
        cell = matrix_panel.Cell(entry, node, self._verdict(entry, node))
        if not self.matrix.grid.nodes:
            marked = frozenset(name for key, name in self._marked if key == entry.key)
            widget.lines = matrix_panel.nodes(cell, table, marked, width, height)
        else:
            widget.lines = matrix_panel.panel(cell, table, width, height)

    def _verdict(self, entry: Entry, node: NodeState) -> matrix_panel.Verdict | None:
        """Whether it fits, where that is a question; asked for once the selection rests."""
        held = inventory.chosen(self._inventory.held(node.name, entry.key), node)
        if held is None or held.resident is not None or not node.current:
            return None
        if (known := self._verdicts.known(node, held, self.shown_at)) is None:
            asked = (node.name, held.name, id(node.backends))
            if asked != self._asked:
                self._asked = asked
                self._learn(node, held)
            return matrix_panel.Verdict()
        self._asked = None
        return known

    @work(exclusive=True, group="verdict")
    async def _learn(self, node: NodeState, held: inventory.Held) -> None:
        """Ask whether the model of the cell fits."""
        await asyncio.sleep(REST_SECONDS)
        await self._verdicts.learn(node, held, self.now)
        if self.is_current:
            self.draw()

    @on(ModelMatrix.Selected)
    def select(self) -> None:
        """Moving the selection is opening the detail."""
        if self.shown:
            table = Table(self.shown, self._inventory, self._letters, self.shown_at)
            self._draw_frame(table)
            self._draw_cell(table)
        self.renew_keys()

    def action_filter(self) -> None:
        """Ask for parts of a name."""
        self.add_class("-filtering")
        self.set_focus(self.query_one("#filter", Input))  # at once: the next key is a letter of it

    @on(Input.Changed, "#filter")
    def narrow(self, event: Input.Changed) -> None:
        """Show only models that match."""
        self._filter = event.value.strip()
        self.draw()

    @on(Input.Submitted, "#filter")
    def keep(self) -> None:
        """Back to the matrix; the filter stays."""
        self.remove_class("-filtering")
        self.matrix.focus()

    async def action_clear(self) -> None:
        """Show all models again; where all are shown, take the marks away; without any, a step back."""
        typed = self.query_one("#filter", Input)
        if typed.value or self.has_class("-filtering"):
            typed.value = ""
            self.keep()
        elif self._marked:
            self._mark(frozenset())
        else:
            await self.run_action("app.back")

    def action_mark(self) -> None:
        """Mark the selected cell, or no longer, and go on to the next model."""
        if (entry := self.entry) is not None and self.matrix.node is not None:
            self._mark(self._marked ^ {(entry.key, self.matrix.node)})
            self.matrix.action_move(1)

    def action_mark_all(self) -> None:
        """Mark all models in view that the selected node has; where all are marked, none."""
        name = self.matrix.node or ""
        there = frozenset((entry.key, name) for entry in self._rows if self._inventory.held(name, entry.key))
        self._mark(self._marked - there if there <= self._marked else self._marked | there)

    def _mark(self, places: frozenset[Place]) -> None:
        """Mark these and no others."""
        self._marked = places
        self.draw()
        self.renew_keys()

    @work(exclusive=True, group="dialog")
    async def action_sort_by(self) -> None:
        """Ask for an order; the one that there is: the other way round."""
        from fleetview.screens.sort_models import SortModels  # the first paint does not wait for dialogs

        if (by := await self.app.push_screen_wait(SortModels())) is not None:
            self._order = (by, not self._order[1] if by == self._order[0] else False)
            self.draw()

    @property
    def _moving(self) -> Moving | None:
        """The selected model, as it can be brought elsewhere."""
        if (entry := self.entry) is None:
            return None
        return Moving(entry, self._inventory, self.fleet, self.desk, self.now, self.matrix.node)

    @work(exclusive=True, group="dialog")
    async def action_fit(self) -> None:
        """Show where the model fits; load it there, or copy it."""
        if (moving := self._moving) and (wish := await fit(self.app, moving)):
            self.post_message(wish)

    @work(exclusive=True, group="dialog")
    async def action_copy(self) -> None:
        """Choose where the model goes, see the plans, agree."""
        if moving := self._moving:
            await copy(self.app, moving)
