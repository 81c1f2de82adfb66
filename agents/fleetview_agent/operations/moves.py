"""Moving models into and out of memory, and back again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial

from fleetview_agent.backends import Backend, Keeping, Observing, Supervised
from fleetview_agent.errors import AgentError, BadRequest, NotFound, NotResident
from fleetview_agent.operations.attempt import to_its_end
from fleetview_agent.operations.gate import Gate
from fleetview_agent.operations.work import Placement, Work
from fleetview_agent.records.wishes import Wishes
from fleetview_agent.wire import Keep, LoadOptions, Operation, ResidentModel

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""Between looks at answers that do not go through this agent."""


class Moves:
    """The only one that loads and unloads. Targets are `BACKEND/MODEL`."""

    def __init__(
        self,
        backends: Mapping[str, Backend],
        gate: Gate,
        wishes: Wishes,
        in_flight: Callable[[Collection[str]], Awaitable[int]],
        drain_seconds: float,
    ) -> None:
        self._backends = backends
        self._gate = gate
        self._wishes = wishes
        self._in_flight = in_flight
        self._drain_seconds = drain_seconds

    def backend(self, name: str) -> Backend:
        """The backend of that name. Raises NotFound."""
        if (backend := self._backends.get(name)) is None:
            raise NotFound(f"there is no backend {name} on this node", f"it has {', '.join(self._backends)}")
        return backend

    async def replace(self, work: Work, leaving: tuple[str, ...], coming: Placement) -> None:
        """Load a model, after those that make room for it have left."""
        with self._gate.closed(leaving):
            async with coming.backend.preparing():
                await self.evict(work, leaving)
                work.enter("load")
                work.loaded.append(coming)
                try:
                    await coming.backend.load(coming.model, coming.options, work.advance)
                except BadRequest:  # it is there otherwise since the plan was made, and not by our doing
                    work.loaded.remove(coming)
                    raise
            work.enter("warm")
            await coming.backend.warm(coming.model)

    async def evict(self, work: Work, targets: tuple[str, ...]) -> None:
        """Let answers end, then take models out of memory."""
        if not targets:
            return
        with self._gate.closed(targets):
            await self.drain(work, targets)
            work.enter("evict")
            for target in targets:
                backend, row = await self._find(target)
                if row is not None and row.phase == "ready":
                    work.evicted.append(self.placement(backend, row))
                try:
                    await to_its_end(backend.unload(target.partition("/")[2]))
                except NotResident:
                    logger.info("%s left by itself before it was told to", target)

    async def end_server(self, work: Work, backend: Backend, server: Supervised, targets: tuple[str, ...]) -> None:
        """Let answers end, then end the server of `backend` and with it its models."""
        with self._gate.closed(targets):
            if targets:
                await self.drain(work, targets)
            state = await backend.status()
            work.evicted += [self.placement(backend, row) for row in state.resident if row.phase == "ready"]
            work.enter("stop")
            work.undo_server = server.start if state.phase == "ready" else None
            await to_its_end(server.stop())

    async def keep(self, work: Work, former: Placement, keep: Keep | None) -> None:
        """Say how long a resident model stays; an engine that knows no times is not asked."""
        if not isinstance(former.backend, Keeping):
            return
        undo = partial(former.backend.keep, former.model, former.options.keep)
        try:
            await to_its_end(former.backend.keep(former.model, keep))
        except asyncio.CancelledError:
            work.undo_keep = undo
            raise
        work.undo_keep = undo

    async def drain(self, work: Work, targets: tuple[str, ...]) -> None:
        """Let answers in progress end, as long as they may."""
        work.enter("drain", evictions=tuple(dict.fromkeys((*work.operation.evictions, *targets))))
        try:
            async with asyncio.timeout(self._drain_seconds):
                await self._gate.idle(targets)
                observed = [one for one in targets if isinstance(self.backend(one.partition("/")[0]), Observing)]
                while observed and await self._in_flight(observed):  # noqa: ASYNC110 - nobody signals it
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            logger.warning("answers of %s are cut: they did not end in time", ", ".join(targets))

    def placement(self, backend: Backend, row: ResidentModel) -> Placement:
        """How a resident model is brought back as it is now."""
        target = f"{backend.name}/{row.name}"
        wished = self._wishes.options(target)
        stays = isinstance(backend, Keeping) and row.expires_in_seconds is None
        keep = wished.keep if wished else ("forever" if stays else None)
        options = (wished or row.options or LoadOptions()).model_copy(update={"context": row.context, "keep": keep})
        return Placement(backend, row.name, options, pinned=target in self._wishes.pins)

    async def roll_back(self, work: Work, cause: str) -> Operation:
        """Bring the node back to where it was before the operation."""
        if not (work.loaded or work.evicted or work.undo_server or work.undo_keep):
            return work.ended("failed" if work.operation.phase == "plan" else "rolled_back", cause)
        work.enter("roll_back")
        undos: list[Callable[[], Awaitable[None]]]
        undos = [work.undo_keep] if work.undo_keep else []
        undos += [partial(_take_out, loaded) for loaded in reversed(work.loaded)]
        undos += [work.undo_server] if work.undo_server else []
        undos += [partial(_bring_back, former) for former in work.evicted]
        lost = []
        for undo in undos:
            try:
                await undo()
            except AgentError as problem:
                lost.append(str(problem))
        if not lost:
            return work.ended("rolled_back", cause)
        return work.ended("failed", f"{cause}; going back failed too: {'; '.join(lost)}. {await self._residents()}")

    async def _find(self, target: str) -> tuple[Backend, ResidentModel | None]:
        """Where a model is resident, and as what. Raises NotFound."""
        name, _, model = target.partition("/")
        backend = self.backend(name)
        return backend, next((row for row in (await backend.status()).resident if row.name == model), None)

    async def _residents(self) -> str:
        """What is in memory now, in a sentence."""
        names = [
            f"{name}/{row.name}"
            for name, backend in self._backends.items()
            for row in (await backend.status()).resident
            if row.phase == "ready"
        ]
        return f"Resident now: {', '.join(names) or 'nothing'}"


async def _take_out(loaded: Placement) -> None:
    """Unload what the operation has loaded, as far as it came."""
    if any(row.name == loaded.model for row in (await loaded.backend.status()).resident):
        await loaded.backend.unload(loaded.model)


async def _bring_back(former: Placement) -> None:
    """Load again what the operation had evicted."""
    await former.backend.load(former.model, former.options, lambda _: None)
