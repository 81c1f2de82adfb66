"""Whether models fit where the selection rests: asked once, and kept until the node changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from fleetview.fleet import NodeState
from fleetview.messages import RequestFailed
from fleetview.models import picking
from fleetview.models.inventory import Held
from fleetview.present.models.matrix_panel import Verdict
from fleetview_agent.wire import BackendState, Order, Plan

FRESH_SECONDS = 30.0
"""How long a verdict is believed on a node whose backends say nothing new."""


class CellVerdicts:
    """Plans of loading a model beside what is in memory, by node and model."""

    def __init__(self, plan: Callable[[str, Order], Awaitable[Plan]], author: str) -> None:
        self._plan = plan
        self._author = author
        self._known: dict[tuple[str, str], tuple[Mapping[str, BackendState], float, Verdict]] = {}

    def known(self, node: NodeState, held: Held, now: float) -> Verdict | None:
        """What is known; None where it has to be asked, first or again."""
        backends, at, verdict = self._known.get((node.name, held.name), (None, 0.0, None))
        return verdict if backends is node.backends and now - at <= FRESH_SECONDS else None

    async def learn(self, node: NodeState, held: Held, now: float) -> None:
        """Ask the node, unless it is clear that it cannot be loaded."""
        self._known[node.name, held.name] = (node.backends, now, await self._ask(node, held))

    async def _ask(self, node: NodeState, held: Held) -> Verdict:
        """The verdict, or why there is none."""
        row = next((row for row in picking.choices(node, held.file.name) if row.name == held.name), None)
        if row is None:
            return Verdict(trouble="its engine lists no file of it")
        if row.refusal is not None:
            return Verdict(trouble=row.refusal)
        try:
            return Verdict(await self._plan(node.name, picking.request(row, self._author, row.context, "none")))
        except RequestFailed as failed:
            return Verdict(trouble=str(failed))
