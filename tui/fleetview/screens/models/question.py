"""What is asked of a node about a model: whether it fits there, beside what is in memory or in place of others."""

from __future__ import annotations

from dataclasses import dataclass

from fleetview.fleet import NodeState, unconnected
from fleetview.messages import RequestFailed
from fleetview.models import picking
from fleetview.models.fitting import Place, planned
from fleetview.models.inventory import Entry, Inventory
from fleetview.present.measures import memory_free
from fleetview.screens.desk import Desk
from fleetview_agent.wire import SwapRequest


@dataclass(frozen=True)
class Question:
    """A model, and the context that it should have."""

    entry: Entry
    inventory: Inventory
    tokens: int
    desk: Desk

    async def place(self, node: NodeState) -> Place:
        """What one node has to say."""
        if not node.current or node.machine is None:
            return Place(node.name, problem=unconnected(node))
        choice = self._choice(node)
        if choice is None:
            return Place(node.name, unknown=True, room_now=memory_free(node))
        if choice.refusal is not None:
            return Place(node.name, choice.name, lack=choice.refusal)
        try:
            beside = await self.desk.plan(node.name, self._request(choice, "none"))
            instead = await self.desk.plan(node.name, self._request(choice, "auto"))
        except RequestFailed as failed:
            return Place(node.name, choice.name, lack=str(failed))
        return planned(node.name, choice.name, beside, instead)

    def _choice(self, node: NodeState) -> picking.Choice | None:
        """The way of running the file on the node: one that works, where there is one."""
        names = {one.name for one in self.inventory.held(node.name, self.entry.key)}
        rows = [row for row in picking.choices(node) if row.name in names]
        return next((row for row in rows if row.refusal is None), rows[0] if rows else None)

    def _request(self, choice: picking.Choice, evict: str) -> SwapRequest:
        """The swap that would put it there."""
        return picking.request(choice, self.desk.author, self.tokens, evict)
