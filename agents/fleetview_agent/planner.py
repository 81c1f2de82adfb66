"""Gathers what a plan is made from, and remembers what loads have taught."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from itertools import takewhile
from pathlib import Path

from fleetview_agent.backends import Backend, Keeping, Storing, Supervised
from fleetview_agent.errors import NotFound, Unusable
from fleetview_agent.gguf import Header
from fleetview_agent.journal import Journal, PastLoad
from fleetview_agent.plan import make_plan, plan_unload
from fleetview_agent.server_plan import plan_models, plan_server
from fleetview_agent.small_plans import plan_disk, plan_stay, source_of
from fleetview_agent.wire import (
    CreateRequest,
    DeleteRequest,
    KeepRequest,
    LoadRequest,
    PinRequest,
    Plan,
    PullRequest,
    Request,
    RestartRequest,
    ServerRequest,
    Snapshot,
    StartRequest,
    StopRequest,
    SwapRequest,
    UnloadRequest,
    UnpinRequest,
)
from fleetview_agent.wishes import Wishes


class Planner:
    """Makes plans for one node."""

    def __init__(
        self,
        backends: Mapping[str, Backend],
        journal: Journal,
        wishes: Wishes,
        look: Callable[[], Awaitable[Snapshot]],
    ) -> None:
        self._backends = backends
        self._journal = journal
        self._wishes = wishes
        self._look = look

    async def plan(self, request: Request, operation_id: str | None = None) -> Plan:
        """What a request would do to the node as it is now; it may be that of an operation in hand.

        Raises NotFound, NotResident, BadRequest.
        """
        node = await self._look()
        backend = self._backends.get(request.backend)
        match request:
            case UnloadRequest():
                return plan_unload(request, node)
            case LoadRequest() | SwapRequest():
                return await self._plan_load(request, node)
            case PinRequest() | UnpinRequest() | KeepRequest():
                return plan_stay(request, node, pins=self._wishes.pins, keeps=isinstance(backend, Keeping))
            case StartRequest() | StopRequest() | RestartRequest():
                return await self._plan_server(request, node)
            case PullRequest() | CreateRequest() | DeleteRequest():
                earlier = takewhile(lambda one: one.id != operation_id, node.operations)
                return plan_disk(request, node, earlier=earlier, stores=isinstance(backend, Storing))

    async def source(self, request: CreateRequest) -> Path | str:
        """What a model is to be made from. Raises NotFound, BadRequest."""
        return source_of(request, await self._look())

    async def again(self, request: StartRequest) -> tuple[LoadRequest, ...]:
        """What loads again what ran last on a backend."""
        return _again(request, await self._look(), self._wishes)

    async def remember(self, request: LoadRequest | SwapRequest, context: int | None, seconds: float) -> None:
        """Keep how the model was loaded, for the next plan."""
        if identity := _identity(request, await self._look()):
            self._journal.remember_load(identity, PastLoad(context, seconds))

    async def _plan_load(self, request: LoadRequest | SwapRequest, node: Snapshot) -> Plan:
        """What loading the model would do."""
        past = self._journal.past_load(_identity(request, node))
        plan = make_plan(
            request,
            node,
            header=await self._header(request),
            context=past.context if past else None,
            load_seconds=past.seconds if past else None,
        )
        keeps = isinstance(self._backends.get(request.backend), Keeping)
        if plan.refusal or keeps or request.options.keep in {None, "forever"}:
            return plan
        refusal = f"{request.backend} keeps a model until it is unloaded, and knows no time; leave --keep away"
        return plan.model_copy(update={"refusal": refusal})

    async def _plan_server(self, request: ServerRequest, node: Snapshot) -> Plan:
        """What starting or stopping the backend would do."""
        backend = self._backends.get(request.backend)
        if isinstance(backend, Supervised):
            return plan_server(request, node, await backend.server_steps(request.verb))
        again = _again(request, node, self._wishes) if isinstance(request, StartRequest) else ()
        loads = tuple([await self._plan_load(load, node) for load in again])
        return plan_models(request, node, self._wishes.last_ran(request.backend), loads)

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


def _again(request: StartRequest, node: Snapshot, wishes: Wishes) -> tuple[LoadRequest, ...]:
    """What loads again what ran last on a backend, as far as it is still there and not in memory."""
    state = next((one for one in node.backends if one.backend == request.backend), None)
    known = {file.name for file in state.models} if state else set()
    there = {row.name for row in state.resident if row.phase == "ready"} if state else set()
    return tuple(
        LoadRequest(author=request.author, backend=request.backend, model=model, options=options)
        for model, options in wishes.last_ran(request.backend).items()
        if model in known - there
    )
