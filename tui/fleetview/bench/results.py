"""What a benchmark finds out about one model of one node."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict


class Spread(BaseModel):
    """Several measurements of one thing."""

    model_config = ConfigDict(frozen=True)

    mean: float
    deviation: float | None = None
    """Of a sample; None where there was but one measurement."""


def spread_of(values: Sequence[float]) -> Spread:
    """Mean and standard deviation of at least one value."""
    return Spread(mean=statistics.fmean(values), deviation=statistics.stdev(values) if len(values) > 1 else None)


def spread(values: Sequence[float | None]) -> Spread | None:
    """The same; None unless every value is known."""
    known = tuple(value for value in values if value is not None)
    return spread_of(known) if known and len(known) == len(values) else None


class Result(BaseModel):
    """One benchmark, as it is printed and kept."""

    model_config = ConfigDict(frozen=True)

    at: float
    """Seconds since 1970, by the clock of the operator's machine."""
    node: str
    model: str
    """`BACKEND/MODEL`."""
    pp: int
    """Tokens of the prompt that were asked for."""
    tg: int
    """Tokens to generate that were asked for."""
    runs: int
    """Those that count."""
    prompt_tokens: Spread
    """As they really were."""
    generated_tokens: Spread
    prompt_tokens_per_second: Spread | None = None
    tokens_per_second: Spread | None = None
    estimated: bool = False
    """Whether the rates are by our clock, because the engine tells none."""
    time_to_first_token_seconds: Spread | None = None
    load_seconds: float | None = None
    """Of the last load in the node's journal."""
    joules_per_token: Spread | None = None
    """While it wrote, of all that the node took."""
    net_joules_per_token: Spread | None = None
    """The same less what the node took at rest."""
    idle_watts: float | None = None
    ceiling_tokens_per_second: float | None = None
    """By the bandwidth of the node's memory, which every weight crosses for every token."""
    others_in_flight: int | None = None
    """Requests of others that the node was answering at the same time, at most; None where nobody counted."""

    @property
    def efficiency_ratio(self) -> float | None:
        """What was reached of the ceiling."""
        if self.tokens_per_second is None or not self.ceiling_tokens_per_second:
            return None
        return self.tokens_per_second.mean / self.ceiling_tokens_per_second


def change_ratio(now: Spread | None, before: Spread | None) -> float | None:
    """How much more it is than before; negative where it is less."""
    return None if now is None or before is None or not before.mean else now.mean / before.mean - 1
