"""Changes of what is in memory: load, swap, unload, and how long models stay there."""

from __future__ import annotations

from fleetview_agent.backends import Backend, Keeping
from fleetview_agent.errors import RefusedOperation
from fleetview_agent.moves import Moves
from fleetview_agent.planner import Planner
from fleetview_agent.servers import Servers
from fleetview_agent.wire import (
    Keep,
    KeepRequest,
    LoadOptions,
    LoadRequest,
    Operation,
    PinRequest,
    Plan,
    Request,
    ResidentModel,
    RestartRequest,
    StartRequest,
    StopRequest,
    SwapRequest,
    UnloadRequest,
    UnpinRequest,
    target,
)
from fleetview_agent.wishes import Wishes
from fleetview_agent.work import Placement, Work


class Changes:
    """What operations of the queue do, each when its turn has come."""

    def __init__(self, moves: Moves, planner: Planner, wishes: Wishes) -> None:
        self._moves = moves
        self._planner = planner
        self._wishes = wishes
        self._servers = Servers(moves, planner, wishes)

    async def perform(self, work: Work) -> None:
        """Carry out the phases of one operation."""
        work.enter("plan")
        plan = await self._planner.plan(work.operation.request, work.operation.id)
        if plan.refusal:
            raise RefusedOperation(plan.refusal)
        match request := work.operation.request:
            case UnloadRequest():
                await self._unload(work, request)
            case LoadRequest() | SwapRequest():
                await self._load(work, request, plan)
            case PinRequest() | UnpinRequest() | KeepRequest():
                await self._keep(work, request)
            case StartRequest():
                await self._servers.start(work, request, plan)
            case StopRequest():
                await self._servers.stop(work, request, plan)
            case RestartRequest():
                await self._servers.restart(work, request, plan)
            case other:
                raise RefusedOperation(f"a {other.verb} changes nothing in memory")
        work.enter("ready")

    async def roll_back(self, work: Work, cause: str) -> Operation:
        """Bring the node back to where it was before the operation."""
        return await self._moves.roll_back(work, cause)

    async def _unload(self, work: Work, request: UnloadRequest) -> None:
        """Take one model out of memory; what ended is not brought back by itself, and its pin is gone."""
        await self._moves.evict(work, (target(request),))
        self._wishes.left((target(request),))
        for former in work.evicted:
            work.inverse = LoadRequest(
                author=request.author, backend=request.backend, model=request.model, options=former.options
            )

    async def _load(self, work: Work, request: LoadRequest | SwapRequest, plan: Plan) -> None:
        """Load a model, after those that make room for it have left."""
        backend, keep = self._moves.backend(request.backend), request.options.keep
        if plan.already_resident:
            self._wishes.came(target(request), await self._stay(work, request, keep))
            return
        if keep is None and isinstance(backend, Keeping) and target(request) in self._wishes.pins:
            keep = "forever"
        coming = Placement(backend, request.model, LoadOptions(context=plan.context, keep=keep))
        await self._moves.replace(work, plan.evictions, coming)
        await self._planner.remember(request, plan.context, work.seconds_in("load"))
        self._wishes.left([one for one in plan.evictions if one != coming.target])
        self._wishes.came(coming.target, coming.options)
        work.inverse = _back_from(work, request)

    async def _stay(self, work: Work, request: LoadRequest | SwapRequest, keep: Keep | None) -> LoadOptions:
        """Let a model stay that is there already; returns how it is there."""
        backend, row = await self._resident(request)
        former = self._moves.placement(backend, row).options if row else request.options
        if keep is None or not isinstance(backend, Keeping):
            return former
        work.enter("keep")
        await backend.keep(request.model, keep)
        return former.model_copy(update={"keep": keep})

    async def _keep(self, work: Work, request: PinRequest | UnpinRequest | KeepRequest) -> None:
        """Say how long a model stays."""
        work.enter("keep")
        backend, row = await self._resident(request)
        former = self._moves.placement(backend, row).options if row else None
        now = former
        if row is not None and former is not None and isinstance(backend, Keeping):
            now = former.model_copy(update={"keep": _keep_after(request)})
            await backend.keep(request.model, now.keep)
        pinned = target(request) in self._wishes.pins
        author, name, model = request.author, request.backend, request.model
        match request:
            case PinRequest():
                self._wishes.pin(target(request))
                self._wishes.came(target(request), now or LoadOptions())
                if not pinned:
                    work.inverse = UnpinRequest(author=author, backend=name, model=model)
            case UnpinRequest():
                self._wishes.unpin(target(request))
                self._wishes.changed(target(request), now or LoadOptions())
                if pinned and row is not None:
                    work.inverse = PinRequest(author=author, backend=name, model=model)
            case KeepRequest():
                self._wishes.changed(target(request), now or LoadOptions())
                work.inverse = request.model_copy(update={"keep": former and former.keep})

    async def _resident(
        self, request: LoadRequest | SwapRequest | PinRequest | UnpinRequest | KeepRequest
    ) -> tuple[Backend, ResidentModel | None]:
        """The backend, and the model as it is in memory."""
        backend = self._moves.backend(request.backend)
        rows = (await backend.status()).resident
        return backend, next((row for row in rows if row.name == request.model), None)


def _keep_after(request: PinRequest | UnpinRequest | KeepRequest) -> Keep | None:
    """How long the model stays from now on; None: as long as its engine likes."""
    match request:
        case PinRequest():
            return "forever"
        case UnpinRequest():
            return None
        case KeepRequest():
            return request.keep


def _back_from(work: Work, request: LoadRequest | SwapRequest) -> Request | None:
    """What undoes a load; None where no single request does."""
    if isinstance(request, LoadRequest) or not work.evicted:
        return UnloadRequest(author=request.author, backend=request.backend, model=request.model)
    if len(work.evicted) > 1:
        return None
    former = work.evicted[0]
    return SwapRequest(
        author=request.author,
        backend=former.backend.name,
        model=former.model,
        options=former.options,
        evict=(target(request),),
    )
