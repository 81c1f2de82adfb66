"""Brings together what slots, counters and log say of each ended request, and tells it once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fleetview_agent.backends.ollama.clients import author, is_local
from fleetview_agent.backends.ollama.log_lines import Answered, Logged
from fleetview_agent.backends.ollama.own import Ending, OwnAnswers
from fleetview_agent.backends.ollama.told import Figures, figures
from fleetview_agent.backends.ollama.watch import End, Watch
from fleetview_agent.wire import Served

SETTLE_SECONDS = 1.0
"""How long the end of a request is kept, so that all sources can speak, and its client can have read it."""
LOG_SECONDS = 3.0
"""How long a log that should tell of it is waited for."""
ANSWERED_SECONDS = 0.01
"""A web server's time for a request is not shorter than its runner's by more than this."""
_MODEL_PATHS = (
    "/api/chat",
    "/api/generate",
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/responses",
    "/v1/messages",
)
_TOLD_KEPT = 256
_Key = tuple[Watch, int, int]


@dataclass
class Entry:
    """One ended request."""

    watch: Watch
    noticed_at: float
    began_by: float
    end: End | None = None
    logged: Logged | None = None


class Ledger:
    """Requests that have ended and are not told yet."""

    def __init__(self, backend: str, own: OwnAnswers, served: Callable[[Served], None]) -> None:
        self._backend = backend
        self._own = own
        self._served = served
        self._entries: dict[_Key, Entry] = {}
        self._told: dict[_Key, bool] = {}
        self._homeless: list[tuple[float, Logged]] = []
        self._answered: list[tuple[float, Answered]] = []
        self._names: dict[_Key, tuple[str, ...]] = {}
        self.is_log_proven = False
        """Whether the log has told of a request that slots showed too, so that its silence means something."""

    def seen(self, watch: Watch, ends: Iterable[End]) -> None:
        """Slots have shown these ends."""
        now = time.monotonic()
        for end in ends:
            key = _key(watch, end.finished.slot, end.finished.task)
            if key not in self._told:
                entry = self._entries.setdefault(key, Entry(watch, now, end.finished.began_by))
                entry.end, entry.began_by = end, min(entry.began_by, end.finished.began_by)

    def connected(self, watch: Watch, slot: int, task: int, names: tuple[str, ...]) -> None:
        """These were connected to the server while the request ran."""
        self._names[_key(watch, slot, task)] = names
        if len(self._names) > _TOLD_KEPT:
            del self._names[next(iter(self._names))]

    def heard(self, logged: Iterable[Logged], answered: Iterable[Answered]) -> None:
        """The log has told this."""
        now = time.monotonic()
        self._homeless += [(now, one) for one in logged]
        self._answered += [(now, one) for one in answered if one.path in _MODEL_PATHS]

    def settle(self, watches: Iterable[Watch], *, has_log: bool) -> None:
        """Tell what nobody else will say more about."""
        now = time.monotonic()
        all_watches = tuple(watches)
        self._homeless = [(at, one) for at, one in self._homeless if not self._housed(at, one, all_watches, now)]
        for key, entry in tuple(self._entries.items()):
            age = now - entry.noticed_at
            if age < SETTLE_SECONDS or (has_log and entry.logged is None and age < LOG_SECONDS):
                continue
            if has_log and entry.logged is None:
                self.is_log_proven = False  # it is not this server's, or it is no longer written
            self._tell(key, entry)
        self._answered = [(at, one) for at, one in self._answered if now - at < LOG_SECONDS]

    def _housed(self, at: float, logged: Logged, watches: tuple[Watch, ...], now: float) -> bool:
        """Find the runner that a request in the log belongs to; whether it need not be kept any longer."""
        for watch in watches:
            entry = self._entries.get(_key(watch, logged.slot, logged.task))
            if entry is not None and _agrees(entry, logged):
                entry.logged = logged
                self.is_log_proven = True
                return True
        if any(self._told.get(_key(watch, logged.slot, logged.task)) is False for watch in watches):
            return True  # it comes too late
        if any(watch.slots.has_in_hand(logged.slot, logged.task) for watch in watches):
            return False  # the next poll will show its end
        mine = [watch for watch in watches if watch.slots.may_have_had(logged.task)]
        if self.is_log_proven and now - at >= SETTLE_SECONDS and (len(watches) == 1 or len(mine) == 1):
            watch = (mine or list(watches))[0]
            self._entries[_key(watch, logged.slot, logged.task)] = Entry(watch, at, at, logged=logged)
            return True
        return now - at >= LOG_SECONDS

    def _tell(self, key: _Key, entry: Entry) -> None:
        """Say it, unless the agent itself asked; and remember that it was said."""
        del self._entries[key]
        self._told[key] = entry.logged is not None
        if len(self._told) > _TOLD_KEPT:
            del self._told[next(iter(self._told))]
        names = self._names.pop(key, ())
        answered = self._matching(entry)
        known = figures(entry.end, entry.logged, answered)
        if known.time_to_first_token_seconds is not None:
            entry.watch.time_to_first_token = known.time_to_first_token_seconds
        if not self._own.claim(_ending(entry, known)):
            who = author(names) if answered is None or is_local(answered.client) else answered.client
            self._served(known.served(self._backend, entry.watch.model, who))

    def _matching(self, entry: Entry) -> Answered | None:
        """The web server's line for this request: the one whose time is least above the runner's."""
        if entry.logged is None or entry.logged.completion_seconds is None:
            return None
        least = (entry.logged.prompt_seconds or 0) + entry.logged.completion_seconds - ANSWERED_SECONDS
        fitting = [both for both in self._answered if both[1].seconds >= least or not both[1].is_precise]
        if not fitting:
            return None
        best = min(fitting, key=lambda both: both[1].seconds)
        self._answered.remove(best)
        return best[1]


def _key(watch: Watch, slot: int, task: int) -> _Key:
    """What names a request on this machine."""
    return (watch, slot, task)


def _agrees(entry: Entry, logged: Logged) -> bool:
    """Whether slots and log can mean the same request; two runners may use the same numbers."""
    total = entry.end.finished.total_tokens if entry.end else None
    return entry.logged is None and (total is None or logged.total_tokens is None or total == logged.total_tokens)


def _ending(entry: Entry, known: Figures) -> Ending:
    """The request, for the search of its owner."""
    return Ending(
        model=entry.watch.model,
        began_by=entry.began_by,
        noticed_at=entry.noticed_at,
        completion_tokens=known.completion_tokens,
        is_exact=known.is_exact,
        running_since=tuple(live.first_at for live in entry.watch.slots.live.values()),
    )
