"""What a runner's `/metrics` counts, where it was started with it: prompts as they are read, answers when they end.

Its averages are between two scrapes, whoever scrapes, so only the counters are read.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace

from fleetview_agent.backends.ollama.slots import Finished, Slot

_PREFIX = "llamacpp:"


@dataclass(frozen=True)
class Counters:
    """Sums over all requests, and how many wait just now."""

    prompt_tokens: float
    """Without those that were cached."""
    cached_tokens: float | None
    """None where the runner is too old to count them."""
    prompt_seconds: float
    completion_tokens: float
    completion_seconds: float
    deferred: int
    is_shared: bool = False
    """Whether the seconds hold prompts of requests in hand."""

    def without(self, in_hand: Collection[Slot]) -> Counters:
        """Of the requests that have ended alone, as far as that can be told."""
        cached = sum(slot.cached for slot in in_hand)
        return replace(
            self,
            prompt_tokens=self.prompt_tokens - sum(slot.processed for slot in in_hand),
            cached_tokens=None if self.cached_tokens is None else self.cached_tokens - cached,
            is_shared=bool(in_hand),
        )


@dataclass(frozen=True)
class Counted:
    """One request, by the difference that it made to the counters."""

    prompt_tokens: int | None
    cached_tokens: int | None
    completion_tokens: int
    prompt_seconds: float | None
    completion_seconds: float
    uncached_tokens: int


def decode_metrics(text: str) -> Counters:
    """The counters in an answer of `/metrics`. Raises ValueError for nonsense."""
    values: dict[str, float] = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if name.startswith(_PREFIX) and math.isfinite(number := float(value)):
            values[name.removeprefix(_PREFIX)] = number
    try:
        return Counters(
            prompt_tokens=values["prompt_tokens_total"],
            cached_tokens=values.get("prompt_tokens_cached_total"),
            prompt_seconds=values["prompt_seconds_total"],
            completion_tokens=values["tokens_predicted_total"],
            completion_seconds=values["tokens_predicted_seconds_total"],
            deferred=int(values.get("requests_deferred", 0)),
        )
    except KeyError as missing:
        raise ValueError(f"there is no {missing.args[0]}") from missing


def difference(before: Counters, after: Counters, finished: Finished) -> Counted | None:
    """The figures of the one request that ended between two scrapes; None where they show that it was not alone."""
    uncached = round(after.prompt_tokens - before.prompt_tokens)
    completion = round(after.completion_tokens - before.completion_tokens)
    cached = None
    if after.cached_tokens is not None and before.cached_tokens is not None:
        cached = round(after.cached_tokens - before.cached_tokens)
    prompt = None if cached is None else uncached + cached
    if min(uncached, completion, cached or 0) < 0 or not _is_alone(prompt, completion, finished):
        return None
    return Counted(
        prompt_tokens=prompt,
        cached_tokens=cached,
        completion_tokens=completion,
        prompt_seconds=None if before.is_shared or after.is_shared else after.prompt_seconds - before.prompt_seconds,
        completion_seconds=after.completion_seconds - before.completion_seconds,
        uncached_tokens=uncached,
    )


def _is_alone(prompt: int | None, completion: int, finished: Finished) -> bool:
    """Whether sums are those of this one request, by what its slot told."""
    if prompt is not None and finished.total_tokens is not None:
        return prompt + completion - 1 == finished.total_tokens
    if prompt is not None and finished.prompt_tokens is not None:
        return prompt == finished.prompt_tokens and completion >= (finished.completion_tokens or 0)
    return finished.completion_tokens == completion
