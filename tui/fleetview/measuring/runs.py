"""One model measured: a warm-up, then the runs that count."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from fleetview.author import author
from fleetview.bench.errors import BenchError, TooLong
from fleetview.bench.prompts import prompt_of, rescaled
from fleetview.bench.results import Result, spread, spread_of
from fleetview.bench.task import Task
from fleetview.measuring.meter import FAST_SECONDS, SLOW_SECONDS, Meter
from fleetview_agent.wire import (
    ChatChunk,
    CompletionRequest,
    Event,
    LoadRequest,
    Operation,
    SwapRequest,
)

PROBE_WORDS = 64
"""Read first, to learn how many tokens a word is."""
IDLE_SECONDS = 2.0
"""How long the power of a node at rest is looked at."""
ENDED_OPERATIONS = 200
"""How far back the journal is looked through for the last load."""


class Measured(Protocol):
    """What measuring asks of a node; every method raises RemoteError."""

    async def journal(self, limit: int) -> tuple[Operation, ...]:
        """Operations that have ended, newest first."""

    def events(self, interval: float) -> AsyncGenerator[Event, None]:
        """What happens there, with a sample at every interval."""

    def complete(self, request: CompletionRequest) -> AsyncGenerator[ChatChunk, None]:
        """What the model makes of a prompt, as it is made."""


@dataclass(frozen=True)
class Run:
    """One prompt read and one answer written; times are monotonic."""

    prompt_tokens: int
    generated_tokens: int
    prompt_rate: float | None
    rate: float | None
    estimated: bool
    began: float
    first_at: float
    last_at: float


async def measure(client: Measured, task: Task, tell: Callable[[str], None]) -> Result:
    """Measure a model that is in memory. Raises RemoteError, BenchError."""
    _fits_the_context(task)
    load_seconds = last_load(await client.journal(ENDED_OPERATIONS), task.backend, task.resident.name)
    powered = task.sample is not None and task.sample.power_watts is not None
    async with _metering(client, task, FAST_SECONDS if powered else SLOW_SECONDS) as meter:
        idle = await _idle_watts(meter) if powered else None
        tell("warm-up")
        words = await _words(client, task)
        runs: list[Run] = []
        for turn in range(task.runs):
            tell(f"run {turn + 1} of {task.runs}")
            runs.append(await one_run(client, task, words, task.tg))
            if powered:
                await meter.covers(runs[-1].last_at)
        return _result(task, tuple(runs), meter, idle, load_seconds)


def _fits_the_context(task: Task) -> None:
    """Nothing is measured that would be cut. Raises TooLong."""
    context, wanted = task.resident.context, task.pp + _slack(task.pp) + task.tg
    if context is not None and wanted > context:
        raise TooLong(
            f"{task.model} on {task.node} has a context of {context} tokens, and {task.pp} + {task.tg} need {wanted}; "
            "ask for less with --pp and --tg, or load it with more --ctx"
        )


def _slack(tokens: int) -> int:
    """By how much a prompt may come out longer than it was meant to be."""
    return 8 + tokens // 32


@asynccontextmanager
async def _metering(client: Measured, task: Task, interval: float) -> AsyncIterator[Meter]:
    """A meter that follows the node meanwhile."""
    meter = Meter(task.backend, task.resident.name, interval)
    following = asyncio.create_task(meter.follow(client))
    try:
        yield meter
    finally:
        following.cancel()
        await asyncio.wait({following})


async def _idle_watts(meter: Meter) -> float | None:
    """What the node takes before it is asked anything."""
    since = time.monotonic()
    await asyncio.sleep(IDLE_SECONDS)
    return meter.watts(since, time.monotonic() - meter.interval)


async def _words(client: Measured, task: Task) -> int:
    """How many words make the prompt that is asked for; finding out is the run that does not count."""
    probe = min(task.pp, PROBE_WORDS)
    short = await one_run(client, task, probe, 1)
    words = rescaled(probe, short.prompt_tokens, task.pp)
    warm_up = await one_run(client, task, words, task.tg)
    return rescaled(words, warm_up.prompt_tokens, task.pp)


async def one_run(client: Measured, task: Task, words: int, limit: int) -> Run:
    """Have a fresh prompt read and gone on with. Raises BenchError where the engine tells no figures."""
    request = CompletionRequest(
        model=task.model,
        prompt=prompt_of(words),
        max_tokens=limit,
        temperature=0.0,
        ignore_eos=True,
        user=author()[:256],
    )
    began = time.monotonic()
    first_at: float | None = None
    end = ChatChunk()
    async with aclosing(client.complete(request)) as chunks:
        async for chunk in chunks:
            if first_at is None and (chunk.text or chunk.thinking):
                first_at = time.monotonic()
            end = ChatChunk(usage=chunk.usage or end.usage, timings=chunk.timings or end.timings)
    last_at = time.monotonic()
    return _told(task, end, began, first_at or last_at, last_at)


def _told(task: Task, end: ChatChunk, began: float, first_at: float, last_at: float) -> Run:
    """The run by what the engine says of it; where that is nothing, by our clock."""
    usage, timings = end.usage, end.timings
    if usage is None or usage.prompt_tokens < 1:
        raise BenchError(f"{task.model} on {task.node} does not tell how many tokens it reads")
    if timings is None:
        prompt_rate = _rate(usage.prompt_tokens, (first_at - began) * 1e3)
        rate = _rate(usage.completion_tokens - 1, (last_at - first_at) * 1e3)
    else:  # of a prompt that is fresh nothing was cached, also where the engine does not tell
        prompt_rate = timings.prompt_per_second or _rate(timings.prompt_n or usage.prompt_tokens, timings.prompt_ms)
        rate = timings.predicted_per_second or _rate(timings.predicted_n - 1, timings.predicted_ms)
    return Run(
        usage.prompt_tokens, usage.completion_tokens, prompt_rate, rate, timings is None, began, first_at, last_at
    )


def _rate(tokens: int, milliseconds: float) -> float | None:
    """Tokens per second."""
    return tokens / milliseconds * 1e3 if tokens > 0 and milliseconds > 0 else None


def _result(task: Task, runs: tuple[Run, ...], meter: Meter, idle: float | None, load_seconds: float | None) -> Result:
    """What the runs say together."""
    return Result(
        at=time.time(),
        node=task.node,
        model=task.model,
        pp=task.pp,
        tg=task.tg,
        runs=len(runs),
        prompt_tokens=spread_of([run.prompt_tokens for run in runs]),
        generated_tokens=spread_of([run.generated_tokens for run in runs]),
        prompt_tokens_per_second=spread([run.prompt_rate for run in runs]),
        tokens_per_second=spread([run.rate for run in runs]),
        estimated=any(run.estimated for run in runs),
        time_to_first_token_seconds=spread([run.first_at - run.began for run in runs]),
        load_seconds=load_seconds,
        joules_per_token=spread([_joules(run, meter, 0.0) for run in runs]),
        net_joules_per_token=None if idle is None else spread([_joules(run, meter, idle) for run in runs]),
        idle_watts=idle,
        ceiling_tokens_per_second=task.ceiling,
        others_in_flight=meter.others(runs[0].began, runs[-1].last_at),
    )


def _joules(run: Run, meter: Meter, rest_watts: float) -> float | None:
    """What one token costs, above what the node takes at rest; None where its power is not known."""
    watts = meter.watts(run.first_at, run.last_at)
    if watts is None or run.generated_tokens <= 1:
        return None
    return (watts - rest_watts) * (run.last_at - run.first_at) / (run.generated_tokens - 1)


def last_load(operations: tuple[Operation, ...], backend: str, model: str) -> float | None:
    """How long the model's last load took, by the journal, which is newest first; None where it tells of none."""
    for operation in operations:
        request = operation.request
        if (
            operation.result == "done"
            and isinstance(request, LoadRequest | SwapRequest)
            and (request.backend, request.model) == (backend, model)
        ):
            return next((phase.seconds for phase in operation.phases if phase.phase == "load"), None)
    return None
