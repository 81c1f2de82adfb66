"""The figures of an answer, while it is written and afterwards. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fleetview.present.numbers import count, duration, rate
from fleetview_agent.wire import ChatChunk, Timings, Usage

_SETTLED = 3
"""Chunks after which a rate says something."""


@dataclass(frozen=True)
class Progress:
    """How far an answer is. Times are monotonic."""

    sent_at: float
    first_at: float | None = None
    """When the first text came."""
    last_at: float | None = None
    chunks: int = 0
    """Pieces with text in them; how many tokens each holds is not known."""
    thinking: bool = False
    """True while the model thinks aloud and has not begun to answer."""
    usage: Usage | None = None
    timings: Timings | None = None

    def heard(self, chunk: ChatChunk, at: float) -> Progress:
        """After another piece."""
        after = replace(self, usage=chunk.usage or self.usage, timings=chunk.timings or self.timings)
        if not chunk.text and not chunk.thinking:
            return after
        first_at = at if self.first_at is None else self.first_at
        return replace(after, first_at=first_at, last_at=at, chunks=self.chunks + 1, thinking=not chunk.text)


def live(progress: Progress, at: float) -> str:
    """What is known while the answer is written; estimates carry a tilde."""
    if progress.first_at is None:
        waited = at - progress.sent_at
        return "reading the prompt…" if waited < 1 else f"reading the prompt… {duration(float(int(waited)))}"
    parts = ["thinking…"] if progress.thinking else []
    parts.append(f"first {duration(progress.first_at - progress.sent_at)}")
    if progress.chunks >= _SETTLED and at > progress.first_at:
        parts.append(f"~{rate((progress.chunks - 1) / (at - progress.first_at))} tok/s")
    parts.append(f"~{count(progress.chunks, 'token')}")
    return " · ".join(parts)


def final(progress: Progress) -> str:
    """What the engine says about the answer; of one that was stopped, our estimates."""
    if progress.last_at is not None and progress.usage is None and progress.timings is None:
        return live(replace(progress, thinking=False), progress.last_at)
    parts = []
    if progress.first_at is not None:
        parts.append(f"first {duration(progress.first_at - progress.sent_at)}")
    parts += [part for part in (_speed(progress), _written(progress), _read(progress)) if part]
    return " · ".join(parts)


def _speed(progress: Progress) -> str | None:
    """Tokens per second: the engine's, else ours from its count."""
    timings, usage = progress.timings, progress.usage
    if timings is not None and timings.predicted_per_second is not None:
        return f"{rate(timings.predicted_per_second)} tok/s"
    if usage is None or progress.first_at is None or progress.last_at is None or progress.last_at <= progress.first_at:
        return None
    return f"~{rate((usage.completion_tokens - 1) / (progress.last_at - progress.first_at))} tok/s"


def _written(progress: Progress) -> str | None:
    """Tokens of the answer."""
    if progress.usage is not None:
        return count(progress.usage.completion_tokens, "token")
    return count(progress.timings.predicted_n, "token") if progress.timings else None


def _read(progress: Progress) -> str | None:
    """Tokens of the prompt, those that were cached, and how fast the others were read."""
    timings, usage = progress.timings, progress.usage
    if usage is not None:
        tokens, cached = usage.prompt_tokens, usage.cached_tokens
    elif timings is not None and timings.prompt_n is not None:
        tokens, cached = timings.prompt_n + (timings.cache_n or 0), timings.cache_n
    else:
        return None
    words = [f"prompt {tokens}"]
    if cached:
        words.append(f"{cached} cached")
    if timings is not None and timings.prompt_per_second is not None:
        words.append(f"{timings.prompt_per_second:.0f} tok/s")
    return ", ".join(words)
