"""What all clients ask of Ollama's models, seen from outside: at its runners, and in its server's log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from fleetview_agent.backends.ollama.clients import connected
from fleetview_agent.backends.ollama.ledger import Ledger
from fleetview_agent.backends.ollama.log_file import LogFile
from fleetview_agent.backends.ollama.log_lines import LogLines
from fleetview_agent.backends.ollama.own import OwnAnswer, OwnAnswers
from fleetview_agent.backends.ollama.processes import Runner
from fleetview_agent.backends.ollama.supervise.facts import LogUnit
from fleetview_agent.backends.ollama.system_journal import SystemJournal
from fleetview_agent.backends.ollama.tail import last_lines
from fleetview_agent.backends.ollama.watch import Watch
from fleetview_agent.wire import Served, Traffic

LOG_PATIENCE_SECONDS = 0.05
PATIENCE_SECONDS = 0.15
"""How long polls are waited for; a slower one goes on, and counts when it comes."""
_Key = tuple[int, float, int]
_Request = tuple[_Key, int, int | None]


class Observer:
    """Watches every runner; `served` is told each request that did not come through this agent, `logged` each line."""

    def __init__(
        self, backend: str, served: Callable[[Served], None], logged: Callable[[str], None] = lambda _: None
    ) -> None:
        self._backend = backend
        self._own = OwnAnswers()
        self._ledger = Ledger(backend, self._own, served)
        self._logged = logged
        self._watches: dict[_Key, Watch] = {}
        self._polls: dict[_Key, asyncio.Task[None]] = {}
        self._lookups: dict[_Request, asyncio.Task[tuple[str, ...]]] = {}
        self._asked: frozenset[_Request] = frozenset()
        self._log: LogFile | None = None
        self._log_lines = LogLines()
        self._is_log_read = False
        self._reading: asyncio.Task[tuple[str, ...]] | None = None
        self._journal: SystemJournal | None = None

    async def observe(
        self,
        runners: Sequence[Runner],
        names: Mapping[str, str],
        *,
        server_address: str,
        log_file: Path | None,
        log_unit: LogUnit | None = None,
    ) -> None:
        """Look at runners and log, so that `rows` can tell. `names`: what clients call the model of each file."""
        await self._follow(runners, names)
        await self._read_log(log_file)
        await self._read_journal(log_unit)
        await self._poll()
        self._look_for_clients(int(server_address.rpartition(":")[2]))
        self._ledger.settle(self._watches.values(), has_log=self._is_log_read)

    def rows(self) -> tuple[Traffic, ...]:
        """What each model is doing; none for one of which that is not known."""
        now = time.monotonic()
        rows = (watch.row(now, self._log_lines) for watch in self._watches.values())
        return tuple(row for row in rows if row is not None)

    def is_answering(self, model: str) -> bool:
        """Whether the model has a request in hand, as far as is known just now."""
        now = time.monotonic()
        return any(one.is_answering(now) for one in self._watches.values() if one.model == model)

    def answering(self, model: str) -> AbstractContextManager[OwnAnswer]:
        """Held while this agent itself asks the model something, so that it is not told as another client's."""
        return self._own.answering(model)

    def time_to_first_token(self, model: str) -> float | None:
        """Of the model's last request."""
        return next((one.time_to_first_token for one in self._watches.values() if one.model == model), None)

    def idle_seconds(self, model: str) -> float | None:
        """Since the model's last answer ended, at least; None while one is running, or where it is not watched."""
        now = time.monotonic()
        return next((one.idle_seconds(now) for one in self._watches.values() if one.model == model), None)

    async def close(self) -> None:
        """End everything that is under way."""
        reading = [self._reading] if self._reading else []
        tasks: list[asyncio.Task[object]] = [*self._polls.values(), *self._lookups.values(), *reading]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._polls.clear()
        self._lookups.clear()
        self._reading = None
        await self._read_journal(None)
        for watch in self._watches.values():
            await watch.close()
        self._watches.clear()

    async def _follow(self, runners: Sequence[Runner], names: Mapping[str, str]) -> None:
        """Watch the runners that are there, and no other."""
        found = {
            (one.pid, one.created_at, one.port): one for one in runners if one.port is not None and not one.orphaned
        }
        for key in self._watches.keys() - found.keys():
            if (poll := self._polls.pop(key, None)) is not None:
                poll.cancel()
                await asyncio.wait((poll,))
            await self._watches.pop(key).close()
        for key, runner in found.items():
            if key not in self._watches:
                self._watches[key] = Watch(self._backend, runner, key[2])
            self._watches[key].model = names.get(runner.model, runner.model)

    async def _read_log(self, path: Path | None) -> None:
        """Take in what was written to the log since the last time."""
        if self._reading is None and path != (self._log.path if self._log else None):
            self._log = LogFile(path) if path else None
            self._log_lines = LogLines()
            self._is_log_read = self._ledger.is_log_proven = False
            for line in await asyncio.to_thread(last_lines, path) if path else ():
                self._logged(line)
        if self._log is None:
            return
        try:
            if self._reading is None and not self._log.has_grown():
                self._is_log_read = True
                return
            self._reading = self._reading or asyncio.create_task(asyncio.to_thread(self._log.new_lines))
            done, _ = await asyncio.wait((self._reading,), timeout=LOG_PATIENCE_SECONDS)
            if not done:
                return
            read, self._reading = self._reading, None
            lines = read.result()
        except OSError:
            self._is_log_read = self._ledger.is_log_proven = False
            return
        self._is_log_read = True
        for line in lines:
            self._logged(line)
        self._ledger.heard(*self._log_lines.read(lines))

    async def _read_journal(self, unit: LogUnit | None) -> None:
        """Tell what has come to the system's journal since the last time."""
        if self._journal is not None and self._journal.unit != unit:
            await self._journal.close()
            self._journal = None
        if unit is not None:
            self._journal = self._journal or SystemJournal(unit)
            for line in self._journal.new_lines():
                self._logged(line)

    async def _poll(self) -> None:
        """Poll the runners whose turn it is, and take in what has come by now."""
        now = time.monotonic()
        for key, watch in self._watches.items():
            if key not in self._polls and watch.is_due(now):
                self._polls[key] = asyncio.create_task(watch.poll())
        if self._polls:
            await asyncio.wait(self._polls.values(), timeout=PATIENCE_SECONDS)
        for key, poll in tuple(self._polls.items()):
            if poll.done():
                self._polls.pop(key).result()
                self._ledger.seen(self._watches[key], self._watches[key].take_ends())

    def _look_for_clients(self, port: int) -> None:
        """See once for each request that is not the agent's who is connected while it runs."""
        running: set[_Request] = set()
        for key, watch in self._watches.items():
            foreign = len(watch.slots.live) > self._own.in_hand(watch.model)
            for slot, live in watch.slots.live.items():
                request = (key, slot, live.last.task)
                running.add(request)
                if foreign and request not in self._asked:
                    self._lookups[request] = asyncio.create_task(asyncio.to_thread(connected, port))
        self._asked = frozenset(running)
        for (key, slot, task), lookup in tuple(self._lookups.items()):
            if lookup.done():
                del self._lookups[key, slot, task]
                if key in self._watches and task is not None:
                    self._ledger.connected(self._watches[key], slot, task, lookup.result())
