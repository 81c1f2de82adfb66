"""Which model next? The list narrows as one types, and the plan of the highlighted model is there before Enter."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Key
from textual.reactive import var
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from fleetview.fleet import NodeState, refusal
from fleetview.models import picking
from fleetview.models.elsewhere import Placed, elsewhere, nothing_matches
from fleetview.models.picking import Choice, Settings
from fleetview.present import count, plain
from fleetview.present.operations.plans import WAITING, costs, forcible, remark, short_of
from fleetview.screens.confirm import Confirm
from fleetview.screens.desk import LOOK_SECONDS
from fleetview.screens.swap_plans import NEIGHBOURS, SwapPlans, Wish
from fleetview.widgets.key_hints import KeyHints
from fleetview.widgets.model_filter import ModelFilter
from fleetview.widgets.model_list import ListHeading, ModelList
from fleetview.widgets.plan_view import Planned, PlanView
from fleetview.widgets.remark import Remark
from fleetview_agent.wire import Plan, SwapRequest

DEBOUNCE_SECONDS = 0.12
"""The highlight has to rest this long before its plan is asked for."""


class PickModel(ModalScreen[SwapRequest | None]):
    """Hands back the swap that was agreed to, exactly as its plan was shown; None when nothing was."""

    CSS_PATH = "pick_model.tcss"
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-short"), (20, "-tall")]  # noqa: RUF012 - as Textual has it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+f", "force", "force", id="pick.force", priority=True, tooltip="Load it though it does not fit."),
        Binding("tab", "evict", "evict", id="pick.evict", priority=True, tooltip="Let auto, none or all leave."),
        Binding("left", "stretch(False)", "context", id="pick.shorter", priority=True, tooltip="Half the context."),
        Binding("right", "stretch(True)", "context", id="pick.longer", priority=True, tooltip="Twice the context."),
        Binding("ctrl+t", "keep", "keep", id="pick.keep", priority=True, tooltip="Another time for it to stay."),
        Binding("ctrl+l", "name", "by name", id="pick.leavers", priority=True, tooltip="Name those who leave."),
        Binding("escape", "back", "cancel", id="pick.cancel", priority=True, tooltip="Clear the filter, then close."),
    ]

    node: var[NodeState] = var(lambda: NodeState(""), init=False)
    """The node as it is; the dialog follows it."""

    def __init__(
        self,
        node: NodeState,
        plan: Callable[[SwapRequest], Awaitable[Plan]],
        author: str,
        others: Callable[[], Iterable[Placed]] = tuple,
    ) -> None:
        super().__init__()
        self.set_reactive(PickModel.node, node)
        self._plans = SwapPlans(plan)
        self._author = author
        self._others = others
        """What other nodes have just now."""
        self._choices = self._found()
        self._settings = Settings()
        self._seen: Wish | None = None
        """The swap whose plan is shown: nothing else can be agreed to."""
        self._wish: Wish | None = None
        """The swap for which Enter was pressed before its plan was there."""
        self._narrowed_by = ""
        """What was typed when the list was made."""

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
            yield Remark()
            yield KeyHints()

    def on_mount(self) -> None:
        """Show everything; the filter has the focus for good."""
        self.query_one(ModelFilter).focus()
        self._narrow()
        self.set_interval(LOOK_SECONDS, self._look)

    def watch_node(self, old: NodeState, new: NodeState) -> None:
        """Follow the node: files and residents may have changed, and with them every plan."""
        if new.backends != old.backends or new.link != old.link:
            self._choices = self._found()
            self._plans.forget()
            self._narrow()
        elif new.operations != old.operations and not self._absent:
            self._show()

    def _found(self) -> tuple[Choice, ...]:
        """The models of the node, then those that only other nodes have."""
        return (*picking.choices(self.node), *elsewhere(self._others(), self.node))

    def _look(self) -> None:
        """Follow the other nodes."""
        if (found := self._found()) != self._choices:
            self._choices = found
            self._narrow()

    @on(Input.Changed)
    def _narrow(self) -> None:
        """Show the models that match what is typed."""
        if self._absent:
            return
        models, typed = self.query_one(ModelList), self.query_one(ModelFilter).value
        rows = picking.matching(self._choices, typed)
        self._narrowed_by = typed
        self.query_one("#matches", Static).update(f"{len(rows)} of {count(len(self._choices), 'model')}")
        if models.rows == rows:
            self._consider()
        models.rows = rows

    @on(ModelList.Picked)
    def _consider(self) -> None:
        """Show what is known of the highlighted model, and ask for what is not."""
        if self._absent:
            return
        if choice := self.query_one(ModelList).choice:
            self._plans.forget_trouble(self._request(choice))
        self._show()
        self._plan_all()

    @work(group="plan", exclusive=True)
    async def _plan_all(self) -> None:
        """Ask for the plan of the highlighted model, then for those around it."""
        await asyncio.sleep(DEBOUNCE_SECONDS)
        if self._absent or (models := self.query_one(ModelList)).choice is None:
            return
        async for _ in self._plans.learn(self._request(row) for row in models.near(NEIGHBOURS)):
            if self._absent:
                return
            self._show()

    def _request(self, row: Choice) -> SwapRequest:
        """The swap that the settings make of a row."""
        return self._settings.request(row, self._author)

    @property
    def _absent(self) -> bool:
        """Whether there is nothing to show things in: not yet, or no longer."""
        return not all(self.query(part) for part in ("ModelFilter", "ModelList", "PlanView", "Remark"))

    @property
    def _planned(self) -> Planned | None:
        """What is being considered."""
        if self._absent or (row := self.query_one(ModelList).choice) is None:
            return None
        return Planned(self.node, time.monotonic(), row, self._settings, self._plans.plan(self._request(row)))

    def _show(self) -> None:
        """Show the plans that are known, and what stands in the way; carry out what waited for that."""
        models = self.query_one(ModelList)
        requests = {row.name: self._request(row) for row in models.rows if row.refusal is None}
        models.plans = {name: self._plans.plan(asked) for name, asked in requests.items() if asked in self._plans}
        planned = self._planned
        self.query_one(PlanView).planned = planned
        chosen = (self._narrowed_by, requests[planned.row.name]) if planned else None
        self._seen = chosen if planned and planned.plan else None
        waited, told = self._wish, self._state(planned, chosen)
        if waited is not None and (waited != chosen or told[1] or self._seen is not None):
            self._wish = None
        self.query_one(Remark).say(*told)
        self.refresh_bindings()
        if waited is not None and waited == self._seen:
            self._agree()

    def _state(self, planned: Planned | None, chosen: Wish | None) -> tuple[str, bool]:
        """What to say below the plan, and whether it stands in the way."""
        if self.node.link != "up" or not any(row.place is None for row in self._choices):
            return refusal(self.node, "swap") or "There is nothing to load here.", True
        if planned is None or chosen is None:
            return nothing_matches(self.query_one(ModelList).rows, self.node.name), False
        return remark(planned.plan, self.node, self._plans.trouble(chosen[1]), waiting=self._wish == chosen)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's signature
        """What changes a plan works only where there is one; forcing is offered only where it would help."""
        planned = self._planned
        if action in {"name", "evict", "stretch", "keep"}:
            return True if planned is not None and (action != "name" or self.node.ready) else None
        return action != "force" or (planned is not None and forcible(planned.plan))

    @on(Input.Submitted)
    def _agree(self) -> None:
        """Carry out the plan that is shown, wait for it where it is not there yet, or insist on why it cannot be."""
        planned, typed = self._planned, self.query_one(ModelFilter).value
        chosen = (typed, self._request(planned.row)) if planned else None
        if planned is None or chosen is None or self._state(planned, chosen)[1]:
            self._insist()
        elif (plan := planned.plan) is None or self._seen != chosen:
            self._wish = chosen
            self.query_one(Remark).say(WAITING, False)
        elif plan.already_resident:
            self._insist()
        elif lines := costs(plan, self.node):
            self._confirm("Swap", lines, "swap all the same", chosen[1])
        else:
            self.dismiss(chosen[1])

    def on_key(self, event: Key) -> None:
        """Whatever is pressed next takes an Enter back that still waits for its plan."""
        if event.key != "enter":
            self._withdraw()

    def _withdraw(self) -> None:
        """Enter no longer waits for the plan."""
        if self._wish is not None:
            self._wish = None
            self._show()

    def action_force(self) -> None:
        """Load what does not fit, after asking."""
        if (planned := self._planned) is None or planned.plan is None:
            return
        lines = (*short_of(planned.plan), *costs(planned.plan, self.node))
        forced = self._request(planned.row).model_copy(update={"force": True})
        self._confirm("Load", lines, "load it anyway", forced)

    def _confirm(self, verb: str, lines: tuple[str, ...], yes: str, request: SwapRequest) -> None:
        """Ask once more, then hand back the swap."""

        def answered(agreed: bool | None) -> None:
            if agreed:
                self.dismiss(request)

        model, node = plain(request.model), plain(self.node.name)
        self.app.push_screen(Confirm(f"{verb} {model} on {node}?", lines, yes), answered)

    def _insist(self) -> None:
        """Nothing is done; the reason stands out, and a plan that could not be had is asked for again."""
        if (planned := self._planned) and self._plans.trouble(self._request(planned.row)) is not None:
            self._consider()
        self.query_one(Remark).insist()

    def action_evict(self) -> None:
        """Another policy for who leaves."""
        self._turn(self._settings.evicting_next)

    def action_keep(self) -> None:
        """Another time to stay."""
        self._turn(self._settings.keeping_next)

    def action_name(self) -> None:
        """Name those who leave."""
        from fleetview.screens.leavers import Leavers  # the picker does not wait for it

        def named(names: tuple[str, ...] | None) -> None:
            if names is not None:
                self._turn(replace(self._settings, evict=names))

        evict, planned = self._settings.evict, self._planned
        suggested = planned.plan.evictions if planned and planned.plan else ()
        self._withdraw()
        self.app.push_screen(Leavers(self.node, evict if isinstance(evict, tuple) else suggested), named)

    def action_stretch(self, further: bool) -> None:
        """Twice the context of the highlighted model, up to what it was trained for, or half of it."""
        if planned := self._planned:
            tokens = planned.context or picking.USUAL_CONTEXT
            chosen = picking.longer(tokens, planned.trained) if further else picking.shorter(tokens)
            self._turn(self._settings.with_context(planned.row, chosen))

    def _turn(self, settings: Settings) -> None:
        """With other settings there are other plans; no earlier Enter is meant for them."""
        self._settings = settings
        self._wish = None
        self._consider()

    def action_move(self, way: str) -> None:
        """Move the highlight while the filter keeps the focus."""
        self._withdraw()
        self.query_one(ModelList).move(way)

    def action_back(self) -> None:
        """Clear the filter; without one, close."""
        self._withdraw()
        typed = self.query_one(ModelFilter)
        if typed.value:
            typed.value = ""
        else:
            self.dismiss(None)
