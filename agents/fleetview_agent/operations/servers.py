"""Starting, stopping and restarting a backend: its engine's own server, or all of its models where it has none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fleetview_agent.backends import Backend, Supervised
from fleetview_agent.operations.inverses import after_start, after_stop
from fleetview_agent.operations.moves import Moves
from fleetview_agent.operations.work import Work
from fleetview_agent.planning.planner import Planner
from fleetview_agent.records.wishes import Wishes
from fleetview_agent.wire import LoadRequest, Plan, RestartRequest, ServerRequest, StartRequest, StopRequest


class Servers:
    """What the operations start, stop and restart do after their plan; `bring` loads one model, planned as it comes."""

    def __init__(
        self, moves: Moves, planner: Planner, wishes: Wishes, bring: Callable[[Work, LoadRequest], Awaitable[None]]
    ) -> None:
        self._moves = moves
        self._planner = planner
        self._wishes = wishes
        self._bring = bring

    async def start(self, work: Work, request: StartRequest, plan: Plan) -> None:
        """Start the server, after processes that an earlier one left behind are gone; or load again what ran last."""
        backend = self._moves.backend(request.backend)
        before = await backend.status()
        was_running = before.phase == "ready"
        await self._moves.evict(work, plan.evictions)
        if isinstance(backend, Supervised):
            await self._start(work, backend, backend)
            # A server that was lost a moment ago may have been planned for before its orphans were seen.
            await self._moves.evict(work, await _orphans(backend))
            loads = request.beside
        else:
            loads = await self._planner.again(request)
            was_running = any(row.phase == "ready" for row in before.resident)
        for load in loads:
            await self._bring(work, load)
        if work.loaded or isinstance(backend, Supervised):
            work.inverse = after_start(request, work.loaded, was_running=was_running)
        for came in work.loaded:
            self._wishes.placed(came.target, came.options, pinned=came.pinned)

    async def stop(self, work: Work, request: StopRequest, plan: Plan) -> None:
        """End the server, and with it its models; or all models."""
        if await self._end(work, request, plan):
            work.inverse = after_stop(request, work.evicted)
        self._wishes.stopped(plan.evictions)

    async def restart(self, work: Work, request: RestartRequest, plan: Plan) -> None:
        """End the server and start it again, and load again what was in memory."""
        backend = self._moves.backend(request.backend)
        had_run = await self._end(work, request, plan)
        if isinstance(backend, Supervised):
            await self._start(work, backend, backend)
            if not had_run:
                work.inverse = StopRequest(author=request.author, backend=request.backend)
        for former in tuple(work.evicted):
            await self._moves.replace(work, (), former)

    async def _start(self, work: Work, backend: Backend, server: Supervised) -> None:
        """Start the server; going back ends it again, unless it is to run then."""
        if work.undo_server is None and (await backend.status()).phase != "ready":
            work.undo_server = server.stop
        work.enter("start")
        await server.start()

    async def _end(self, work: Work, request: ServerRequest, plan: Plan) -> bool:
        """End all that there is of a backend, after its answers have ended; whether anything was there."""
        backend = self._moves.backend(request.backend)
        if not isinstance(backend, Supervised):
            await self._moves.evict(work, plan.evictions)
            return bool(work.evicted)
        orphans = await _orphans(backend)
        await self._moves.evict(work, orphans)
        is_running = (await backend.status()).phase == "ready"
        await self._moves.end_server(work, backend, backend, tuple(set(plan.evictions) - set(orphans)))
        return is_running


async def _orphans(backend: Backend) -> tuple[str, ...]:
    """Processes of the engine that nobody can ask any more."""
    state = await backend.status()
    return tuple(f"{backend.name}/{row.name}" for row in state.resident if row.phase == "orphaned")
