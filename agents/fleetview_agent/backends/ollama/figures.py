"""What is counted of a model's requests: those that came through us, and those that the observer saw."""

from __future__ import annotations

import time
from collections.abc import Iterable

from fleetview_agent.backends.ollama.answering import Answering
from fleetview_agent.backends.ollama.traffic import Observer

SAME_SECONDS = 2.0
"""The observer looks once a second; endings that differ by less may be one."""


Figure = tuple[bool, float | None]
"""Whether a model is idle, and its time to the first token."""


class Figures:
    """The figures of each model's row."""

    def __init__(self, answering: Answering, observer: Observer) -> None:
        self._answering = answering
        self._observer = observer

    def idle_seconds(self, model: str) -> float | None:
        """Since the last answer ended; None while one is running, and where there was none that we know of."""
        if self._answering.in_progress(model) or self._observer.is_answering(model):
            return None
        known = [idle for idle in (self._own_idle(model), self._observer.idle_seconds(model)) if idle is not None]
        return min(known, default=None)

    def time_to_first_token(self, model: str) -> float | None:
        """Of the last request: as we measured it where it was ours."""
        own, seen = self._answering.last(model), self._observer.time_to_first_token(model)
        if own is None or own.time_to_first_token_seconds is None:
            return seen
        idle, others = self._own_idle(model), self._observer.idle_seconds(model)
        is_last = idle is None or others is None or idle < others + SAME_SECONDS
        return own.time_to_first_token_seconds if is_last or seen is None else seen

    def of(self, models: Iterable[str]) -> tuple[Figure, ...]:
        """What tells of each model whether its row has changed otherwise than by growing older."""
        return tuple((self.idle_seconds(model) is None, self.time_to_first_token(model)) for model in models)

    def _own_idle(self, model: str) -> float | None:
        """Since the last answer that came through us."""
        own = self._answering.last(model)
        return time.monotonic() - own.ended_at if own else None
