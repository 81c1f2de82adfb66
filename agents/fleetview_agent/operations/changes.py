"""Changes of what is in memory: load, swap, unload, and how long models stay there."""

from __future__ import annotations

from fleetview_agent.backends import Keeping
from fleetview_agent.errors import BadRequest, RefusedOperation
from fleetview_agent.operations.inverses import (
    after_load,
    after_pin,
    keep_after,
    keep_as_before,
    load_again,
    pin_as_before,
)
from fleetview_agent.operations.moves import Moves
from fleetview_agent.operations.servers import Servers
from fleetview_agent.operations.work import Placement, Work
from fleetview_agent.planning.planner import Planner
from fleetview_agent.records.wishes import Wishes
from fleetview_agent.wire import (
    KeepRequest,
    LoadOptions,
    LoadRequest,
    Operation,
    PinRequest,
    Plan,
    RestartRequest,
    StartRequest,
    StopRequest,
    SwapRequest,
    UnloadRequest,
    UnpinRequest,
    target,
)


class Changes:
    """What operations of the queue do, each when its turn has come."""

    def __init__(self, moves: Moves, planner: Planner, wishes: Wishes) -> None:
        self._moves = moves
        self._planner = planner
        self._wishes = wishes
        self._servers = Servers(moves, planner, wishes, self.bring)

    async def perform(self, work: Work) -> None:
        """Carry out the phases of one operation."""
        work.enter("plan")
        plan = await self._planner.plan(work.operation.request, work.operation.id)
        if plan.refusal:
            raise RefusedOperation(plan.refusal)
        work.expect(plan.expected_seconds)
        match request := work.operation.request:
            case UnloadRequest():
                await self._unload(work, request)
            case LoadRequest() | SwapRequest():
                await self._load(work, request, plan)
            case PinRequest() | UnpinRequest() | KeepRequest():
                await self._pin(work, request)
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
        for former in work.evicted:
            work.inverse = load_again(former, request.author)
        self._wishes.left((target(request),))

    async def _load(self, work: Work, request: LoadRequest | SwapRequest, plan: Plan) -> None:
        """Load a model, and those beside it, after those that make room for them have left."""
        if plan.already_resident:
            await self._stay(work, request)
        elif several := _several(request):
            await self._moves.evict(work, plan.evictions)
            for one in several:
                await self.bring(work, one)
        else:
            await self._come(work, request, plan)
        if not work.loaded:
            return
        work.inverse = after_load(work.evicted, work.loaded, request.author)
        for came in work.loaded:
            self._wishes.placed(came.target, came.options, pinned=came.pinned)
        here = {came.target for came in work.loaded}
        self._wishes.left([one for one in work.operation.evictions if one not in here])

    async def bring(self, work: Work, request: LoadRequest) -> None:
        """Load one of several models, planned as things are when its turn comes."""
        plan = await self._planner.plan(request, work.operation.id)
        if plan.refusal:  # no RefusedOperation: others may have been loaded before it
            raise BadRequest(plan.refusal)
        if not plan.already_resident:
            await self._come(work, request, plan)

    async def _come(self, work: Work, request: LoadRequest | SwapRequest, plan: Plan) -> None:
        """Load a model as planned, and learn from it."""
        backend, keep = self._moves.backend(request.backend), request.options.keep
        is_pinned = target(request) in self._wishes.pins if request.pin is None else request.pin
        if keep is None and isinstance(backend, Keeping) and is_pinned:
            keep = "forever"
        options = request.options.model_copy(update={"context": plan.context, "keep": keep})
        before = work.seconds_in("load", "warm")
        await self._moves.replace(work, plan.evictions, Placement(backend, request.model, options, pinned=request.pin))
        await self._planner.remember(request, plan.context, work.seconds_in("load", "warm") - before)

    async def _stay(self, work: Work, request: LoadRequest | SwapRequest) -> None:
        """Let a model stay that is there already, for as long as is asked for."""
        former = await self._resident(request)
        if former is None:  # it left since the plan was made; so it is wanted, and comes back as what should run
            self._wishes.came(target(request), request.options)
            return
        options = former.options
        keep = "forever" if request.options.keep is None and request.pin else request.options.keep
        if keep is not None and isinstance(former.backend, Keeping):
            work.enter("keep")
            await self._moves.keep(work, former, keep)
            options = options.model_copy(update={"keep": keep})
            if keep != former.options.keep:
                work.inverse = keep_as_before(former, request.author)
        if request.pin not in {None, former.pinned}:
            work.inverse = pin_as_before(former, request.author)
        self._wishes.placed(former.target, options, pinned=request.pin)

    async def _pin(self, work: Work, request: PinRequest | UnpinRequest | KeepRequest) -> None:
        """Say how long a model stays, and whether it may leave for another one."""
        work.enter("keep")
        former, keep = await self._resident(request), keep_after(request)
        now = LoadOptions()
        if former is not None:
            now = former.options
            await self._moves.keep(work, former, keep)
            if isinstance(former.backend, Keeping):
                now = now.model_copy(update={"keep": keep})
        work.inverse = None if former is None else after_pin(request, former)
        match request:
            case PinRequest():
                self._wishes.pin(target(request))
                self._wishes.came(target(request), now)
            case UnpinRequest():
                self._wishes.unpin(target(request))
                self._wishes.changed(target(request), now)
            case KeepRequest():
                self._wishes.changed(target(request), now)

    async def _resident(
        self, request: LoadRequest | SwapRequest | PinRequest | UnpinRequest | KeepRequest
    ) -> Placement | None:
        """The model as it is in memory."""
        backend = self._moves.backend(request.backend)
        rows = (await backend.status()).resident
        row = next((row for row in rows if row.name == request.model), None)
        return None if row is None else self._moves.placement(backend, row)


def _several(request: LoadRequest | SwapRequest) -> tuple[LoadRequest, ...]:
    """Each of the models that come together; none where it is one alone."""
    if not isinstance(request, SwapRequest) or not request.beside:
        return ()
    own = request.model_dump(include={"author", "backend", "model", "options", "force", "pin"})
    return (LoadRequest.model_validate(own), *request.beside)
