"""One runner, polled: its slots live, and its counters where it has them."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import psutil

from fleetview_agent.backends.ollama.http import Http, Unreachable
from fleetview_agent.backends.ollama.log_lines import LogLines
from fleetview_agent.backends.ollama.metrics import Counted, Counters, decode_metrics, difference
from fleetview_agent.backends.ollama.processes import Runner
from fleetview_agent.backends.ollama.slots import Finished, Live, Slots, decode_slots
from fleetview_agent.errors import AgentError
from fleetview_agent.wire import Traffic

INTERVAL_SECONDS = 1.0
"""Between two polls of one runner; each costs it a little time between two tokens."""
EARLY_SECONDS = 0.1
"""A sample comes this much early at most, and its poll is not put off to the next one."""
POLL_SECONDS = 4.0
"""A runner answers between two steps of its work, which can take this long."""
STALE_SECONDS = 3.0
"""What was seen longer ago says nothing of now."""
REST_SECONDS = 10.0
"""How long a runner that does not work is left alone."""
WORK_SECONDS = 0.012
"""Of a core, since the last poll; less is what a runner needs to do nothing, and one tick of Linux's clock is 0.01."""
BLIND_SECONDS = 300.0
"""Until a runner that does not know a request is asked for it again."""
_OK = 200
_SOURCE = "the runner's /slots"


@dataclass(frozen=True)
class End:
    """A request that has ended, by what slots and counters tell."""

    finished: Finished
    counted: Counted | None


