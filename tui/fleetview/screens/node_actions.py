"""What screens about nodes have in common: the fleet, when it is drawn, and the keys that act on a node."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.reactive import var
from textual.screen import Screen

from fleetview.fleet import Fleet, NodeState, refusal
from fleetview.messages import (
    CancelRequested,
    ChatRequested,
    NodeRequested,
    RetryRequested,
    SwapRequested,
    UnloadRequested,
)
from fleetview.picking import unaskable
from fleetview.present import dialogs, plain
from fleetview.verbs import CHAT, STATUS, SWAP, UNLOAD, Verb
from fleetview_agent.wire import Plan, ResidentModel, SwapRequest

if TYPE_CHECKING:
    from fleetview.screens.pick_model import PickModel

FRAME_SECONDS = 0.04
"""Changes that come closer together than this are drawn together."""
_CHANGING = frozenset({"swap", "unload", "cancel_operation"})
"""Actions that a read-only dashboard does not have."""
_ON_A_NODE = ("swap", "unload", "chat", "describe", "cancel_operation", "retry")

Residents = tuple[tuple[str, ResidentModel], ...]


@dataclass(frozen=True)
class Desk:
    """What screens need of the app besides the fleet."""

    plan: Callable[[str, SwapRequest], Awaitable[Plan]]
    """What a swap would do to the node of that name. Raises RequestFailed."""
    author: str
    """user@host of the operator."""
    title: str
    readonly: bool = False


def _binding(verb: Verb) -> Binding:
    """The key of a verb."""
    return Binding(verb.keys or "", verb.label, verb.label, id=verb.id, tooltip=verb.summary)


class NodeActions(Screen[None]):
    """A screen whose keys act on one node of the fleet."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(_binding(verb) for verb in (SWAP, UNLOAD, CHAT, STATUS)),
        Binding(
            "ctrl+x",
            "cancel_operation",
            "cancel",
            id="operation.cancel",
            tooltip="Cancel the operation in hand; the node goes back to where it was.",
        ),
        Binding("r", "retry", "reconnect", show=False, id="node.reconnect", tooltip="Connect now, without waiting."),
    ]

    fleet: var[Fleet] = var(dict, init=False, always_update=True)
    """What is true; bound to the fleet of the app, and equal to the old one where its order alone is another."""
    now: var[float] = var(0.0, init=False)
    """The app's monotonic time, for ages; moves once a second."""
    paused: var[bool] = var(False, init=False)
    """True while the picture is to stay as it is."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.shown: Fleet = {}
        """The fleet as it stands on the screen."""
        self.shown_at = 0.0
        """`now` as it stands on the screen."""
        self._drawn_at = 0.0
        self._due = False
        self._refusals: tuple[str | None, ...] = ()
        self._picker: PickModel | None = None

    @property
    def node(self) -> NodeState | None:
        """The node that keys act on."""
        return None

    def draw(self) -> None:
        """Show the fleet of `shown`; screens say how."""

    def on_screen_resume(self) -> None:
        """Show what was missed while another screen was on top."""
        self._draw_now()

    def watch_fleet(self, fleet: Fleet) -> None:
        """Something is no longer what it was."""
        if self._picker is not None and (node := fleet.get(self._picker.node.name)):
            self._picker.node = node
        self._schedule()

    def watch_now(self) -> None:
        """Time has gone on: ages have."""
        self._schedule()

    def watch_paused(self, paused: bool) -> None:
        """The picture stays, or goes on."""
        if paused:
            self.draw()
        else:
            self._draw_now()

    def _schedule(self) -> None:
        """Draw now, or together with what else comes within the frame."""
        if self._due or self.paused or not self.is_mounted or not self.is_current:
            return
        wait = self._drawn_at + FRAME_SECONDS - time.monotonic()
        if wait <= 0:
            self._draw_now()
        else:
            self._due = True
            self.set_timer(wait, self._draw_now)

    def _draw_now(self) -> None:
        """Draw the fleet as it is, and the keys as far as they work."""
        self._due = False
        self._drawn_at = time.monotonic()
        if not self.paused or not self.shown:
            self.shown, self.shown_at = self.fleet, self.now
        self.draw()
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
            case "swap" | "unload" | "chat" as verb:
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
            self.post_message(SwapRequested(node.name, request))

    @work(exclusive=True, group="dialog")
    async def action_unload(self) -> None:
        """Take a model out of memory, after asking."""
        from fleetview.screens.confirm import Confirm  # the first paint does not wait for dialogs

        if (node := self.node) is None:
            return
        chosen = await self._one_of(f"Unload from {node.name}", node.resident)
        if chosen is None or not self._can_name(*chosen):
            return
        backend, model = chosen
        lines = dialogs.unloading(node, backend, model)
        if await self.app.push_screen_wait(Confirm(f"Unload {plain(model.name)} from {node.name}", lines)):
            self.post_message(UnloadRequested(node.name, backend, model.name))

    @work(exclusive=True, group="dialog")
    async def action_chat(self) -> None:
        """Ask a resident model something."""
        if (node := self.node) is None:
            return
        chosen = await self._one_of(f"Chat on {node.name}", node.ready)
        if chosen is not None and self._can_name(*chosen):
            self.post_message(ChatRequested(node.name, chosen[0], chosen[1].name))

    async def _one_of(self, title: str, models: Residents) -> tuple[str, ResidentModel] | None:
        """The one model, or the one that the operator chooses."""
        from fleetview.screens.choose_model import ChooseModel  # the first paint does not wait for dialogs

        if len(models) <= 1:
            return models[0] if models else None
        named = {f"{backend}/{model.name}": (backend, model) for backend, model in models}
        chosen = await self.app.push_screen_wait(ChooseModel(title, tuple(named)))
        return None if chosen is None else named[chosen]

    def _can_name(self, backend: str, model: ResidentModel) -> bool:
        """Whether a request can name the model; says so when none can."""
        if reason := unaskable(backend, model.name):
            self.notify(f"{plain(model.name, 60)}: {reason}", severity="warning", markup=False)
        return reason is None

    @work(exclusive=True, group="dialog")
    async def action_cancel_operation(self) -> None:
        """Cancel the operation in hand, after asking."""
        from fleetview.screens.confirm import Confirm  # the first paint does not wait for dialogs

        if (node := self.node) is None or not node.operations:
            return
        operation = node.operations[0]
        title = f"Cancel the {operation.request.verb} of {plain(operation.request.model)} on {node.name}"
        if await self.app.push_screen_wait(Confirm(title, dialogs.cancelling(operation), "yes, cancel it")):
            self.post_message(CancelRequested(node.name, operation.id))

    def action_describe(self) -> None:
        """Show everything about the node."""
        if (node := self.node) is not None:
            self.post_message(NodeRequested(node.name))

    def action_retry(self) -> None:
        """Connect now."""
        if (node := self.node) is not None:
            self.post_message(RetryRequested(node.name))
