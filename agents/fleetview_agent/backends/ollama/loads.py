"""Brings models into memory and out of it, and says so only once that is certain."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from fleetview_agent.backends.ollama.answering import Answering
from fleetview_agent.backends.ollama.api import OllamaApi
from fleetview_agent.backends.ollama.http import BrokenOff
from fleetview_agent.backends.ollama.inventory import Entry, Inventory
from fleetview_agent.backends.ollama.load_settings import LEAST_CONTEXT_WITH_IMAGES
from fleetview_agent.backends.ollama.looks import Looks
from fleetview_agent.backends.ollama.memory import Memory, Place
from fleetview_agent.backends.ollama.orphans import end_process
from fleetview_agent.backends.ollama.residents import Residents, Seen, names_of
from fleetview_agent.backends.ollama.tail import last_lines
from fleetview_agent.errors import AgentError, BackendFailed, BadRequest, NotFound, NotResident, Unusable
from fleetview_agent.wire import Keep, LoadOptions

logger = logging.getLogger(__name__)

UNLOAD_SECONDS = 60.0
"""How long a model may take to leave; it stays as long as other clients' answers last."""
CANCEL_SECONDS = 15.0
POLL_SECONDS = 0.1
QUIET_LOOKS = 2
"""In a row, before a load that was broken off is over: a process that is just being started is not seen yet."""
LEAST_CONTEXT = 4
"""Ollama raises a smaller one to this, as one with images to the larger (ollama : server/sched.go, getRunner)."""
_ORPHAN = re.compile(r".+#(?P<pid>[1-9]\d*)")


