"""What a made-up machine did before it began: its history and its journal."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fleetview_agent.backends.simulated import Callers, lines
from fleetview_agent.records.history import SLOT_SECONDS, HistoryRing
from fleetview_agent.records.journal import Journal, Wanted
from fleetview_agent.simulation import catalog
from fleetview_agent.simulation.engines import callers_of, failure_of
from fleetview_agent.simulation.machines import Loaded, MachineSpec
from fleetview_agent.simulation.sampler import Doing, Moment, figures, phases_of
from fleetview_agent.wire import (
    History,
    LoadOptions,
    LoadRequest,
    LogLevel,
    LogLine,
    Operation,
    PhaseTime,
    Sample,
    Traffic,
    UnloadRequest,
)

HOUR = 3600
DAYS_SECONDS = 48 * HOUR
SPARSE_SECONDS = 120
"""Between the readings of what is longer ago than an hour."""
RECENT_SECONDS = 119
FAILED_AGO = 25 * 60
LONGEST_FILL_SECONDS = 10.0
"""How long whoever asks for the history waits for it; far longer than it takes to be made up."""
AT_ONCE = 40
"""Readings that are written without letting others have their turn."""
OPERATOR = "ada@desk"


class MadeUpHistory(HistoryRing):
    """A history that is told once all of it was made up: a chart that was asked for sooner would keep its gaps."""

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        self.complete = threading.Event()

    def read(self, since: float, step_seconds: int) -> History:
        """The figures from this time on."""
        self.complete.wait(LONGEST_FILL_SECONDS)
        return super().read(since, step_seconds)


@dataclass(frozen=True)
class Past:
    """The last two days of one machine; `began` is its first second by the made-up day, `wall` by the real one."""

    spec: MachineSpec
    seed: str
    began: float
    wall: float

    async def fill(self, history: MadeUpHistory) -> None:
        """Write the history, and let it be read."""
        for number, sample in enumerate(self.samples()):
            history.keep(sample)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        history.complete.set()

    def samples(self) -> Iterator[Sample]:
        """The readings of two days: the last hour densely, then the time before."""
        for first, last, step in ((-HOUR, 0, SLOT_SECONDS), (-DAYS_SECONDS, -HOUR, SPARSE_SECONDS)):
            yield from self._between(first, last, step)

    def recent(self) -> Iterator[Sample]:
        """The readings that a snapshot begins with."""
        return self._between(-RECENT_SECONDS, 0, 1)

    def lines(self) -> Iterator[LogLine]:
        """What the engines wrote."""
        for operation in (self._load(loaded) for loaded in self.spec.loaded):
            request = operation.request
            assert isinstance(request, LoadRequest)
            begun, ended = lines.loading(request.model, request.options.context), lines.loaded(request.model)
            for text in (begun, *(operation.log or (ended,))):
                at = operation.queued_at if text == begun else operation.ended_at or operation.queued_at
                level: LogLevel = "error" if text in operation.log else "info"
                yield LogLine(at=at, source=request.backend, text=text, level=level, model=request.model)

    def _between(self, first: int, last: int, step: int) -> Iterator[Sample]:
        """The readings of a while, in seconds beside the beginning."""
        asked = {one.name: callers_of(self.spec, self.seed, one) for one in self.spec.loaded}
        callers = {name: one for name, one in asked.items() if one is not None}
        held = sum(_bytes(one) for one in self.spec.loaded if not one.failed)
        warmth = 0.2
        for ago in range(first, last, step):
            now = self.began + ago
            rows = tuple(_row(name, one, now) for name, one in callers.items())
            busy = min(1.0, 0.02 + 0.86 * sum(row.in_flight for row in rows))
            warmth += (busy - warmth) * min(0.5, step / 60)
            moment = Moment(now, self.wall + ago, float(step), busy, warmth, phases_of(self.spec, self.seed))
            yield figures(self.spec, Doing(held, busy), moment).model_copy(update={"traffic": rows})

    def tell(self, journal: Journal) -> None:
        """Write the journal: who loaded what is in memory, and what failed."""
        for loaded in self.spec.loaded:
            journal.write(self._load(loaded))
            if not loaded.failed:
                journal.want(loaded.name, Wanted(LoadOptions(context=loaded.context)))
            if loaded.pinned:
                journal.pin(loaded.name)

    def _load(self, loaded: Loaded) -> Operation:
        """How a model came, or did not."""
        ago = FAILED_AGO if loaded.failed else (3 + 5 * self.spec.loaded.index(loaded)) * HOUR
        at = self.wall - ago
        backend, _, model = loaded.name.partition("/")
        seconds = _bytes(loaded) / self.spec.chip.disk_bytes_per_second
        options = LoadOptions(context=loaded.context)
        name = hashlib.blake2b(f"{self.seed}/{self.spec.name}/{loaded.name}".encode(), digest_size=6).hexdigest()
        failure = failure_of(loaded.name) if loaded.failed else None
        return Operation(
            id=name,
            request=LoadRequest(author=OPERATOR, backend=backend, model=model, options=options),
            phase="load" if failure else "ready",
            phases=(PhaseTime(phase="plan", seconds=0.02), PhaseTime(phase="load", seconds=seconds)),
            queued_at=at,
            ended_at=at + seconds,
            result="failed" if failure else "done",
            cause=failure.reason if failure else None,
            log=failure.log if failure else (),
            inverse=None if failure else UnloadRequest(author=OPERATOR, backend=backend, model=model),
        )


def _bytes(loaded: Loaded) -> int:
    return catalog.MODELS[loaded.name.partition("/")[2]].memory_bytes(loaded.context)


def _row(name: str, callers: Callers, now: float) -> Traffic:
    """What a model did at that time."""
    asked = callers.at(now)
    backend, _, model = name.partition("/")
    reading = [one.prompt_tokens_per_second for one in asked if one.prompt_progress(now) is not None]
    writing = (one.tokens_per_second for one in asked if one.prompt_progress(now) is None)
    return Traffic(
        backend=backend,
        model=model,
        in_flight=len(asked),
        prompt_tokens_per_second=sum(reading) if reading else None,
        generation_tokens_per_second=sum(writing, 0.0),
    )
