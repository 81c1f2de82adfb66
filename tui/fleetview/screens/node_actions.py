"""The keys that act on a node, for every screen that shows nodes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from fleetview.fleet import Fleet, NodeState, refusal
from fleetview.messages import (
    CancelRequested,
    ChangeRequested,
    ChatRequested,
    NodeRequested,
    RetryRequested,
)
from fleetview.present.health import health
from fleetview.screens.desk import Desk
from fleetview.screens.following import FollowingScreen
from fleetview.screens.subject import Subject
from fleetview.verbs import CHAT, DELETE, DOCTOR, KEEP, PULL, STATUS, SWAP, UNDO, UNLOAD, Verb

if TYPE_CHECKING:
    from fleetview.screens.pick_model import PickModel

_CHANGING = frozenset({"swap", "unload", "keep", "serve", "pull", "delete", "undo", "cancel_operation"})
"""Actions that a read-only dashboard does not have."""
_ON_A_NODE = (*sorted(_CHANGING), "chat", "describe", "health", "retry")


def _binding(verb: Verb) -> Binding:
    """The key of a verb."""
    return Binding(verb.keys or "", verb.label, verb.label, id=verb.id, tooltip=verb.summary, show=verb.shown)


class NodeActions(FollowingScreen):
    """A screen whose keys act on one node of the fleet."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(_binding(verb) for verb in (SWAP, UNLOAD, CHAT, KEEP)),
        Binding(
            "a",
            "serve",
            "more",
            id="node.actions",
            tooltip="Start, stop or restart an engine, after showing how.",
        ),
        *(_binding(verb) for verb in (PULL, DELETE, UNDO, STATUS, DOCTOR)),
        Binding(
            "ctrl+x",
            "cancel_operation",
            "cancel",
            id="operation.cancel",
            tooltip="Cancel an operation; the node goes back to where it was.",
        ),
        Binding("r", "retry", "reconnect", show=False, id="node.reconnect", tooltip="Connect now, without waiting."),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._refusals: tuple[str | None, ...] = ()
        self._picker: PickModel | None = None

    @property
    def node(self) -> NodeState | None:
        """The node that keys act on."""
        return None

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """What keys act on: the marked rows, or without any the selected one."""
        return (Subject(self.node),) if self.node else ()

    def watch_fleet(self, fleet: Fleet) -> None:
        """Something is no longer what it was."""
        if self._picker is not None and (node := fleet.get(self._picker.node.name)):
            self._picker.node = node
        super().watch_fleet(fleet)

    def drawn(self) -> None:
        """See which keys work now."""
        self.renew_keys()

    def renew_keys(self) -> None:
        """See whether other keys work now."""
        refusals = tuple(self.why_not(action) for action in _ON_A_NODE)
        if refusals != self._refusals:
            self._refusals = refusals
            self.refresh_bindings()

    def why_not(self, action: str) -> str | None:
        """Why an action cannot be done just now, in words; None when it can."""
        if action not in _ON_A_NODE:
            return None
        if (node := self.node) is None:
            return "no node is selected"
        match action:
            case "swap" | "unload" | "chat" | "keep" | "serve" | "pull" | "delete" | "undo" as verb:
                return refusal(node, verb)
            case "cancel_operation":
                return None if node.operations else f"no operation is in hand on {node.name}"
            case _:
                return f"{node.name} is connected" if action == "retry" and node.link == "up" else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 -- Textual's
        """Hide what a read-only dashboard does not have, dim what cannot be done just now."""
        if self.desk.readonly and action in _CHANGING:
            return False
        return True if self.why_not(action) is None else None

    @work(exclusive=True, group="dialog")
    async def action_swap(self) -> None:
        """Pick a model, see the plan, agree."""
        from fleetview.screens.pick_model import PickModel  # the first paint does not wait for dialogs

        if (node := self.node) is None:
            return
        self._picker = PickModel(node, partial(self.desk.plan, node.name), self.desk.author)
        request = await self.app.push_screen_wait(self._picker)
        self._picker = None
        if request is not None:
            self.post_message(ChangeRequested(node.name, request))

    @work(exclusive=True, group="dialog")
    async def _change(self, action: str) -> None:
        """Ask what exactly is meant, then ask the node for it."""
        from fleetview.screens.flows import CHANGES  # the first paint does not wait for dialogs

        if (node := self.node) is not None and (request := await CHANGES[action](self.app, node, self.desk)):
            self.post_message(ChangeRequested(node.name, request))

    def action_unload(self) -> None:
        """Take a model out of memory, after asking."""
        self._change("unload")

    def action_keep(self) -> None:
        """Say how long a model stays."""
        self._change("keep")

    def action_serve(self) -> None:
        """Start, stop or restart an engine, after showing every command."""
        self._change("serve")

    def action_pull(self) -> None:
        """Fetch a model by name."""
        self._change("pull")

    def action_delete(self) -> None:
        """Delete a model from the disk, after its name was typed."""
        self._change("delete")

    def action_undo(self) -> None:
        """Take back the last operation, after showing what that does."""
        self._change("undo")

    @work(exclusive=True, group="dialog")
    async def action_chat(self) -> None:
        """Ask a resident model something."""
        from fleetview.screens.flows import resident  # the first paint does not wait for dialogs

        if (node := self.node) is None:
            return
        if chosen := await resident(self.app, f"Chat on {node.name}", node.ready):
            self.post_message(ChatRequested(node.name, chosen[0], chosen[1].name))

    @work(exclusive=True, group="dialog")
    async def action_cancel_operation(self) -> None:
        """Cancel an operation, after asking."""
        from fleetview.screens.flows import operation  # the first paint does not wait for dialogs

        if (node := self.node) is not None and (chosen := await operation(self.app, node)):
            self.post_message(CancelRequested(node.name, chosen.id))

    def action_describe(self) -> None:
        """Show everything about the node."""
        if (node := self.node) is not None:
            self.post_message(NodeRequested(node.name))

    def action_health(self) -> None:
        """Tell what is wrong with the node."""
        from fleetview.screens.health import Health  # the first paint does not wait for dialogs

        if (node := self.node) is not None:
            self.app.push_screen(Health(node.name, health(node, self.now)))

    def action_retry(self) -> None:
        """Connect now."""
        if (node := self.node) is not None:
            self.post_message(RetryRequested(node.name))
