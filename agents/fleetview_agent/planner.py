"""Gathers what a plan is made from, and remembers what loads have taught."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from fleetview_agent.backends import Backend
from fleetview_agent.errors import NotFound, Unusable
from fleetview_agent.gguf import Header
from fleetview_agent.journal import Journal, PastLoad
from fleetview_agent.plan import make_plan, plan_unload
from fleetview_agent.wire import LoadRequest, Plan, Request, Snapshot, SwapRequest, UnloadRequest


class Planner:
    """Makes plans for one node."""

    def __init__(
        self, backends: Mapping[str, Backend], journal: Journal, look: Callable[[], Awaitable[Snapshot]]
    ) -> None:
        self._backends = backends
        self._journal = journal
        self._look = look

    async def plan(self, request: Request) -> Plan:
        """What a request would do to the node as it is now. Raises NotFound, NotResident, BadRequest."""
        node = await self._look()
        if isinstance(request, UnloadRequest):
            return plan_unload(request, node)
        past = self._journal.past_load(_identity(request, node))
        return make_plan(
            request,
            node,
            header=await self._header(request),
            context=past.context if past else None,
            load_seconds=past.seconds if past else None,
        )

    async def remember(self, request: LoadRequest | SwapRequest, context: int | None, seconds: float) -> None:
        """Keep how the model was loaded, for the next plan."""
        if identity := _identity(request, await self._look()):
            self._journal.remember_load(identity, PastLoad(context, seconds))

    async def _header(self, request: LoadRequest | SwapRequest) -> Header | None:
        """The header of the model's file, as far as the backend can show it."""
        try:
            return await self._backends[request.backend].header(request.model)
        except (KeyError, NotFound, Unusable):
            return None  # the plan has its own words for these


def _identity(request: LoadRequest | SwapRequest, node: Snapshot) -> str | None:
    """What is the same for the same file."""
    models = next((state.models for state in node.backends if state.backend == request.backend), ())
    return next((model.identity for model in models if model.name == request.model), None)
