"""What a simulated model does for those who ask it."""

from __future__ import annotations

import math

from fleetview_agent.backends.simulated.resident import Resident
from fleetview_agent.wire import Served, Traffic

FLICKER = 0.04
"""How much a rate moves about its mean."""
LOADING_SHARE, ANSWERING_SHARE = 0.08, 0.86


def row(backend: str, resident: Resident, now: float, elapsed: float | None) -> Traffic:
    """What a model did since the previous look, for clients of the agent and for those that ask it past it."""
    asked = resident.callers_now(now)
    reading = [one for one in asked if one.prompt_progress(now) is not None]
    writing = [one for one in asked if one.prompt_progress(now) is None]
    own, resident.counted_tokens = resident.counted_tokens, 0
    rate = own / elapsed if elapsed else None
    if resident.callers is not None:
        flicker = 1 + FLICKER * math.sin(now * 1.7)
        rate = (rate or 0.0) + sum(one.tokens_per_second for one in writing) * flicker
    return Traffic(
        backend=backend,
        model=resident.model.name,
        in_flight=int(resident.turn.locked()) + len(asked),
        queued=resident.waiting,
        prompt_progress=reading[0].prompt_progress(now) if reading else None,
        prompt_tokens_per_second=sum(one.prompt_tokens_per_second for one in reading) if reading else None,
        generation_tokens_per_second=rate,
    )


def answered(backend: str, resident: Resident, since: float, now: float) -> tuple[Served, ...]:
    """The answers to clients past the agent that were complete since the previous look."""
    if resident.callers is None:
        return ()
    ended = (one for one in resident.callers.ended(since, now) if one.began >= resident.ready_at)
    return tuple(
        Served(
            backend=backend,
            model=resident.model.name,
            author=one.author,
            inferred=True,
            prompt_tokens=one.prompt_tokens,
            cached_tokens=0,
            completion_tokens=one.tokens,
            time_to_first_token_seconds=one.first_token_seconds,
            prompt_tokens_per_second=one.prompt_tokens_per_second,
            tokens_per_second=one.tokens_per_second,
            source="made up",
        )
        for one in ended
    )


def busy_share(resident: Resident, now: float) -> float:
    """How much of the GPU's time the model takes."""
    if resident.phase == "loading":
        return LOADING_SHARE
    if resident.phase != "ready":
        return 0.0
    asked = len(resident.callers_now(now)) + int(resident.turn.locked())
    return 1 - (1 - ANSWERING_SHARE) ** asked
