"""The journal of the fleet: what is in hand, and what has ended, newest first."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.widgets import Input

from fleetview.fleet import Ended, NodeState, refusal
from fleetview.messages import CancelRequested, ChangeRequested, RequestFailed
from fleetview.present import plain
from fleetview.present.filtering import Filter, FilterError, parsed
from fleetview.present.measures import clock_of
from fleetview.present.operations import journal, journal_rows
from fleetview.present.operations.command_lines import command_line
from fleetview.present.operations.dialogs import cancelling
from fleetview.present.operations.journal import Entry
from fleetview.present.operations.progress import subject
from fleetview.present.text import Line, cut_line
from fleetview.screens.copied import copied
from fleetview.screens.desk import Desk
from fleetview.screens.following import FollowingScreen
from fleetview.verbs import UNDO
from fleetview.widgets.filter_line import FilterLine, filter_key
from fleetview.widgets.key_bar import KeyBar
from fleetview.widgets.lines import Lines
from fleetview.widgets.row_list import RowKey, RowList
from fleetview.widgets.status_bar import StatusBar
from fleetview_agent.wire import UndoRequest

ENTRIES = 100
"""Ended operations that are asked of each node."""
AT_ONCE = 16
"""Nodes that are asked at the same time."""
SCROLL_BAR = 1
"""Cells whose place is always kept."""


class JournalScreen(FollowingScreen):
    """Operations of one node or of all."""

    CSS_PATH = "journal.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (15, "-tall")]  # noqa: RUF012 -- as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", id="journal.open", tooltip="Everything about the operation."),
        Binding("u", "undo", "undo", id=UNDO.id, tooltip="Take this operation back, after showing how."),
        Binding("y", "copy", "copy", id="journal.copy", tooltip="Copy the command line that asks for the same."),
        Binding("ctrl+x", "cancel", "cancel", id="operation.cancel", tooltip="Cancel the operation in hand."),
        Binding("tab", "narrow", "one node", id="journal.node", tooltip="Only the node of this row, or all again."),
        Binding("right", "turn(1)", show=False, id="journal.next", tooltip="The next node; all after the last."),
        Binding("left", "turn(-1)", show=False, id="journal.previous", tooltip="The node before."),
        filter_key("find", "Show only what has some words in it."),
        Binding("escape,backspace", "clear", "back", id="view.clear", tooltip="Show all again, then leave."),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._read: dict[str, tuple[Entry, ...]] = {}
        """What was read of each node's journal."""
        self._lacks: dict[str, str] = {}
        """Nodes whose journal could not be read, and why."""
        self._asked: dict[str, Ended | None] = {}
        """Nodes whose journal was asked for, and the operation that had ended last by then."""
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._only: str | None = None
        """The one node that is shown; None: all."""
        self._filter: Filter[Entry] = Filter("")
        self._entries: dict[RowKey, Entry] = {}
        self._changes = 0
        """How often the rows became others by what was read, or typed."""
        self._made: object = None
        """What the rows were made of."""
        self._layout = journal_rows.layout(80, ())

    def compose(self) -> ComposeResult:
        """What is shown, operations, the selected one, keys."""
        yield StatusBar()
        yield Lines(id="journal-heading")
        yield RowList()
        yield Lines(id="glance")
        hint = "words, !not, verb=swap, result=failed"
        yield FilterLine(hint, "clear", id="journal-filter")
        yield KeyBar()

    def on_mount(self) -> None:
        """The rows have the keys."""
        self.query_one(RowList).focus()

    def on_resize(self, _event: Resize) -> None:
        """Everything follows the size."""
        self.call_after_refresh(self.draw)

    def drawn(self) -> None:
        """Read the journals of nodes of which more has ended than was read."""
        for name, node in self.fleet.items():
            if not node.current:
                self._asked.pop(name, None)
            elif name not in self._asked or self._asked[name] is not node.last:
                self._asked[name] = node.last
                self.run_worker(self._learn(name), group=f"journal of {name}", exclusive=True)

    async def _learn(self, name: str) -> None:
        """Read the journal of one node."""
        try:
            async with self._turns:
                operations = await self.desk.journal(name, ENTRIES)
        except RequestFailed as failed:
            self._lacks[name] = str(failed)
        else:
            self._lacks.pop(name, None)
            self._read[name] = tuple(Entry(name, operation) for operation in operations)
            self._changes += 1
        self.draw()

    def draw(self) -> None:
        """Show the operations as they stand."""
        if not self.is_mounted or not self.query(RowList):
            return
        nodes = tuple(name for name in self.shown if self._only in {None, name})
        self._layout = journal_rows.layout(self.size.width - SCROLL_BAR, nodes)
        self._collect(nodes)
        silent = tuple(name for name in nodes if name in self._lacks or not self.shown[name].current)
        demo = any(node.machine and node.machine.simulated for node in self.shown.values())
        view = (self._only, self._filter.text, len(self._entries))
        summary = journal.summary(self.desk.title, view, silent, self.size.width, demo=demo)
        self.query_one(StatusBar).lines = (summary,)
        shown = self._entries or self.has_class("-tall")  # a short pane has no other place for why there is no row
        heading = journal_rows.heading(self._layout) if shown else self._nothing(self.size.width - 1)
        self.query_one("#journal-heading", Lines).lines = (heading,)
        self.query_one(RowList).show(tuple(self._entries), self._word)
        self._glance()

    def _collect(self, nodes: tuple[str, ...]) -> None:
        """Put the rows together; of hundreds of nodes that takes its time, so only where there are others."""
        hand = tuple(Entry(name, one) for name in nodes for one in self.shown[name].operations)
        last = tuple(Entry(name, end.operation) for name in nodes if (end := self.shown[name].last))
        if (made := (self._changes, nodes, hand, last)) == self._made:
            return
        self._made = made
        ended = journal.newest_first((*last, *(entry for name in nodes for entry in self._read.get(name, ()))))
        self._entries = {}
        for entry in journal.with_undoing((*hand, *ended)):
            if self._filter.matches(entry):
                self._entries.setdefault(entry.key, entry)  # what is read as ended may be drawn as in hand still

    def _word(self, key: RowKey) -> Line:
        """What stands in a row."""
        entry = self._entries[key]
        clock = clock_of(self.shown.get(entry.node), self.shown_at)
        return journal_rows.row(entry, clock, self._layout)

    @on(RowList.Selected)
    def _glance(self) -> None:
        """Moving the selection is opening the detail."""
        lines = self.query_one("#glance", Lines)
        width = max(0, lines.size.width)
        if entry := self._entry:
            lines.lines = journal.glance(entry, width)
        else:
            lines.lines = (self._nothing(width),)
        self.refresh_bindings()

    def _nothing(self, width: int) -> Line:
        """Why there is no row."""
        node = self.shown.get(self._only) if self._only else None
        lack = (refusal(node, "undo") or self._lacks.get(node.name)) if node else None
        return cut_line(((journal.nothing(bool(self._filter), self._only, lack), "dim"),), width)

    @property
    def _entry(self) -> Entry | None:
        """The selected operation."""
        return self._entries.get(self.query_one(RowList).selected) if self.query(RowList) else None

    def _node_of(self, entry: Entry) -> NodeState | None:
        """The node of an operation, as it is."""
        return self.fleet.get(entry.node)

    def why_not(self, action: str) -> str | None:
        """Why an action cannot be done just now, in words; None when it can."""
        if action not in {"open", "undo", "copy", "cancel"}:
            return None
        if (entry := self._entry) is None:
            return "no operation is selected"
        node = self._node_of(entry)
        if action == "undo":
            away = f"{entry.node} is not in the fleet any more" if node is None else refusal(node, "undo")
            return away or journal.undo_refusal(entry)
        if action == "cancel":
            return None if entry.operation.result is None else "it has ended already"
        return None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide what a read-only dashboard does not have, dim what cannot be done just now."""
        if not super().check_action(action, parameters) or (self.desk.readonly and action in {"undo", "cancel"}):
            return False
        return True if self.why_not(action) is None else None

    def action_open(self) -> None:
        """Everything about the operation."""
        from fleetview.screens.show_operation import ShowOperation  # dialogs come when they are wanted

        if entry := self._entry:
            self.app.push_screen(ShowOperation(entry, command_line(entry.node, entry.operation.request)))

    @work(exclusive=True, group="dialog")
    async def action_undo(self) -> None:
        """Take the selected operation back, after showing what that does."""
        from fleetview.screens.show_plan import ShowPlan  # dialogs come when they are wanted

        if (entry := self._entry) is None or (node := self._node_of(entry)) is None:
            return
        wish = UndoRequest(author=self.desk.author, operation=entry.operation.id)
        title = f"Undo the {entry.operation.request.verb} on {node.name}"
        if await self.app.push_screen_wait(
            ShowPlan(title, node, partial(self.desk.plan, node.name, wish), self.desk.fleet)
        ):
            self.post_message(ChangeRequested(node.name, wish))

    @work(exclusive=True, group="dialog")
    async def action_cancel(self) -> None:
        """Cancel the operation in hand, after asking."""
        from fleetview.screens.confirm import Confirm  # dialogs come when they are wanted

        if (entry := self._entry) is None:
            return
        request = entry.operation.request
        title = f"Cancel the {request.verb} of {subject(request)} on {entry.node}"
        if await self.app.push_screen_wait(Confirm(title, cancelling(entry.operation), "yes, cancel it")):
            self.post_message(CancelRequested(entry.node, entry.operation.id))

    @work(exclusive=True, group="clipboard")
    async def action_copy(self) -> None:
        """Copy the command line of the operation."""
        if entry := self._entry:
            line = command_line(entry.node, entry.operation.request)
            await copied(self.app, line, f"copied: {line}")

    def action_narrow(self) -> None:
        """Only the node of the selected row; all again where it is only one."""
        entry = self._entry
        self._only = entry.node if self._only is None and entry else None
        self.draw()

    def action_turn(self, step: int) -> None:
        """The next node, or the one before; between last and first, all."""
        names = (None, *self.shown)
        place = names.index(self._only) if self._only in names else 0
        self._only = names[(place + step) % len(names)]
        self.draw()

    def action_filter(self) -> None:
        """Ask for words."""
        self.add_class("-filtering")
        self.set_focus(self.query_one("#journal-filter", Input))  # at once: the next key is a letter of it

    @on(Input.Changed, "#journal-filter")
    def _narrow_by(self, event: Input.Changed) -> None:
        """Show only what matches; half a condition changes nothing yet."""
        try:
            self._filter = parsed(event.value, journal.fields())
        except FilterError:
            return
        self._changes += 1
        self.draw()

    @on(Input.Submitted, "#journal-filter")
    def _keep(self, event: Input.Submitted) -> None:
        """Back to the rows; the filter stays. One that means nothing says so."""
        try:
            parsed(event.value, journal.fields())
        except FilterError as problem:
            self.notify(plain(str(problem)), severity="warning", markup=False)
            return
        self._leave_filter()

    def _leave_filter(self) -> None:
        """The rows have the keys again."""
        self.remove_class("-filtering")
        self.query_one(RowList).focus()

    async def action_clear(self) -> None:
        """Show all again: first without the filter, then every node; then leave."""
        typed = self.query_one("#journal-filter", Input)
        if typed.has_focus or self._filter:
            typed.value = ""
            self._leave_filter()
        elif self._only is not None:
            self._only = None
            self.draw()
        else:
            await self.run_action("app.back")