class Watch:
    """Follows one runner for as long as it lives."""

    def __init__(self, backend: str, runner: Runner, port: int) -> None:
        self._backend = backend
        self.model = runner.model
        """What its clients call the model; the path of its file until that is known."""
        self.slots = Slots()
        self.time_to_first_token: float | None = None
        self._is_unused_since = time.monotonic() - max(0.0, time.time() - runner.created_at)
        self._active_at: float | None = None
        self._http = Http(f"127.0.0.1:{port}")
        self._next_at = self._slots_again_at = self._counters_again_at = 0.0
        self._good_at: float | None = None
        self._process = _process(runner.pid)
        self._spent = 0.0
        self._counters: Counters | None = None
        self._deferred = 0
        self._ends: list[End] = []

    def is_due(self, now: float) -> bool:
        """Whether to poll now: every poll costs both sides, so a runner that does nothing is left alone."""
        if now < max(self._next_at - EARLY_SECONDS, self._slots_again_at):
            return False
        return self._good_at is None or now - self._good_at > REST_SECONDS - EARLY_SECONDS or not self._rests()

    async def poll(self) -> None:
        """Ask for slots, and for counters where they matter; what fails is seen in `row` by its absence."""
        now = time.monotonic()
        self._next_at = max(self._next_at, now) + INTERVAL_SECONDS
        try:
            status, body = await self._http.request("GET", "/slots", timeout=POLL_SECONDS)
            slots = decode_slots(body) if status == _OK else None
        except Unreachable:
            self._good_at = None
            return
        except (AgentError, ValueError):
            return
        if slots is None:
            self._good_at, self._slots_again_at = None, now + BLIND_SECONDS
            return
        at = time.monotonic()
        is_first = self._good_at is None and not self.slots.count
        finished = self.slots.update(slots, at)
        self._good_at = at
        if finished or self.slots.live:
            self._active_at = at
        elif is_first and any(slot.task is not None for slot in slots):
            self._active_at = at  # it has answered before we looked; when is not known, but not later than now
        await self._count(finished, is_first=is_first)
        self._spent = self._cpu_seconds() or 0.0

    def take_ends(self) -> tuple[End, ...]:
        """The requests that have ended since this was asked before."""
        ends, self._ends = tuple(self._ends), []
        return ends

    def row(self, now: float, log: LogLines) -> Traffic | None:
        """What it is doing; None where that is not known just now."""
        if not self._is_fresh(now):
            return None
        live = tuple(self.slots.live.values())
        return Traffic(
            backend=self._backend,
            model=self.model,
            in_flight=len(live),
            queued=self._deferred if self._is_full else 0,
            prompt_progress=_progress(live, log),
            prompt_tokens_per_second=_sum([one.prompt_tokens_per_second for one in live if one.is_reading]),
            generation_tokens_per_second=_generation(live),
            source=_SOURCE,
        )

    def is_answering(self, now: float) -> bool:
        """Whether it has a request in hand, as far as is known just now."""
        return bool(self.slots.live) and self._is_fresh(now)

    def idle_seconds(self, now: float) -> float | None:
        """Since its last answer ended; since it was started, where there was none; None while one is running."""
        if self.slots.live and self._good_at is not None:
            return None
        return now - (self._is_unused_since if self._active_at is None else self._active_at)

    async def close(self) -> None:
        """End the connection."""
        await self._http.close()

    @property
    def _is_full(self) -> bool:
        """Whether a further request would have to wait."""
        return 0 < self.slots.count == len(self.slots.live)

    def _is_fresh(self, now: float) -> bool:
        """Whether the last poll still tells how things are."""
        age = math.inf if self._good_at is None else now - self._good_at
        return age < STALE_SECONDS or (age < REST_SECONDS + STALE_SECONDS and self._rests())

    def _rests(self) -> bool:
        """Whether it had nothing in hand at the last poll, and has done nothing since."""
        if self.slots.live:
            return False
        spent = self._cpu_seconds()
        return spent is not None and spent - self._spent < WORK_SECONDS

    def _cpu_seconds(self) -> float | None:
        """What the runner has spent of the processors; None where that cannot be read."""
        try:
            times = self._process.cpu_times() if self._process else None
        except psutil.Error:
            return None
        return times.user + times.system if times else None

    async def _count(self, finished: tuple[Finished, ...], *, is_first: bool) -> None:
        """Compare the counters with those from before these requests ended, where that says more than the slots."""
        before, after = self._counters, None
        if is_first or finished or self._is_full:
            after = await self._read_counters()
            self._deferred = after.deferred if after else 0
        if is_first or finished:
            after = after and after.without([live.last for live in self.slots.live.values()])
            self._counters = after
        only = finished[0] if len(finished) == 1 else None
        counted = difference(before, after, only) if before and after and only else None
        self._ends += [End(one, counted) for one in finished]

    async def _read_counters(self) -> Counters | None:
        """The counters; None where they are off."""
        now = time.monotonic()
        if now < self._counters_again_at:
            return None
        try:
            status, body = await self._http.request("GET", "/metrics", timeout=POLL_SECONDS)
            if status == _OK:
                return decode_metrics(body.decode(errors="replace"))
        except (AgentError, ValueError):
            return None
        self._counters_again_at = now + BLIND_SECONDS
        return None


def _process(pid: int) -> psutil.Process | None:
    """The process of that number; None where it is gone."""
    try:
        return psutil.Process(pid)
    except psutil.Error:
        return None


def _progress(live: tuple[Live, ...], log: LogLines) -> float | None:
    """Share of the prompts being read that is read; only the log tells how long they are."""
    read = total = 0
    for one in live:
        length = log.prompt_tokens(one.last.id, one.last.task) if one.is_reading and one.last.task is not None else None
        if length:
            read += one.last.processed + one.last.cached
            total += length
    return min(1.0, read / total) if total else None


def _generation(live: tuple[Live, ...]) -> float | None:
    """Tokens per second of all answers whose rate is known; None where there are answers and none is."""
    answering = [one for one in live if not one.is_reading]
    return _sum([one.tokens_per_second for one in answering]) if answering else 0.0


def _sum(rates: list[float | None]) -> float | None:
    """The sum of what is known; None where nothing is."""
    known = [rate for rate in rates if rate is not None]
    return sum(known) if known else None
