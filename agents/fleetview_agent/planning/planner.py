"""Gathers what a plan is made from, and remembers what loads have taught."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from itertools import takewhile
from pathlib import Path

from fleetview_agent.backends import Backend, Deleting, Keeping, Storing, Supervised
from fleetview_agent.copying.incoming import Incoming
from fleetview_agent.errors import BadRequest
from fleetview_agent.planning.copy_plan import plan_copy
from fleetview_agent.planning.forecast import Forecast
from fleetview_agent.planning.forecaster import Forecaster
from fleetview_agent.planning.plan import is_doubtful, make_plan, plan_unload
from fleetview_agent.planning.server_plan import plan_models, plan_server
from fleetview_agent.planning.small_plans import plan_disk, plan_stay, source_of
from fleetview_agent.records.journal import Journal
from fleetview_agent.records.wishes import Wishes
from fleetview_agent.wire import (
    CopyRequest,
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
    target,
)


class Planner:
    """Makes plans for one node."""

    def __init__(
        self,
        backends: Mapping[str, Backend],
        journal: Journal,
        wishes: Wishes,
        look: Callable[[], Awaitable[Snapshot]],
        incoming: Incoming,
    ) -> None:
        self._backends = backends
        self._forecaster = Forecaster(backends, journal.loads)
        self._wishes = wishes
        self._look = look
        self._incoming = incoming

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
                return await self._plan_load(request, node, is_preview=operation_id is None)
            case PinRequest() | UnpinRequest() | KeepRequest():
                return plan_stay(request, node, pins=self._wishes.pins, keeps=isinstance(backend, Keeping))
            case StartRequest() | StopRequest() | RestartRequest():
                return await self._plan_server(request, node)
            case PullRequest() | CreateRequest() | DeleteRequest():
                earlier = takewhile(lambda one: one.id != operation_id, node.operations)
                ability = Deleting if isinstance(request, DeleteRequest) else Storing
                return plan_disk(request, node, earlier=earlier, stores=isinstance(backend, ability))
            case CopyRequest():
                earlier = takewhile(lambda one: one.id != operation_id, node.operations)
                return await plan_copy(request, node, backend, self._incoming, earlier)

    async def source(self, request: CreateRequest) -> Path | str:
        """What a model is to be made from. Raises NotFound, BadRequest."""
        return source_of(request, await self._look())

    async def again(self, request: StartRequest) -> tuple[LoadRequest, ...]:
        """What loads again what ran last on a backend."""
        return _again(request, await self._look(), self._wishes)

    async def remember(self, request: LoadRequest | SwapRequest, context: int | None, seconds: float) -> None:
        """Keep how the model was loaded, and how long that and its first token took, for the next plan."""
        await self._forecaster.remember(request, await self._look(), context, seconds)

    async def _plan_load(self, request: LoadRequest | SwapRequest, node: Snapshot, *, is_preview: bool = True) -> Plan:
        """What loading the models would do; where nothing happens yet, less is asked of the engine."""
        forecasts = tuple([await self._forecaster.forecast(load, node) for load in _loads(request)])
        plan = make_plan(request, node, forecasts)
        if asking := self._worth_asking(plan, forecasts, node, is_preview=is_preview):
            forecasts = tuple(
                [
                    await self._forecaster.laid_out(one, is_preview=is_preview) if one.target in asking else one
                    for one in forecasts
                ]
            )
            plan = make_plan(request, node, forecasts)
        if not is_preview:
            for forecast in forecasts:
                self._forecaster.begin(forecast)
        return plan if plan.refusal else plan.model_copy(update={"refusal": self._cannot_keep(forecasts)})

    def _worth_asking(
        self, plan: Plan, forecasts: tuple[Forecast, ...], node: Snapshot, *, is_preview: bool
    ) -> frozenset[str]:
        """Models that the engine should lay out first: it could be another plan, or others would leave for them."""
        request = plan.request
        assert isinstance(request, LoadRequest | SwapRequest)
        if plan.already_resident or (plan.refusal and plan.verdict != "does_not_fit"):
            return frozenset()
        is_open = is_doubtful(request, node, forecasts)
        at_stake = bool(plan.evictions) and not is_preview
        return frozenset(
            one.target
            for one in forecasts
            if (is_open and one.estimate.confidence != "measured" and not one.is_laid_out)
            or (at_stake and self._forecaster.is_new(one))
        )

    def _cannot_keep(self, forecasts: tuple[Forecast, ...]) -> str | None:
        """That a time to stay was given to a backend that knows none."""
        for load in (forecast.load for forecast in forecasts):
            keeps = isinstance(self._backends.get(load.backend), Keeping)
            if not keeps and load.options.keep not in {None, "forever"}:
                return f"{load.backend} keeps a model until it is unloaded, and knows no time to keep it for"
        return None

    async def _plan_server(self, request: ServerRequest, node: Snapshot) -> Plan:
        """What starting or stopping the backend would do."""
        backend = self._backends.get(request.backend)
        if isinstance(backend, Supervised):
            return plan_server(request, node, await backend.server_steps(request.verb))
        again = _again(request, node, self._wishes) if isinstance(request, StartRequest) else ()
        loads = tuple([await self._plan_load(load, node) for load in again])
        return plan_models(request, node, self._wishes.last_ran(request.backend), loads)


def _loads(request: LoadRequest | SwapRequest) -> tuple[LoadRequest | SwapRequest, ...]:
    """Every model that comes. Raises BadRequest where one of them would come twice."""
    loads = (request, *(request.beside if isinstance(request, SwapRequest) else ()))
    times = Counter(map(target, loads))
    if twice := next((one for one, count in times.items() if count > 1), None):
        raise BadRequest(f"{twice} cannot be loaded twice", "name every model once")
    return loads


def _again(request: StartRequest, node: Snapshot, wishes: Wishes) -> tuple[LoadRequest, ...]:
    """What loads again what ran last on a backend, as far as it is still there and not in memory."""
    state = next((one for one in node.backends if one.backend == request.backend), None)
    known = {file.name for file in state.models} if state else set()
    there = {row.name for row in state.resident if row.phase == "ready"} if state else set()
    if request.beside:
        return tuple(load for load in request.beside if load.model not in there)
    return tuple(
        LoadRequest(author=request.author, backend=request.backend, model=model, options=options)
        for model, options in wishes.last_ran(request.backend).items()
        if model in known - there
    )
