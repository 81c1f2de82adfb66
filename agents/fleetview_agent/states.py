"""What the backends are, as last looked at, and who is told when that changes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Collection, Mapping

from fleetview_agent.backends import Backend, Observing
from fleetview_agent.errors import StorageFailed
from fleetview_agent.records.wishes import Wishes, lapsed
from fleetview_agent.views import as_operated, without_ages
from fleetview_agent.wire import BackendChanged, BackendState

logger = logging.getLogger(__name__)

STATE_SECONDS = 5.0
"""Between looks at the backends when none of them says that it has changed."""
OBSERVED_STATE_SECONDS = 2.0
"""Between glances at engines that run and that others use too, while somebody watches."""
PATIENCE_SECONDS = 2.0
"""How long those who ask wait for a backend that does not answer."""
CALM_SECONDS = 0.1
"""Changes of a backend that come closer than this are told as one."""


class States:
    """The newest state of each backend; `publish` is told of every change, `changed` is set when there may be one."""

    def __init__(
        self,
        backends: Mapping[str, Backend],
        wishes: Wishes,
        publish: Callable[[BackendChanged], None],
        changed: asyncio.Event,
        *,
        is_watched: Callable[[], bool],
    ) -> None:
        self._backends = backends
        self._wishes = wishes
        self._publish = publish
        self._changed = changed
        self._is_watched = is_watched
        self._observing = {name: one for name, one in backends.items() if isinstance(one, Observing)}
        self._states: dict[str, BackendState] = {}
        self._looked_at: dict[str, float] = {}
        self._looking = asyncio.Lock()
        self._looks: set[asyncio.Task[None]] = set()
        """Under way for somebody who asked, who may have given up waiting."""
        self._slow_look: asyncio.Task[None] | None = None
        """One that somebody has given up waiting for."""

    @property
    def all(self) -> tuple[BackendState, ...]:
        """Every backend, as last seen; always in the same order, whichever of them answered first."""
        return tuple(self._states[name] for name in self._backends if name in self._states)

    async def run(self) -> None:
        """Look at the backends when they have changed, and now and then; sooner at those that change by themselves."""
        looked_at = time.monotonic()
        step = OBSERVED_STATE_SECONDS if self._observing else STATE_SECONDS
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(step):
                    await self._changed.wait()
            if is_due := self._changed.is_set() or time.monotonic() - looked_at >= STATE_SECONDS:
                self._changed.clear()
                looked_at = time.monotonic()
                await self.refresh()
            elif self._is_watched():
                running = {name: one for name, one in self._observing.items() if self._states[name].phase == "ready"}
                if moved := [name for name, one in running.items() if await one.has_moved()]:
                    await self.refresh(moved)
            if is_due:
                await asyncio.sleep(CALM_SECONDS)

    async def refresh_soon(self) -> None:
        """Look at every backend, but wait only so long for one that is slow to answer: that comes as a change."""
        look = self._slow_look
        if look is None or look.done():
            look = asyncio.create_task(self.refresh())
            self._looks.add(look)
            look.add_done_callback(self._looks.discard)
        done, _ = await asyncio.wait({look}, timeout=PATIENCE_SECONDS)
        self._slow_look = None if done else look
        for ended in done:
            ended.result()

    async def refresh(self, names: Collection[str] | None = None) -> None:
        """Look at every backend, or at those named, and tell what is no longer what it was."""
        async with self._looking:  # one look at a time, so that an older one never comes last
            await asyncio.gather(*(self._refresh_one(name) for name in (self._backends if names is None else names)))

    async def _refresh_one(self, name: str) -> None:
        """Look at one backend."""
        backend = self._backends[name]
        state = as_operated(await backend.status(), backend, self._wishes.pins)
        former, looked_at = self._states.get(name), self._looked_at.get(name, 0.0)
        self._states[name], self._looked_at[name] = state, time.monotonic()
        if former is None:
            return
        try:
            self._wishes.stopped(lapsed(former, state, self._looked_at[name] - looked_at))
        except StorageFailed as problem:  # worth less than the eyes of everybody who watches
            logger.warning("that models of %s have left is not kept: %s", name, problem)
        if without_ages(former) != without_ages(state):
            self._publish(BackendChanged(state=state))

    async def close(self) -> None:
        """End the looks that nobody waits for any more."""
        for look in self._looks:
            look.cancel()
        await asyncio.gather(*self._looks, return_exceptions=True)