class Loads:
    """What changes the memory of the server."""

    def __init__(
        self,
        api: OllamaApi,
        inventory: Inventory,
        residents: Residents,
        memory: Memory,
        looks: Looks,
        *,
        changed: Callable[[], None],
        log_file: Callable[[], Path | None],
    ) -> None:
        self._api = api
        self._inventory = inventory
        self._residents = residents
        self._memory = memory
        self._looks = looks
        self._changed = changed
        self._log_file = log_file
        self.answering = Answering()

    async def place(self, model: str) -> Place:
        """The resident model of that name. Raises NotResident."""
        if (place := (await self._residents.look()).find(model)) is None:
            raise NotResident(f"ollama/{model} is not resident", "load it first")
        if (failure := self._memory.fallen().get(place.name)) is not None:
            raise NotResident(f"ollama/{place.name} has failed: {failure.reason}", "load it again")
        if (work := self._memory.works.get(place.name)) is not None:
            raise NotResident(f"ollama/{place.name} is {work}", "wait until that is over")
        return place

    async def usable(self, model: str) -> Entry:
        """The model on disk. Raises NotFound, Unusable."""
        if (entry := await self._inventory.find(model)) is None:
            raise NotFound(f"there is no model {model} for ollama on this node", "`fleetview models` lists them")
        if entry.refusal is not None:
            raise Unusable(entry.refusal, "get the model again, or another one")
        return entry

    def embeds(self, name: str) -> bool:
        """Whether a model makes embeddings and answers no prompts, as far as it was listed."""
        entry = self._inventory.last.get(name)
        return entry is not None and entry.embeds

    async def load(self, model: str, options: LoadOptions) -> None:
        """Return when it can answer; broken off, it leaves again. Raises BadRequest where it is there otherwise."""
        entry = await self.usable(model)
        if self._is_resident(entry, await self._residents.look(), options.context):
            if options.keep is not None:
                await self.keep(entry.name, options.keep, options.keep)
            return
        with self._memory.working(entry.name, "loading"):
            self.answering.forget(entry.name)
            self._changed()
            try:
                await self._api.load(entry.name, context=options.context, keep=options.keep, embeds=entry.embeds)
            except asyncio.CancelledError:
                await _to_its_end(self._leave(entry.name))
                raise
            except BackendFailed as problem:
                if isinstance(problem, BrokenOff):
                    await _to_its_end(self._leave(entry.name))
                raise await self._with_log(problem) from problem
            finally:
                self._changed()
        self._memory.keep(entry.name, options.keep)

    async def keep(self, model: str, keep: Keep | None, seconds: Keep) -> None:
        """Say how long it stays: `seconds`, which stands for the engine's own time where `keep` is None."""
        place = await self.place(model)
        await self._api.keep(place.name, seconds, context=place.loaded.context, embeds=self.embeds(place.name))
        self._memory.keep(place.name, keep)
        self._changed()

    async def unload(self, model: str) -> None:
        """Return when its memory is free; what has fallen out of memory is forgotten, and an orphan ended."""
        if await self._end_orphan(model):
            return
        await self._inventory.look_at_disk()  # names what a runner that is not listed holds
        seen = await self._residents.look()
        place = seen.find(model)
        if place is None:
            await self._unload_absent(model, seen)
            return
        with self._memory.working(place.name, "unloading"):
            self._changed()
            problem = BackendFailed(f"{place.name} was unloaded during the answer", "load it again to go on")
            await self.answering.end(place.name, problem)
            try:
                await self._api.unload(place.name)
                await self._gone(place.name, {place.pid} - {None})
            except BackendFailed:
                await self._let_stay(place)
                raise
            finally:
                self._changed()

    async def _end_orphan(self, model: str) -> bool:
        """End the orphan of that name, for which no server is needed; whether it is one."""
        if (match := _ORPHAN.fullmatch(model)) is None:
            return False
        orphans = (await self._looks.look(afresh=True)).orphans
        runner = next((one for one in orphans if one.pid == int(match["pid"])), None)
        if runner is None:
            raise NotResident(f"ollama/{model} is not there any more")
        await asyncio.to_thread(end_process, runner)
        await self._looks.look(afresh=True)
        self._changed()
        return True

    async def _unload_absent(self, model: str, seen: Seen) -> None:
        """Unload what the server does not list. Raises NotResident, BadRequest."""
        if model in self._memory.fallen():
            self._memory.forget(model)
            self._changed()
            return
        if self._coming(model, seen):
            raise BadRequest(
                f"ollama/{model} is on its way into memory or out of it, for another client",
                "wait until that is over",
            )
        raise NotResident(f"ollama/{model} is not resident")

    async def _leave(self, model: str) -> None:
        """Make sure that a model whose load was broken off does not stay."""
        deadline = asyncio.get_running_loop().time() + CANCEL_SECONDS
        quiet = 0
        while quiet < QUIET_LOOKS and asyncio.get_running_loop().time() < deadline:
            seen = await self._residents.look(afresh=True)
            if seen.find(model) is not None:
                await self._api.unload(model)
            is_there = seen.find(model) or self._coming(model, seen)
            quiet = 0 if is_there else quiet + 1
            await asyncio.sleep(POLL_SECONDS)

    async def _gone(self, model: str, pids: set[int | None]) -> None:
        """Return when neither list nor process is there any more. Raises BackendFailed."""
        deadline = asyncio.get_running_loop().time() + UNLOAD_SECONDS
        while True:
            seen = await self._residents.look(afresh=True)
            place = seen.find(model)
            held = pids & {runner.pid for runner in seen.sight.processes.runners}
            if not held and (place is None or (place.pid is not None and pids and place.pid not in pids)):
                return
            if asyncio.get_running_loop().time() > deadline:
                raise BackendFailed(
                    f"ollama/{model} is still in memory {UNLOAD_SECONDS:.0f} s after it was told to leave",
                    "it stays; unload it when the answers of its other clients have ended",
                )
            await asyncio.sleep(POLL_SECONDS)

    async def _let_stay(self, place: Place) -> None:
        """Take an unload back that did not come about; else the model would leave when its last answer has ended."""
        seconds = None if place.loaded.expires_at is None else max(1.0, place.loaded.expires_at - time.time())
        keep: Keep | None = "forever" if place.loaded.forever else seconds
        try:
            if (await self._residents.look()).find(place.name) is not None:
                embeds = self.embeds(place.name)
                await self._api.keep(place.name, keep, context=place.loaded.context, embeds=embeds)
        except AgentError as problem:
            logger.warning("%s may leave when its answers have ended: %s", place.name, problem)

    def _coming(self, model: str, seen: Seen) -> bool:
        """Whether some runner is on its way with that model."""
        return any(model in names_of(runner, self._inventory.names()) for runner in seen.further)

    def _is_resident(self, entry: Entry, seen: Seen, context: int | None) -> bool:
        """Whether it is there as wanted. Raises BadRequest where it is there otherwise."""
        place = seen.find(entry.name)
        if place is None or place.name in self._memory.fallen():
            self._refuse_twin(entry, seen)
            return False
        if work := self._memory.works.get(place.name):
            raise BadRequest(f"ollama/{place.name} is {work} just now", "wait until that is over")
        there = place.loaded.context
        if context is not None and there is not None and effective(entry, context) != there:
            raise BadRequest(
                f"ollama/{place.name} is resident with a context of {there} tokens, not {context}",
                "unload it first",
            )
        return True

    def _refuse_twin(self, entry: Entry, seen: Seen) -> None:
        """Ollama keeps one runner for a file: a second model of the same file would only show as the first."""
        blob = entry.stored.blob if entry.stored else None
        for place in seen.places:
            if place.name in self._memory.fallen():
                continue
            other = self._inventory.last.get(place.name)
            if blob is not None and other is not None and other.stored and other.stored.blob == blob:
                raise BadRequest(
                    f"ollama/{entry.name} is the same file as ollama/{place.name}, which is resident",
                    f"use that one, or unload {place.name} first",
                )

    async def _with_log(self, problem: BackendFailed) -> BackendFailed:
        """The failure with the engine's last lines, where it has none of its own."""
        file = self._log_file()
        if problem.log or file is None:
            return problem
        log = await asyncio.to_thread(last_lines, file)
        return BackendFailed(problem.message, problem.hint, log=log, exit_status=problem.exit_status)


def effective(entry: Entry, context: int) -> int:
    """The context that Ollama gives a model when it is asked for this one."""
    abilities = (entry.shown.capabilities if entry.shown else entry.listed.capabilities) or ()
    least = LEAST_CONTEXT_WITH_IMAGES if "vision" in abilities else LEAST_CONTEXT
    return min(max(context, least), entry.trained_context or context)


async def _to_its_end(action: Coroutine[Any, Any, None]) -> None:  # Any: what the coroutine awaits is its own affair
    """Let `action` finish, however often we are cancelled meanwhile; it has a deadline of its own."""
    task = asyncio.ensure_future(action)
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            continue
    task.exception()
