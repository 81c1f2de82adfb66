"""The figures of one ended request, from the best source that told them."""

from __future__ import annotations

from dataclasses import dataclass

from fleetview_agent.backends.ollama.log_lines import Answered, Logged
from fleetview_agent.backends.ollama.metrics import Counted
from fleetview_agent.backends.ollama.slots import Finished
from fleetview_agent.backends.ollama.watch import End
from fleetview_agent.wire import Served

FEWEST = 2
"""Tokens of an answer that make a rate; the first comes with the prompt and takes no time."""


@dataclass(frozen=True)
class Figures:
    """What a request was; None for what no source tells."""

    source: str
    is_exact: bool
    """Whether the engine itself told them."""
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    time_to_first_token_seconds: float | None = None
    prompt_tokens_per_second: float | None = None
    tokens_per_second: float | None = None

    def served(self, backend: str, model: str, author: str | None) -> Served:
        """As an event."""
        return Served(
            backend=backend,
            model=model,
            author=author,
            inferred=None if author is None else True,
            prompt_tokens=self.prompt_tokens,
            cached_tokens=self.cached_tokens,
            completion_tokens=self.completion_tokens,
            time_to_first_token_seconds=self.time_to_first_token_seconds,
            prompt_tokens_per_second=self.prompt_tokens_per_second,
            tokens_per_second=self.tokens_per_second,
            source=self.source,
        )


def figures(end: End | None, logged: Logged | None, answered: Answered | None) -> Figures:
    """The log's figures, else those of the counters, else of the slots."""
    if logged is not None:
        return _logged(logged, answered, end.finished if end else None)
    if end is not None and end.counted is not None:
        return _counted(end.counted)
    assert end is not None  # something made it known
    return _finished(end.finished)


def _logged(logged: Logged, answered: Answered | None, finished: Finished | None) -> Figures:
    """What the log tells, and slots where it was opened too late to tell of the prompt.

    The time that the server took for it includes waiting and loading, as its client felt it.
    """
    prompt, cached = logged.prompt_tokens, logged.cached_tokens
    if prompt is None and finished is not None:
        prompt, cached = finished.prompt_tokens, finished.cached_tokens
    first = logged.prompt_seconds
    if answered is not None and answered.is_precise and logged.completion_seconds is not None:
        first = max(first or 0, answered.seconds - logged.completion_seconds)
    completion = logged.completion_tokens
    if completion is None and logged.total_tokens is not None and prompt is not None:
        completion = max(0, logged.total_tokens - prompt)  # it was broken off
    return Figures(
        source="the log of Ollama's server",
        is_exact=logged.completion_tokens is not None,
        prompt_tokens=prompt,
        cached_tokens=cached,
        completion_tokens=completion,
        time_to_first_token_seconds=first,
        prompt_tokens_per_second=_rate(logged.uncached_tokens, logged.prompt_seconds),
        tokens_per_second=_generation(logged.completion_tokens, logged.completion_seconds),
    )


def _counted(counted: Counted) -> Figures:
    """What the counters tell."""
    return Figures(
        source="the runner's /metrics",
        is_exact=True,
        prompt_tokens=counted.prompt_tokens,
        cached_tokens=counted.cached_tokens,
        completion_tokens=counted.completion_tokens,
        time_to_first_token_seconds=counted.prompt_seconds or None,
        prompt_tokens_per_second=_rate(counted.uncached_tokens, counted.prompt_seconds),
        tokens_per_second=_generation(counted.completion_tokens, counted.completion_seconds),
    )


def _finished(finished: Finished) -> Figures:
    """What the slots told while it ran."""
    return Figures(
        source="the runner's /slots",
        is_exact=False,
        prompt_tokens=finished.prompt_tokens,
        cached_tokens=finished.cached_tokens,
        completion_tokens=finished.completion_tokens,
        prompt_tokens_per_second=finished.prompt_tokens_per_second,
        tokens_per_second=finished.tokens_per_second,
    )


def _generation(tokens: int | None, seconds: float | None) -> float | None:
    """Tokens per second as Ollama's own clients reckon it: all tokens by the time of their generation."""
    return _rate(tokens, seconds) if tokens is not None and tokens >= FEWEST else None


def _rate(count: int | None, seconds: float | None) -> float | None:
    """Per second; None where nothing was measured."""
    return count / seconds if count is not None and seconds else None
