"""Shows what a change would do, command by command; Enter there is the consent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from fleetview.fleet import Fleet, NodeState
from fleetview.messages import RequestFailed
from fleetview.present import plain
from fleetview.present.operations.plan_rows import plan_lines
from fleetview.present.operations.plans import costs
from fleetview.screens.confirm import Confirm
from fleetview.screens.desk import LOOK_SECONDS
from fleetview.widgets.key_hints import KeyHints
from fleetview.widgets.toned import contents
from fleetview_agent.wire import Plan


class ShowPlan(ModalScreen[bool]):
    """Hands back whether the operator agrees to the plan that is shown."""

    CSS_PATH = "confirm.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (15, "-tall")]  # noqa: RUF012 -- as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "agree", "do it", id="plan.agree", tooltip="Carry out the plan that is shown."),
        Binding("escape,n,q", "cancel", "cancel", id="plan.cancel", tooltip="Leave everything as it is."),
        Binding("down,j", "scroll(3)", show=False, id="plan.down", tooltip="Further down."),
        Binding("up,k", "scroll(-3)", show=False, id="plan.up", tooltip="Further up."),
    ]

    def __init__(
        self,
        title: str,
        node: NodeState,
        plan: Callable[[], Awaitable[Plan]],
        fleet: Callable[[], Fleet] | None = None,
        *,
        readonly: bool = False,
    ) -> None:
        super().__init__()
        self._readonly = readonly
        """Whether it is only to be looked at."""
        self._fleet = fleet
        """The fleet as it is; None: the node stays as it was."""
        self._title = title
        self._node = node
        self._ask = plan
        self._plan: Plan | None = None

    def compose(self) -> ComposeResult:
        """The plan, then the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content(plain(self._title))
            with VerticalScroll(id="plan", can_focus=False):
                yield Static(Content("planning …"), id="lines")
            yield KeyHints()

    def on_mount(self) -> None:
        """Ask what it would do."""
        self.run_worker(self._learn(), group="plan", exclusive=True)
        self.set_interval(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        """A plan from before something was done to the node is worth nothing: show another one."""
        node = self._fleet().get(self._node.name) if self._fleet else None
        if node is None or _done_to(node) == _done_to(self._node):
            return
        self._node, self._plan = node, None
        self.refresh_bindings()
        self.run_worker(self._learn(), group="plan", exclusive=True)

    async def _learn(self) -> None:
        """Show the plan, or why there is none."""
        try:
            self._plan = await self._ask()
        except RequestFailed as failed:
            self.query_one("#lines", Static).update(contents((((plain(str(failed)), "hot"),),)))
        else:
            self._show()
        self.refresh_bindings()

    def on_resize(self) -> None:
        """Commands are told to their end in another width too."""
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        """Show the plan, once it is known and has its place."""
        lines = self.query_one("#lines", Static)
        if self._plan is not None and lines.size.width:
            lines.update(contents(plan_lines(self._plan, lines.size.width)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's signature
        """Nobody agrees to what was not shown, or is refused."""
        if action == "agree" and self._readonly:
            return False
        return None if action == "agree" and (self._plan is None or self._plan.refusal) else True

    def action_agree(self) -> None:
        """Agree; where it costs somebody something, once more."""
        if self._plan is None or not self.is_current:
            return
        if not (lines := costs(self._plan, self._node)):
            self.dismiss(True)
            return

        def answered(agreed: bool | None) -> None:
            if agreed:
                self.dismiss(True)

        self.app.push_screen(Confirm(f"{self._title}?", lines, "yes, all the same"), answered)

    def action_cancel(self) -> None:
        """Do not agree."""
        if self.is_current:
            self.dismiss(False)

    def action_scroll(self, rows: int) -> None:
        """Further down, or up."""
        self.query_one("#plan").scroll_relative(y=rows, animate=False)


def _done_to(node: NodeState) -> tuple[tuple[str, ...], str | None]:
    """Which operations a node has in hand, and which ended last."""
    return tuple(one.id for one in node.operations), node.last.operation.id if node.last else None
