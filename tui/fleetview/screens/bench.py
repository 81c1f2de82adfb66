"""Measures the ready models of some rows, and shows what comes of it beside what was measured before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static
from textual.worker import Worker

from fleetview.bench.book import Kept
from fleetview.bench.task import FULL, QUICK, Lengths, Task, ready_tasks
from fleetview.messages import RequestFailed
from fleetview.present import count, plain
from fleetview.present.bench import UNMEASURED, offer, progress
from fleetview.screens.scroll_keys import SCROLL_KEYS
from fleetview.widgets.key_hints import KeyHints
from fleetview.widgets.toned import contents
from fleetview.wishes.subject import Subject

Measure = Callable[[Task, Callable[[str], None]], Awaitable[Kept]]


class Bench(ModalScreen[None]):
    """Says what it will do, does it when told to, and ends it when left."""

    CSS_PATH = "bulk.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (15, "-tall")]  # noqa: RUF012 -- as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "begin", "measure", id="bench.begin", tooltip="Begin; nothing was asked before."),
        Binding("tab,left,right", "other", "quick or full", id="bench.other", tooltip="Few short runs, or more."),
        Binding(
            "escape,q", "leave", "stop or close", id="bench.stop", tooltip="Stop measuring; when nothing runs, close."
        ),
        *SCROLL_KEYS,
    ]

    def __init__(self, subjects: Sequence[Subject], measure: Measure) -> None:
        super().__init__()
        self._subjects = tuple(subjects)
        self._measure = measure
        self._lengths = QUICK
        self._steps: dict[tuple[str, str], str] = {}
        self._kept: dict[tuple[str, str], Kept] = {}
        self._work: Worker[None] | None = None
        self._begun = False
        self._seen = False
        """Whether what it will do stands on the screen."""

    @property
    def _tasks(self) -> tuple[Task, ...]:
        """The ready models of the rows, each once."""
        found = (task for subject in self._subjects for task in _tasks(subject, self._lengths))
        return tuple({task.key: task for task in found}.values())

    def compose(self) -> ComposeResult:
        """What it will do or has done, then the keys."""
        with Vertical(id="dialog") as dialog:
            nodes = dict.fromkeys(plain(subject.node.name) for subject in self._subjects)
            where = next(iter(nodes)) if len(nodes) == 1 else count(len(nodes), "node")
            dialog.border_title = Content(f"Measure {count(len(self._tasks), 'model')} on {where}")
            with VerticalScroll(id="rows", can_focus=False):
                yield Static(id="lines")
            yield Static(id="message", markup=False, classes="-silent")
            yield KeyHints()

    def on_resize(self) -> None:
        """Everything is told to its end in another width too."""
        self.call_after_refresh(self._be_seen)

    def _be_seen(self) -> None:
        """From the first picture on it can begin."""
        self._show()
        self._seen = True

    def _show(self) -> None:
        """Show how far it is."""
        if not self.is_attached or not self.query("#lines"):
            return
        lines = self.query_one("#lines", Static)
        if width := lines.size.width:
            told = progress(self._tasks, self._steps, self._kept, width) if self._begun else None
            lines.update(contents(told or offer(self._lengths, self._tasks, width)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 -- Textual's
        """It begins once."""
        return not self._begun if action in {"begin", "other"} else True

    def action_other(self) -> None:
        """Quick, or full."""
        self._lengths = FULL if self._lengths == QUICK else QUICK
        self._show()

    def action_begin(self) -> None:
        """Measure, all nodes at the same time, on each one model after the other."""
        if not self._seen:
            return
        self._begun = True
        by_node: dict[str, list[Task]] = {}
        for task in self._tasks:
            by_node.setdefault(task.node, []).append(task)
        self._work = self.run_worker(self._run(tuple(map(tuple, by_node.values()))), group="bench")
        self.refresh_bindings()
        self._show()

    async def _run(self, nodes: tuple[tuple[Task, ...], ...]) -> None:
        """Measure on every node."""
        await asyncio.gather(*(self._node(tasks) for tasks in nodes))
        self._work = None
        self._say("measured and kept: `fleetview bench NODE --history` lists the figures")

    async def _node(self, tasks: tuple[Task, ...]) -> None:
        """Measure the models of one node."""
        for task in tasks:

            def tell(step: str, task: Task = task) -> None:
                self._steps[task.key] = step
                self._show()

            try:
                self._kept[task.key] = await self._measure(task, tell)
            except RequestFailed as failed:
                self._steps[task.key] = f"{UNMEASURED}: {failed}"
            self._show()

    def action_leave(self) -> None:
        """Stop measuring; close when nothing runs."""
        if self._work is None:
            self.dismiss(None)
            return
        self._work.cancel()
        self._work = None
        for task in self._tasks:
            if task.key not in self._kept:
                self._steps[task.key] = "stopped"
        self._say("stopped; what was measured by then is kept")
        self._show()

    def _say(self, text: str) -> None:
        """Something below the models."""
        message = self.query_one("#message", Static)
        message.remove_class("-silent")
        message.update(Content(text))

    def action_scroll(self, rows: int) -> None:
        """Further down, or up."""
        self.query_one("#rows").scroll_relative(y=rows, animate=False)


def _tasks(subject: Subject, lengths: Lengths) -> tuple[Task, ...]:
    """What is to be measured on a row."""
    node = subject.node
    if node.machine is None:
        return ()
    found = ready_tasks(node.name, node.machine, node.backends.values(), node.sample, lengths)
    return tuple(task for task in found if subject.model in {None, task.resident.name})
