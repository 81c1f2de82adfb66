"""Starting, stopping and restarting a backend: its engine's own server, or all of its models where it has none."""

from __future__ import annotations

from fleetview_agent.backends import Backend, Supervised
from fleetview_agent.errors import BadRequest
from fleetview_agent.moves import Moves
from fleetview_agent.planner import Planner
from fleetview_agent.wire import LoadRequest, Plan, RestartRequest, ServerRequest, StartRequest, StopRequest
from fleetview_agent.wishes import Wishes
from fleetview_agent.work import Placement, Work


class Servers:
    """What the operations start, stop and restart do after their plan."""

    def __init__(self, moves: Moves, planner: Planner, wishes: Wishes) -> None:
        self._moves = moves
        self._planner = planner
        self._wishes = wishes

    async def start(self, work: Work, request: StartRequest, plan: Plan) -> None:
        """Start the server, after processes that an earlier one left behind are gone; or load again what ran last."""
        backend = self._moves.backend(request.backend)
        await self._moves.evict(work, plan.evictions)
        if isinstance(backend, Supervised):
            if (await backend.status()).phase != "ready":
                work.inverse = StopRequest(author=request.author, backend=request.backend)
                work.undo_server = backend.stop
            work.enter("start")
            await backend.start()
            work.undo_server = None
            # A server that was lost a moment ago may have been planned for before its orphans were seen.
            await self._moves.evict(work, await _orphans(backend))
            return
        for load in await self._planner.again(request):
            await self._load(work, backend, load)
        if work.loaded:
            work.inverse = StopRequest(author=request.author, backend=request.backend)

    async def stop(self, work: Work, request: StopRequest, plan: Plan) -> None:
        """End the server, and with it its models; or all models."""
        await self._end(work, request, plan)
        work.undo_server = None
        self._wishes.stopped(plan.evictions)

    async def restart(self, work: Work, request: RestartRequest, plan: Plan) -> None:
        """End the server and start it again, and load again what was in memory."""
        backend = self._moves.backend(request.backend)
        await self._end(work, request, plan)
        work.inverse = None
        if isinstance(backend, Supervised):
            work.enter("start")
            await backend.start()
            work.undo_server = None
        for former in tuple(work.evicted):
            await self._moves.replace(work, (), former)

    async def _end(self, work: Work, request: ServerRequest, plan: Plan) -> None:
        """End all that there is of a backend, after its answers have ended."""
        backend = self._moves.backend(request.backend)
        if not isinstance(backend, Supervised):
            await self._moves.evict(work, plan.evictions)
            is_changed = bool(work.evicted)
        else:
            orphans = await _orphans(backend)
            await self._moves.evict(work, orphans)
            is_changed = (await backend.status()).phase == "ready"
            await self._moves.end_server(work, backend, backend, tuple(set(plan.evictions) - set(orphans)))
        if is_changed:
            work.inverse = StartRequest(author=request.author, backend=request.backend)

    async def _load(self, work: Work, backend: Backend, request: LoadRequest) -> None:
        """Load one of the models that ran last."""
        plan = await self._planner.plan(request)
        if plan.refusal:  # no RefusedOperation: others may have been loaded before it
            raise BadRequest(plan.refusal)
        options = request.options.model_copy(update={"context": plan.context})
        coming = Placement(backend, request.model, options)
        await self._moves.replace(work, plan.evictions, coming)
        self._wishes.came(coming.target, options)


async def _orphans(backend: Backend) -> tuple[str, ...]:
    """Processes of the engine that nobody can ask any more."""
    state = await backend.status()
    return tuple(f"{backend.name}/{row.name}" for row in state.resident if row.phase == "orphaned")
