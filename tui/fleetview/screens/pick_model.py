"""Which model next? The list narrows as one types, and the plan of the highlighted model is there before Enter."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.reactive import var
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from fleetview import picking
from fleetview.fleet import NodeState, refusal
from fleetview.messages import RequestFailed
from fleetview.picking import Choice
from fleetview.present import count, plain
from fleetview.present.plans import costs, short_of
from fleetview.screens.confirm import Confirm
from fleetview.widgets.key_hints import KeyHints
from fleetview.widgets.model_filter import ModelFilter
from fleetview.widgets.model_list import ListHeading, ModelList
from fleetview.widgets.plan_view import Planned, PlanView
from fleetview_agent.wire import Plan, SwapRequest

DEBOUNCE_SECONDS = 0.12
"""The highlight has to rest this long before its plan is asked for."""
NEIGHBOURS = 24
"""How many further rows get their verdict, nearest first."""
POLICIES = ("auto", "none", "all")


class PickModel(ModalScreen[SwapRequest | None]):
    """Hands back the swap that was agreed to, exactly as its plan was shown; None when nothing was."""

    CSS_PATH = "pick_model.tcss"
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-short"), (20, "-tall")]  # noqa: RUF012 - as Textual has it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "evict", "what leaves", id="pick.evict", priority=True, tooltip="Let auto, none or all leave."),
        Binding("left", "shorten", "context", id="pick.shorter", priority=True, tooltip="Half the context."),
        Binding("right", "lengthen", "context", id="pick.longer", priority=True, tooltip="Twice the context."),
        Binding("ctrl+f", "force", "force", id="pick.force", priority=True, tooltip="Load it though it does not fit."),
        Binding("escape", "back", "cancel", id="pick.cancel", priority=True, tooltip="Clear the filter, then close."),
        Binding("down", "move('down')", show=False, id="pick.down", priority=True, tooltip="The next model."),
        Binding("up", "move('up')", show=False, id="pick.up", priority=True, tooltip="The model before."),
        Binding(
            "pagedown", "move('page_down')", show=False, id="pick.page_down", priority=True, tooltip="A page down."
        ),
        Binding("pageup", "move('page_up')", show=False, id="pick.page_up", priority=True, tooltip="A page up."),
    ]

    node: var[NodeState] = var(lambda: NodeState(""), init=False)
    """The node as it is; the dialog follows it."""

    def __init__(self, node: NodeState, plan: Callable[[SwapRequest], Awaitable[Plan]], author: str) -> None:
        super().__init__()
        self.set_reactive(PickModel.node, node)
        self._ask = plan
        self._author = author
        self._choices = picking.choices(node)
        self._evict = POLICIES[0]
        self._contexts: dict[str, int] = {}
        """What the operator chose, by `BACKEND/MODEL`."""
        self._plans: dict[SwapRequest, Plan | None] = {}
        """None: it could not be had."""
        self._seen: tuple[str, SwapRequest] | None = None
        """What was typed, and the swap whose plan was shown then: nothing else can be agreed to."""
        self._narrowed_by = ""
        """What was typed when the list was made."""
        self._trouble: str | None = None
        """Why there is no plan for the highlighted model."""

    def compose(self) -> ComposeResult:
        """ModelFilter, models, plan, keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content(f"Swap on {plain(self.node.name)}")
            with Horizontal(id="filter"):
                yield Static("> ", id="sign")
                yield ModelFilter()
                yield Static(id="matches", markup=False)
            yield ListHeading()
            yield ModelList()
            yield PlanView()
            yield Static(id="message", markup=False)
            yield KeyHints()

    def on_mount(self) -> None:
        """Show everything; the filter has the focus for good."""
        self.query_one(ModelFilter).focus()
        self._narrow()

    def watch_node(self, old: NodeState, new: NodeState) -> None:
        """Follow the node: files and residents may have changed, and with them every plan."""
        if new.backends == old.backends and new.link == old.link:
            return
        self._choices = picking.choices(new)
        self._plans.clear()
        self._narrow()

    @on(Input.Changed)
    def _narrow(self) -> None:
        """Show the models that match what is typed."""
        if self._absent:
            return
        models, typed = self.query_one(ModelList), self.query_one(ModelFilter).value
        rows = picking.matching(self._choices, typed)
        self._narrowed_by = typed
        found = f"{len(rows)} of {count(len(self._choices), 'model')}"
        self.query_one("#matches", Static).update(found)
        if models.rows == rows:
            self._consider()
        models.rows = rows

    @on(ModelList.Picked)
    def _consider(self) -> None:
        """Show what is known of the highlighted model, and ask for what is not."""
        if self._absent:
            return
        self._trouble = None
        self._show()
        self.run_worker(self._plan_all(), group="plan", exclusive=True)

    async def _plan_all(self) -> None:
        """Ask for the plan of the highlighted model, then for those around it."""
        await asyncio.sleep(DEBOUNCE_SECONDS)
        if self._absent or (choice := (models := self.query_one(ModelList)).choice) is None:
            return
        at = models.highlighted or 0
        near = sorted(range(len(models.rows)), key=lambda index: abs(index - at))[:NEIGHBOURS]
        for row in (models.rows[index] for index in near if models.rows[index].refusal is None):
            request = self._request(row)
            if self._plans.get(request) or (request in self._plans and row is not choice):
                continue
            try:
                self._plans[request] = await self._ask(request)
            except RequestFailed as failed:
                self._plans[request] = None
                if row is choice:
                    self._trouble = str(failed)
            if self._absent:
                return
            self._show()

    def _request(self, row: Choice) -> SwapRequest:
        """The swap that the settings make of a row."""
        context = self._contexts.get(row.name, row.context)
        return picking.request(row, self._author, context, self._evict)

    @property
    def _absent(self) -> bool:
        """Whether there is nothing to show things in: not yet, or no longer."""
        return not self.query(ModelList)

    @property
    def _planned(self) -> Planned | None:
        """What is being considered."""
        if self._absent or (row := self.query_one(ModelList).choice) is None:
            return None
        request = self._request(row)
        return Planned(
            self.node,
            time.monotonic(),
            request.options.context,
            row.file.context_length,
            self._evict,
            self._plans.get(request),
        )

    def _show(self) -> None:
        """Show the plans that are known, and what stands in the way."""
        models = self.query_one(ModelList)
        requests = {row.name: self._request(row) for row in models.rows if row.refusal is None}
        models.plans = {name: self._plans[asked] for name, asked in requests.items() if asked in self._plans}
        planned, choice = self._planned, models.choice
        self.query_one(PlanView).planned = planned
        self._seen = (self._narrowed_by, requests[choice.name]) if choice and planned and planned.plan else None
        self._say(*self._state(planned))
        self.refresh_bindings()

    def _state(self, planned: Planned | None) -> tuple[str, bool]:
        """What to say below the plan, and whether it stands in the way."""
        if not self._choices or self.node.link != "up":
            return refusal(self.node, "swap") or "There is nothing to load here.", True
        if planned is None:
            return "No model that can be loaded matches.", False
        if self._trouble is not None:
            return self._trouble, True
        if planned.plan is None:
            return "planning …", False
        if planned.plan.refusal is not None:
            return planned.plan.refusal, True
        if planned.plan.already_resident:
            return "It is in memory with this context already; nothing would change.", False
        if self.node.operations:
            return f"waits behind {count(len(self.node.operations), 'operation')} on {self.node.name}", False
        return "", False

    def _say(self, text: str, wrong: bool) -> None:
        """Say something below the plan."""
        message = self.query_one("#message", Static)
        message.update(Content(plain(text)))
        message.set_class(wrong, "wrong")
        message.remove_class("insisted")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's signature
        """Forcing is offered only where it would help."""
        if action != "force":
            return True
        planned = self._planned
        plan = planned.plan if planned else None
        return plan is not None and plan.refusal is not None and plan.verdict == "does_not_fit"

    @on(Input.Submitted)
    def _agree(self) -> None:
        """Carry out the plan that is shown, or insist on why it cannot be."""
        row = self.query_one(ModelList).choice
        planned = self._planned
        plan = planned.plan if planned else None
        seen = row is not None and self._seen == (self.query_one(ModelFilter).value, self._request(row))
        if not seen or row is None or plan is None or plan.refusal is not None or plan.already_resident:
            self._insist()
        elif lines := costs(plan, self.node):
            self._confirm("Swap", lines, "swap all the same", self._request(row))
        else:
            self.dismiss(self._request(row))

    def action_force(self) -> None:
        """Load what does not fit, after asking."""
        row = self.query_one(ModelList).choice
        planned = self._planned
        if row is None or planned is None or planned.plan is None:
            return
        lines = (*short_of(planned.plan), *costs(planned.plan, self.node))
        forced = self._request(row).model_copy(update={"force": True})
        self._confirm("Load", lines, "load it anyway", forced)

    def _confirm(self, verb: str, lines: tuple[str, ...], yes: str, request: SwapRequest) -> None:
        """Ask once more, then hand back the swap."""

        def answered(agreed: bool | None) -> None:
            if agreed:
                self.dismiss(request)

        title = f"{verb} {plain(request.model)} on {plain(self.node.name)}?"
        self.app.push_screen(Confirm(title, lines, yes), answered)

    def _insist(self) -> None:
        """Nothing is done; the reason stands out, and a plan that could not be had is asked for again."""
        if self._trouble is not None:
            self._consider()
        self.query_one("#message", Static).add_class("insisted")
        self.app.bell()

    def action_evict(self) -> None:
        """Change what leaves."""
        self._evict = POLICIES[(POLICIES.index(self._evict) + 1) % len(POLICIES)]
        self._consider()

    def action_lengthen(self) -> None:
        """Twice the context, up to what the model was trained for."""
        self._turn(picking.longer)

    def action_shorten(self) -> None:
        """Half the context."""
        self._turn(lambda context, _: picking.shorter(context))

    def _turn(self, step: Callable[[int, int | None], int]) -> None:
        """Another context for the highlighted model."""
        row, planned = self.query_one(ModelList).choice, self._planned
        if row is None or planned is None:
            return
        context = planned.context or (planned.plan.context if planned.plan else None) or picking.USUAL_CONTEXT
        self._contexts[row.name] = step(context, row.file.context_length)
        self._consider()

    def action_move(self, way: str) -> None:
        """Move the highlight while the filter keeps the focus."""
        models = self.query_one(ModelList)
        ways: dict[str, Callable[[], None]] = {
            "down": models.action_cursor_down,
            "up": models.action_cursor_up,
            "page_down": models.action_page_down,
            "page_up": models.action_page_up,
        }
        ways[way]()

    def action_back(self) -> None:
        """Clear the filter; without one, close."""
        typed = self.query_one(ModelFilter)
        if typed.value:
            typed.value = ""
        else:
            self.dismiss(None)
