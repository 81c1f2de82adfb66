"""What agents and engines write: of one node or of all, as it comes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.widgets import Input

from fleetview.fleet import Fleet, NodeState, condition
from fleetview.messages import RequestFailed
from fleetview.present.logs import LONGEST, THRESHOLDS, Entry, Wanted, columns, matches, nothing, title
from fleetview.present.numbers import age
from fleetview.present.operations.why import Trouble, nearest, trouble
from fleetview.present.summary import header
from fleetview.present.text import Line, plain
from fleetview.present.wrapping import wrapped
from fleetview.screens.copied import copied
from fleetview.screens.desk import Desk
from fleetview.screens.following import FollowingScreen
from fleetview.screens.gathered import MOST, Gathered
from fleetview.widgets.filter_line import FilterLine, filter_key
from fleetview.widgets.key_bar import KeyBar
from fleetview.widgets.lines import Lines
from fleetview.widgets.log_lines import LogView
from fleetview.widgets.status_bar import StatusBar

AT_ONCE = 8
"""Nodes that are asked for their logs at the same time."""
AGENT = "agent"


class LogsScreen(FollowingScreen):
    """Follows the logs; nothing here changes a node."""

    CSS_PATH = "logs.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (15, "-tall")]  # noqa: RUF012 -- as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "node(1)", "node", id="logs.node", tooltip="The logs of the next node."),
        Binding("left", "node(-1)", show=False, id="logs.node_before", tooltip="The logs of the node before."),
        Binding("tab", "source(1)", "engine", id="logs.source", tooltip="Only the agent's log, or one engine's."),
        Binding("shift+tab", "source(-1)", show=False, id="logs.source_before", tooltip="The source before."),
        Binding("v", "level", "level", id="logs.level", tooltip="Every level, then only the more serious ones."),
        Binding("exclamation_mark", "why", "why", id="node.why", tooltip="Why the last failure came about."),
        filter_key("find", "Only lines with a text; ! before it: without."),
        Binding("w", "wrap", "wrap", id="logs.wrap", tooltip="Long lines whole, or in one row each."),
        Binding("y", "copy_line", "copy", id="logs.copy", tooltip="Copy the line."),
        Binding("escape,backspace", "leave", show=False, id="logs.leave", tooltip="Find everything again, then back."),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._wanted = Wanted()
        self._gathered = Gathered()
        self._untold: list[Entry] = []
        """Lines that have come and are not shown yet."""
        self._asked: dict[str, float | None] = {}
        """Node → since when its connection stood when it was asked."""
        self._fails = False
        """Whether one of the nodes that are looked at has failed at something."""
        self._lacks: dict[str, str] = {}
        """Node → why it told nothing."""

    def compose(self) -> ComposeResult:
        """Sums, what is shown, lines, keys."""
        yield StatusBar()
        yield Lines(id="title")
        yield LogView()
        yield Lines(id="nothing")
        yield FilterLine("text, !without, one & other", "leave")
        yield KeyBar()

    def on_mount(self) -> None:
        """The lines have the keys."""
        self.query_one(LogView).focus()
        self._show()

    def on_resize(self, _event: Resize) -> None:
        """Everything follows the size."""
        self.call_after_refresh(self._show, keep=True)
        self.call_after_refresh(self.draw)

    def choose(self, node: str | None, source: str | None) -> None:
        """Follow the logs of a node, or of one of its engines."""
        self._look_for(replace(self._wanted, node=node, source=source))

    def watch_fleet(self, fleet: Fleet) -> None:
        """Lines may have come."""
        self._untold += (one for one in self._gathered.hear(fleet) if matches(one, self._wanted))
        if len(self._untold) > 2 * MOST:  # this goes on for days while another screen is looked at
            del self._untold[:-MOST]
        if self._wanted.node is not None and self._wanted.node not in fleet:
            self._wanted = replace(self._wanted, node=None)
            self._show()
        super().watch_fleet(fleet)

    def draw(self) -> None:
        """Show what has come."""
        if not self.is_mounted:
            return
        if not self.paused and self._untold:
            self.query_one(LogView).extend(self._untold)
            self._untold.clear()
        self._ask()
        line = header(self.desk.title, self.shown, self.shown_at, self.size.width, self.view)
        self.query_one(StatusBar).lines = (line,)
        self._draw_title()

    def drawn(self) -> None:
        """See whether there is something to tell of."""
        if self._fails != (fails := self._failure() is not None):
            self._fails = fails
            self.refresh_bindings()

    def why_not(self, action: str) -> str | None:
        """Why an action cannot be done just now, in words; None when it can."""
        if action != "why" or (self.is_mounted and self._failure()):
            return None
        where = self._wanted.node or "any node"
        return f"nothing failed on {where}; the journal (5) goes back further"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Dim what cannot be done just now."""
        if not super().check_action(action, parameters):
            return False
        return True if self.why_not(action) is None else None

    @on(LogView.Moved)
    def _draw_title(self) -> None:
        """Say what is shown, and what is not."""
        view, width = self.query_one(LogView), self.size.width
        below = view.below + len(self._untold)
        line = title(self._wanted, view.entries, below, width, paused=self.paused, lack=self._lack())
        self.query_one("#title", Lines).lines = (line,)
        self.set_class(not view.entries, "-empty")
        lines: tuple[Line, ...] = ()
        if not view.entries:
            others = self._gathered.count(self._wanted.node)
            lines = wrapped(((nothing(self._wanted, others, self._lack()), "dim"),), max(20, width - 4), 0)
        self.query_one("#nothing", Lines).lines = lines

    def _lack(self) -> str | None:
        """Why there may be no news, or not all of them."""
        nodes = self._followed_nodes()
        reasons = [(node.name, reason) for node in nodes if (reason := self._silence(node))]
        if not reasons:
            return None
        name, reason = reasons[0]
        if self._wanted.node:
            return reason
        whose = f"{name} tells nothing" if len(reasons) == 1 else f"{len(reasons)} of {len(nodes)} tell nothing, {name}"
        return f"{whose}: {reason}"

    def _silence(self, node: NodeState) -> str | None:
        """Why a node tells nothing just now."""
        match condition(node, self.now):
            case "down" | "connecting" as state:
                return f"{state}: {node.reason}" if node.reason else state
            case "stale" if node.heard_at is not None:
                return f"stale, last heard {age(self.now - node.heard_at)} ago"
            case _:
                return self._lacks.get(node.name)

    def _followed_nodes(self) -> tuple[NodeState, ...]:
        """The nodes whose logs are looked at."""
        return tuple(node for node in self.fleet.values() if self._wanted.node in {None, node.name})

    def _show(self, *, keep: bool = False) -> None:
        """Show the lines that are looked for."""
        if not self.is_mounted:
            return
        self._untold.clear()
        before = columns(self.fleet, self._wanted, self.size.width)
        self.query_one(LogView).show(self._gathered.find(self._wanted), before, keep=keep)
        self._ask()
        self._draw_title()

    def _look_for(self, wanted: Wanted) -> None:
        """Show other lines."""
        self._wanted = wanted
        self._show()

    def _ask(self) -> None:
        """Ask what was written before: each node once for each of its connections."""
        news = [
            node
            for node in self._followed_nodes()
            if node.current and self._asked.get(node.name, -1.0) != node.link_since
        ]
        if news:
            self._asked.update({node.name: node.link_since for node in news})
            self._learn(tuple(node.name for node in news))

    @work(group="logs")
    async def _learn(self, names: tuple[str, ...]) -> None:
        """Ask nodes for their newest lines, and show them."""
        turns = asyncio.Semaphore(AT_ONCE)

        async def learn(name: str) -> None:
            async with turns:
                try:
                    self._gathered.learn(name, await self.desk.logs(name, None))
                except RequestFailed as failed:
                    self._lacks[name] = str(failed)
                else:
                    self._lacks.pop(name, None)

        await asyncio.gather(*map(learn, names))
        if not self.paused:
            self._show(keep=True)

    def action_node(self, step: int) -> None:
        """The logs of another node, or of all."""
        names = (None, *self.fleet)
        place = names.index(self._wanted.node) if self._wanted.node in names else 0
        self._look_for(replace(self._wanted, node=names[(place + step) % len(names)], source=None))

    def action_source(self, step: int) -> None:
        """The agent's log, one engine's, or all of them."""
        engines = dict.fromkeys(name for node in self._followed_nodes() for name in node.backends)
        sources = (None, AGENT, *engines)
        place = sources.index(self._wanted.source) if self._wanted.source in sources else 0
        self._look_for(replace(self._wanted, source=sources[(place + step) % len(sources)]))

    def action_level(self) -> None:
        """Only lines that are more serious, or all again."""
        place = THRESHOLDS.index(self._wanted.threshold) + 1
        self._look_for(replace(self._wanted, threshold=THRESHOLDS[place % len(THRESHOLDS)]))

    def action_wrap(self) -> None:
        """Long lines whole, or cut."""
        view = self.query_one(LogView)
        view.wrap(not view.wraps)

    def action_why(self) -> None:
        """Tell why the last failure came about: of the selected line's node, else of the newest among the others."""
        from fleetview.screens.why import Why  # the first paint does not wait for dialogs

        if failed := self._failure():
            node = self.fleet[failed.node]
            self.app.push_screen(Why(self.desk, failed, nearest(node.samples, failed.at)))

    def _failure(self) -> Trouble | None:
        """The failure that is meant, of the nodes that are looked at."""
        found = [failed for node in self._followed_nodes() if (failed := trouble(node))]
        selected = self.query_one(LogView).selected
        mine = (one for one in found if selected is not None and one.node == selected.node)
        return next(mine, None) or max(found, key=lambda one: one.at or 0.0, default=None)

    @work(exclusive=True, group="clipboard")
    async def action_copy_line(self) -> None:
        """Copy the selected line."""
        if (one := self.query_one(LogView).selected) is not None:
            await copied(self.app, plain(one.line.text, LONGEST), "The line is copied.")

    def action_filter(self) -> None:
        """Ask for a text."""
        self.add_class("-filtering")
        self.set_focus(self.query_one("#filter", Input))  # at once: the next key is a letter of it

    @on(Input.Changed, "#filter")
    def narrow(self, event: Input.Changed) -> None:
        """Show only lines that match."""
        self._look_for(replace(self._wanted, filter=event.value.strip()))

    @on(Input.Submitted, "#filter")
    def keep(self) -> None:
        """Back to the lines; the filter stays."""
        self.remove_class("-filtering")
        self.query_one(LogView).focus()

    async def action_leave(self) -> None:
        """Find everything again; where that is so, back."""
        box = self.query_one("#filter", Input)
        if box.has_focus or box.value:
            box.value = ""
            self.keep()
        else:
            await self.app.run_action("back")
