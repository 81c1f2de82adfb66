"""The keys that act on a node, for every screen that shows nodes."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import BindingType

from fleetview.fleet import Fleet, NodeState
from fleetview.messages import (
    CancelRequested,
    ChangeRequested,
    ChatRequested,
    LogsRequested,
    NodeRequested,
    RetryRequested,
)
from fleetview.present.operations.why import nearest, trouble
from fleetview.screens.desk import Desk
from fleetview.screens.following import FollowingScreen
from fleetview.screens.node_keys import CHANGING, NODE_KEYS, ON_A_NODE
from fleetview.wishes.possible import no_copy, why_none
from fleetview.wishes.subject import Subject

if TYPE_CHECKING:
    from fleetview.screens.batches import Batches
    from fleetview.screens.pick_model import PickModel
    from fleetview.wishes.batch import Row


_NEEDS = {"bench": "chat", "about_resident": "unload"}
"""Actions → those that need the same of a node."""


class NodeActions(FollowingScreen):
    """A screen whose keys act on the selected node of the fleet, or on all rows that are marked."""

    BINDINGS: ClassVar[list[BindingType]] = [*NODE_KEYS]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._refusals: tuple[str | None, ...] = ()
        self._picker: PickModel | None = None
        self._batches: Batches | None = None
        """What several nodes were asked for; None: nothing yet."""

    @property
    def node(self) -> NodeState | None:
        """The node that keys act on."""
        return None

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """What keys act on: the marked rows, or without any the selected one."""
        return (Subject(self.node),) if self.node else ()

    @property
    def marks(self) -> Mapping[Hashable, Subject]:
        """The marks that can be seen, each with what verbs act on."""
        return {}

    def unmark(self, marks: Collection[Hashable]) -> None:
        """Take these marks away."""

    def _ended(self, marks: Mapping[Hashable, Subject], rows: tuple[Row, ...]) -> None:
        """What was done on marked rows is over; marks stay where it failed."""
        from fleetview.wishes.batch import unfinished  # the first paint does not wait for it

        self.unmark(tuple(mark for mark, subject in marks.items() if not unfinished(subject, rows)))

    def watch_fleet(self, fleet: Fleet) -> None:
        """Something is no longer what it was."""
        if self._picker is not None and (node := fleet.get(self._picker.node.name)):
            self._picker.node = node
        if self._batches is not None:
            self._batches.follow()
        super().watch_fleet(fleet)

    def drawn(self) -> None:
        """See which keys work now."""
        self.renew_keys()

    def renew_keys(self) -> None:
        """See whether other keys work now."""
        refusals = tuple(self.why_not(action) for action in ON_A_NODE)
        if refusals != self._refusals:
            self._refusals = refusals
            self.refresh_bindings()

    def why_not(self, action: str) -> str | None:
        """Why an action cannot be done just now, in words; None when it can."""
        action = action.partition("(")[0]
        if action not in ON_A_NODE:
            return None
        if not (subjects := self.subjects):
            return "no node is selected"
        nodes = tuple(subject.node for subject in subjects)
        of = f"any of the {len(nodes)} marked rows" if len(nodes) > 1 else nodes[0].name
        match _NEEDS.get(action, action):
            case "swap" | "unload" | "chat" | "keep" | "pull" | "delete" | "undo" as verb:
                return why_none(subjects, verb)
            case "cancel_operation":
                return None if any(node.operations for node in nodes) else f"no operation is in hand on {of}"
            case "retry" if all(node.link == "up" for node in nodes):
                return f"{of} is connected" if len(nodes) == 1 else f"all {len(nodes)} marked nodes are connected"
            case "why" if self.node and not trouble(self.node):
                return f"nothing failed on {self.node.name}; the journal (5) goes back further"
            case "copy":
                return no_copy(self.node, self.fleet)
            case "shell" if nodes[0].machine and nodes[0].machine.simulated:
                return f"{nodes[0].name} is made up, and has no shell"
            case _:
                return None if self.node else "no node is selected"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide what a read-only dashboard does not have, dim what cannot be done just now."""
        if not super().check_action(action, parameters) or (self.desk.readonly and action in CHANGING):
            return False
        return True if self.why_not(action) is None else None

    def action_about_resident(self, verb: str) -> None:
        """Do to a model in memory what a verb does that needs no more than its plan."""
        self._change(verb)

    @work(exclusive=True, group="dialog")
    async def _change(self, action: str) -> None:
        """Ask what exactly is meant, then ask the nodes for it."""
        from fleetview.screens.flows import EVERYTHING, flow  # the first paint does not wait for dialogs

        subjects = self.subjects
        if len(subjects) > 1:
            await self._change_all(action, subjects)
        elif subjects and (request := await flow(action)(self.app, subjects[0], self.desk)):
            if request == EVERYTHING:
                await self._change_all(EVERYTHING, subjects)
            elif not isinstance(request, str):
                self.post_message(ChangeRequested(subjects[0].node.name, request))

    async def _change_all(self, action: str, subjects: tuple[Subject, ...]) -> None:
        """Ask what exactly is meant of all rows, then ask their nodes for it."""
        from fleetview.screens.bulk_flows import Marked, flow  # as above

        marks = dict(self.marks)
        if agreed := await flow(action)(Marked(self.app, subjects, self.desk, self.now)):
            from fleetview.screens.batches import Batches

            self._batches = self._batches or Batches(self)
            self._batches.start(action, agreed, partial(self._ended, marks))

    @work(exclusive=True, group="dialog")
    async def action_swap(self) -> None:
        """Pick a model, see the plan, agree."""
        from fleetview.models.elsewhere import others  # as above
        from fleetview.screens.pick_model import PickModel  # the first paint does not wait for dialogs

        subjects = self.subjects
        if len(subjects) != 1 or subjects[0].model is not None:
            self._change("swap")
            return
        node = subjects[0].node
        plan = partial(self.desk.plan, node.name)
        self._picker = PickModel(node, plan, self.desk.author, lambda: others(self.fleet, node.name))
        request = await self.app.push_screen_wait(self._picker)
        self._picker = None
        if request is not None:
            self.post_message(ChangeRequested(node.name, request))

    def action_unload(self) -> None:
        """Take a model out of memory, after asking."""
        self._change("unload")

    def action_keep(self) -> None:
        """Say how long a model stays."""
        self._change("keep")

    def action_pull(self) -> None:
        """Fetch a model by name."""
        self._change("pull")

    def action_delete(self) -> None:
        """Delete a model from the disk, after asking; what may be the last copy, after its name was typed."""
        self._change("delete")

    @work(exclusive=True, group="dialog")
    async def action_copy(self) -> None:
        """Choose a model of the node and where it goes, see the plans, agree."""
        from fleetview.screens.models.moves import copy_from  # the first paint does not wait for dialogs

        if (node := self.node) is not None:
            await copy_from(self.app, node, self.fleet, self.desk)

    def action_undo(self) -> None:
        """Take back the last operation, after showing what that does."""
        self._change("undo")

    @work(exclusive=True, group="dialog")
    async def action_actions(self) -> None:
        """A menu of what has no key of its own: engines, the connection, what is wrong."""
        from fleetview.screens.menu import SERVE_ALL, menu  # as above

        if not (subjects := self.subjects):
            return
        chosen = await menu(self.app, subjects, self.desk, lambda action: self.why_not(action) is None)
        if chosen == SERVE_ALL:
            await self._change_all("serve", subjects)
        elif isinstance(chosen, str):
            await self.run_action(chosen)
        elif chosen is not None:
            self.post_message(ChangeRequested(subjects[0].node.name, chosen))

    @work(exclusive=True, group="dialog")
    async def action_chat(self) -> None:
        """Ask a resident model something, or one of each marked row side by side."""
        from fleetview.screens.flows import partners  # as above

        if chosen := await partners(self.app, self.subjects):
            first = chosen[0]
            self.post_message(ChatRequested(first.node, first.backend, first.model, chosen))

    @work(exclusive=True, group="dialog")
    async def action_cancel_operation(self) -> None:
        """Cancel an operation, after asking."""
        from fleetview.screens.flows import operation  # as above

        nodes = tuple({subject.node.name: subject.node for subject in self.subjects}.values())
        if chosen := await operation(self.app, nodes):
            self.post_message(CancelRequested(chosen[0], chosen[1].id))

    def action_describe(self) -> None:
        """Show everything about the node."""
        if (node := self.node) is not None:
            self.post_message(NodeRequested(node.name))

    def action_logs(self) -> None:
        """Follow what the node's agent and engines write."""
        if (node := self.node) is not None:
            self.post_message(LogsRequested(node.name))

    def action_why(self) -> None:
        """Tell why the last failure of the node came about."""
        from fleetview.screens.why import Why  # the first paint does not wait for dialogs

        if (node := self.node) and (failed := trouble(node)):
            self.app.push_screen(Why(self.desk, failed, nearest(node.samples, failed.at)))

    def action_health(self) -> None:
        """Tell what is wrong with the node."""
        from fleetview.present.node.health import health  # as above
        from fleetview.screens.health import Health  # as above

        if (node := self.node) is not None:
            self.app.push_screen(Health(node.name, health(node, self.now)))

    def action_bench(self) -> None:
        """Measure the models that are ready on the rows."""
        from fleetview.screens.bench import Bench  # as above

        self.app.push_screen(Bench(self.subjects, self.desk.measure))

    def action_retry(self) -> None:
        """Connect now."""
        for name in dict.fromkeys(subject.node.name for subject in self.subjects if subject.node.link != "up"):
            self.post_message(RetryRequested(name))

    @work(exclusive=True, group="dialog")
    async def action_copy_row(self) -> None:
        """Copy something of the row."""
        from fleetview.screens.copy_row import copy_row  # as above

        if subjects := self.subjects:
            await copy_row(self.app, subjects[0])

    @work(exclusive=True, group="dialog")
    async def action_shell(self) -> None:
        """A shell on the node; the dashboard rests meanwhile, and goes on to hear of the fleet."""
        from fleetview.screens.visit import visit  # as above

        node = self.node
        config = next((one for one in self.desk.config.nodes if node and one.name == node.name), None)
        if config is not None and (told := await visit(self.app, config)):
            self.tell(told, config.name)
