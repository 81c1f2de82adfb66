"""The fleet: one row for each node, and the selected one below."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.widgets import Input

from fleetview.config import Ui
from fleetview.fleet import NodeState, condition
from fleetview.present import measures, plain
from fleetview.present.filtering import FilterError, parsed
from fleetview.present.numbers import count
from fleetview.present.summary import header
from fleetview.present.table.columns import COLUMNS
from fleetview.present.table.grouping import NEXT, Grouping, grouped
from fleetview.present.table.layout import Choice
from fleetview.present.table.node_filter import NODE_FIELDS, Sieve
from fleetview.present.table.sorting import Order, Sort
from fleetview.present.table.wrong_columns import wrong_column
from fleetview.present.text import Line
from fleetview.present.wrapping import wrapped
from fleetview.screens.desk import Desk
from fleetview.screens.node_actions import NodeActions
from fleetview.widgets.filter_line import FilterLine, filter_key
from fleetview.widgets.fleet_table import FleetTable, Heading
from fleetview.widgets.key_bar import KeyBar
from fleetview.widgets.lines import Lines
from fleetview.widgets.node_panel import NodePanel
from fleetview.widgets.status_bar import StatusBar
from fleetview.wishes.subject import Subject

FILE_ORDER = "file"
"""Instead of a column: as the fleet file has the nodes."""
_HINT = "text, !not, field>value as in mem>80 & role=head"


class FleetScreen(NodeActions):
    """What people meet first."""

    VERTICAL_BREAKPOINTS = [(0, "-short"), (15, "-low"), (22, "-tall"), (36, "-high")]  # noqa: RUF012 -- as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        filter_key("filter", "Show only nodes that match."),
        Binding("space", "mark", "mark", id="row.mark", tooltip="Mark the row; verbs act on all that are marked."),
        Binding("o", "sort_by", "sort", id="view.sort", tooltip="Put the rows in order by a column."),
        Binding("n", "next_alert", "alert", id="view.next_alert", tooltip="Select the next node with an alert."),
        Binding("w", "wide", "wide", id="view.wide", tooltip="More columns, as far as there is room; again: fewer."),
        Binding("z", "group", "group", id="view.group", tooltip="Put rows together by role, by tag, or not at all."),
        Binding("asterisk", "mark_all", "mark all", show=False, id="row.mark_all", tooltip="Mark every row; or none."),
        Binding("escape,backspace", "clear", show=False, id="view.clear", tooltip="Show all; then no marks."),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.table = FleetTable()
        """The rows."""
        self._ui = Ui()
        """The wishes of the fleet file that are carried out; what was chosen since then stays."""
        self._sieve = Sieve()
        self._order = Order()
        self._group: Grouping | None = None
        self._alerting = False
        self._alert_key = ""
        self._summed: object = None
        """What the header was made of."""

    @property
    def node(self) -> NodeState | None:
        """The selected node."""
        return self.fleet.get(self.table.selected or "") if self.is_mounted else None

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """The marked rows that can be seen, in their order; without any the selected one."""
        return tuple(self.marks.values()) or super().subjects

    @property
    def marks(self) -> Mapping[Hashable, Subject]:
        """The marked nodes that can be seen, in their order."""
        marked = self.table.marked if self.is_mounted else frozenset()
        shown = self.table.names if marked else ()
        return {name: Subject(self.fleet[name]) for name in shown if name in marked and name in self.fleet}

    def unmark(self, marks: Collection[Hashable]) -> None:
        """Take these marks away."""
        self._mark(self.table.marked.difference(marks))

    @property
    def filtered(self) -> bool:
        """Whether a filter hides nodes."""
        return bool(self._sieve.filter)

    def compose(self) -> ComposeResult:
        """Sums, nodes, the selected node, keys; styled for the height from the start, and so only once."""
        _, fitting = max(point for point in self.VERTICAL_BREAKPOINTS if point[0] <= self.app.size.height)
        self.add_class(fitting, update=False)
        yield StatusBar()
        yield Heading()
        yield self.table
        yield NodePanel()
        yield FilterLine(_HINT, "clear")
        yield Lines(id="objection")
        yield KeyBar()

    def on_mount(self) -> None:
        """The table has the keys."""
        self.table.focus()

    def on_resize(self, _event: Resize) -> None:
        """Everything follows the size."""
        self.call_after_refresh(self.draw)

    def why_not(self, action: str) -> str | None:
        """Without an alert there is none to go to."""
        if action == "next_alert":
            return None if self._alerting else "nothing is wrong with any node"
        return super().why_not(action)

    def draw(self) -> None:
        """Show the fleet as it stands."""
        self._follow_file()
        table = self.table
        if gone := table.marked - self.shown.keys():
            table.marked -= gone
        names = self._sieve.through(self.shown, self._order.of(self.shown, table.sort, self.shown_at), self.shown_at)
        self._draw_header()
        table.show(self.shown, grouped(self.shown, names, self._group), self.shown_at)
        table.note = self._emptiness(names)
        self._draw_footer()
        self._draw_panel()

    def _follow_file(self) -> None:
        """Carry out what the fleet file wants that it did not want before."""
        ui = self.desk.config.ui
        if ui is self._ui:
            return
        old, self._ui = self._ui, ui
        wished = self.desk.config.keys.get("view.next_alert", "n")
        self._alert_key = wished if isinstance(wished, str) else wished[0]
        self._sieve.hosts = {node.name: node.host for node in self.desk.config.nodes if node.host}
        if ui.columns != old.columns:
            self.table.choice = Choice(ui.columns or (), self.table.choice.wide)
        if ui.sort != old.sort:
            self.table.sort = Sort.by(ui.sort) if ui.sort else None
        if ui.group != old.group:
            self._group = ui.group

    def _draw_header(self) -> None:
        """Sum up the fleet: once a second, and when more than a figure has changed."""
        view = replace(self.view, filter=self._sieve.filter.text, next_alert=self._alert_key)
        width = self.size.width
        fleet = tuple((node.link, node.machine is None, node.operations) for node in self.shown.values())
        if (summed := (self.desk.title, view, self.shown_at, width, fleet)) != self._summed:
            self._summed = summed
            line = header(self.desk.title, self.shown, self.shown_at, width, view)
            self.query_one(StatusBar).lines = (line,)
            alerting = any(measures.alert(node, self.shown_at) for node in self.shown.values())
            if alerting != self._alerting:
                self._alerting = alerting
                self.refresh_bindings()

    def _emptiness(self, names: tuple[str, ...]) -> Line:
        """Why there is nothing to see, and what to do about it."""
        if not names and self.filtered:
            what = plain(self._sieve.filter.text)
            return ((f"   no node matches /{what}; esc shows all {len(self.shown)}", "dim"),)
        if names and all(condition(node, self.shown_at) == "down" for node in self.shown.values()):
            return (("   no node is up; h tells what is wrong with the selected one, r connects now", "dim"),)
        return ()

    def _draw_footer(self) -> None:
        """Say what is marked, and what the filter is where there is no header."""
        marked, seen = self.table.marked, self.table.marked.intersection(self.table.names)
        note = f"{len(marked)} marked" if marked else ""
        if hidden := len(marked) - len(seen):
            note = f"{note}, {hidden} hidden: not acted on"
        if self.filtered and not self.query_one(StatusBar).display:
            note = " ".join(filter(None, (f"/{plain(self._sieve.filter.text)}", note)))
        self.query_one(KeyBar).note = note

    def _draw_panel(self) -> None:
        """Show the selected node."""
        self.query_one(NodePanel).show(self.shown.get(self.table.selected or ""), self.shown_at)

    @on(FleetTable.Selected)
    def select(self) -> None:
        """Moving the selection is opening the detail."""
        self._draw_panel()
        self.renew_keys()

    def action_filter(self) -> None:
        """Ask what is to be shown."""
        self.add_class("-filtering")
        self.set_focus(self.query_one("#filter", Input))  # at once: the next key is a letter of it

    @on(Input.Changed, "#filter")
    def narrow(self, event: Input.Changed) -> None:
        """Show only nodes that match; while what is typed makes no sense, those that matched before."""
        objection: tuple[Line, ...] = ()
        try:
            self._sieve.filter = parsed(event.value, NODE_FIELDS)
        except FilterError as problem:
            objection = wrapped(((plain(str(problem)), "warm"),), self.size.width - 2)
        self.query_one("#objection", Lines).lines = objection
        self.set_class(bool(objection), "-objected")
        self.draw()

    @on(Input.Submitted, "#filter")
    def keep(self) -> None:
        """Back to the table; the filter stays, once it makes sense."""
        if not self.has_class("-objected"):
            self.remove_class("-filtering")
            self.table.focus()

    def action_clear(self) -> None:
        """Show all nodes again; where all are shown, take the marks away."""
        typed = self.query_one("#filter", Input)
        if not typed.value and not self.has_class("-filtering"):
            self._mark(frozenset())
        typed.value = ""
        self.remove_class("-filtering", "-objected")
        self.table.focus()

    def action_mark(self) -> None:
        """Mark the selected row, or no longer, and go on to the next."""
        if self.table.selected is not None:
            self._mark(self.table.marked ^ {self.table.selected})
            self.table.action_move(1)

    def action_mark_all(self) -> None:
        """Mark every row that can be seen; where all are marked, none."""
        shown = frozenset(self.table.names)
        self._mark(self.table.marked - shown if shown <= self.table.marked else self.table.marked | shown)

    def _mark(self, names: frozenset[str]) -> None:
        """Mark these and no others."""
        self.table.marked = names
        self._draw_footer()
        self.renew_keys()

    @work(exclusive=True, group="dialog")
    async def action_sort_by(self) -> None:
        """Ask for a column."""
        from fleetview.screens.sort_by import SortBy  # the first paint does not wait for dialogs

        if (column := await self.app.push_screen_wait(SortBy())) is not None:
            self.action_sort(column)

    def action_sort(self, column: str) -> None:
        """Put the rows in order by a column, or the other way round where they are; `FILE_ORDER`: by none."""
        if column == FILE_ORDER:
            self.table.sort = None
        elif column not in COLUMNS:
            self.notify(wrong_column(column), severity="warning", markup=False)
        else:
            old = self.table.sort
            self.table.sort = old.reversed() if old and old.column == column else Sort.by(column)
        self.draw()

    def action_wide(self) -> None:
        """More columns, or fewer."""
        self.table.choice = Choice(self.table.choice.names, not self.table.choice.wide)

    def action_group(self) -> None:
        """Put the rows together in the next way."""
        self._group = NEXT[self._group]
        self.notify(f"grouped by {self._group}" if self._group else "not grouped", timeout=2)
        self.draw()

    def choose_group(self, group: Grouping | None) -> None:
        """Put the rows together by role or by tag; None: not at all."""
        self._group = group
        self.draw()

    def choose_columns(self, names: tuple[str, ...]) -> None:
        """Show these columns; none: those that suit the width."""
        self.table.choice = Choice(names, self.table.choice.wide)

    def choose_filter(self, text: str) -> None:
        """Show only nodes that match; nothing: all."""
        self.query_one("#filter", Input).value = text

    def action_next_alert(self) -> None:
        """Select the next node with an alert."""
        names = self.table.names
        place = names.index(self.table.selected) + 1 if self.table.selected in names else 0
        alerting = [name for name, node in self.shown.items() if measures.alert(node, self.shown_at)]
        if found := next((name for name in (*names[place:], *names[:place]) if name in alerting), None):
            self.table.choose(found)
        elif alerting:
            self.notify(f"the filter hides {count(len(alerting), 'node')} with an alert; esc shows all", markup=False)
