"""Starts and stops Ollama's server, and waits until that is certain."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from fleetview_agent.backends import ServerSteps, ServerVerb
from fleetview_agent.backends.ollama.api import OllamaApi
from fleetview_agent.backends.ollama.looks import Looks, Sight
from fleetview_agent.backends.ollama.supervise import Supervisor
from fleetview_agent.backends.ollama.tail import last_lines
from fleetview_agent.errors import AgentError, BackendFailed, BadRequest

START_SECONDS = 30.0
STOP_SECONDS = 20.0
POLL_SECONDS = 0.1


class ServerControl:
    """The server's life, by whoever supervises it."""

    def __init__(self, api: OllamaApi, looks: Looks, supervisor: Supervisor, changed: Callable[[], None]) -> None:
        self._api = api
        self._looks = looks
        self._supervisor = supervisor
        self._changed = changed

    async def steps(self, verb: ServerVerb) -> ServerSteps:
        """What the verb would do; nothing happens."""
        await self._look()
        return self._supervisor.steps(verb)

    async def start(self) -> None:
        """Return when it answers; at once if it does. Raises BackendFailed, BadRequest."""
        if await self._answers():
            return
        await self._refuse("start")
        await self._supervisor.start()
        self._changed()
        if not await _until(self._starts, START_SECONDS):
            raise await self._failed(f"Ollama's server does not answer {START_SECONDS:.0f} s after it was started")
        await self._look()
        self._changed()

    async def stop(self) -> None:
        """Return when it and its runners are gone. Raises BackendFailed, BadRequest."""
        await self._refuse("stop")
        pids = {runner.pid for runner in (await self._looks.look(afresh=True)).runners}
        await self._supervisor.stop()
        self._changed()

        async def is_gone() -> bool:
            left = {one.pid for one in (await self._look()).processes.runners}
            return not (pids & left) and not await self._answers()

        if not await _until(is_gone, STOP_SECONDS):
            raise await self._failed(f"Ollama's server is still there {STOP_SECONDS:.0f} s after it was stopped")
        self._changed()

    async def _refuse(self, verb: ServerVerb) -> None:
        """Raise BadRequest where it cannot be done."""
        if refusal := (await self.steps(verb)).refusal:
            raise BadRequest(refusal)

    async def _answers(self) -> bool:
        """Whether the server answers."""
        try:
            await self._api.version()
        except AgentError:
            return False
        return True

    async def _starts(self) -> bool:
        """Whether it answers by now. Raises BackendFailed as soon as the supervisor knows that it will not."""
        if failure := self._supervisor.failure:
            raise BackendFailed(failure.reason, log=failure.log, exit_status=failure.exit_status)
        return await self._answers()

    async def _look(self) -> Sight:
        """Look at the processes, and let the supervisor know."""
        sight = await self._looks.look(afresh=True)
        await self._supervisor.look(sight.processes)
        return sight

    async def _failed(self, message: str) -> BackendFailed:
        """The failure, with the last lines of the server's log."""
        file = self._supervisor.log_file
        log = await asyncio.to_thread(last_lines, file) if file else ()
        return BackendFailed(message, "its last lines say more" if log else "look into its log", log=log)


async def _until(holds: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """Wait for a condition; whether it came true."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not await holds():
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(POLL_SECONDS)
    return True
