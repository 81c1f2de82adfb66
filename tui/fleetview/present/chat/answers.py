"""The figures of an answer, while it is written and afterwards. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fleetview.chats.records import Figures, State
from fleetview.present.numbers import count, duration, rate
from fleetview.present.text import DASH, SEPARATOR
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
    thoughts: int = 0
    """Pieces that came before the answer itself."""
    thought_at: float | None = None
    """When the last of them came."""
    usage: Usage | None = None
    timings: Timings | None = None

    def heard(self, chunk: ChatChunk, at: float, *, answered: bool | None = None) -> Progress:
        """After another piece; `answered` is whether it has more than thoughts in it, where its fields do not tell."""
        after = replace(self, usage=chunk.usage or self.usage, timings=chunk.timings or self.timings)
        if not chunk.text and not chunk.thinking:
            return after
        answered = bool(chunk.text) if answered is None else answered
        thinking = not answered and (self.thinking or not self.chunks)
        return replace(
            after,
            first_at=at if self.first_at is None else self.first_at,
            last_at=at,
            chunks=self.chunks + 1,
            thinking=thinking,
            thoughts=self.thoughts + thinking,
            thought_at=at if thinking else self.thought_at,
        )

    @property
    def writing_seconds(self) -> float:
        """From the first piece to the last."""
        return 0.0 if self.first_at is None or self.last_at is None else self.last_at - self.first_at


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


def final(progress: Progress, energy: str = "") -> str:
    """What the engine says about the answer, then its energy and the prompt; of one that was stopped, our estimates."""
    if progress.last_at is not None and progress.usage is None and progress.timings is None:
        return _joined(live(replace(progress, thinking=False), progress.last_at), energy)
    first = None if progress.first_at is None else f"first {duration(progress.first_at - progress.sent_at)}"
    about, read = (first, _speed(progress), _written(progress)), _read(progress)
    return _joined(*about, energy, read) if read or any(about) else ""


def _joined(*parts: str | None) -> str:
    """The parts that there are."""
    return SEPARATOR.join(part for part in parts if part)


def thoughts(progress: Progress | None, thinking: str, at: float, *, unfolded: bool) -> str:
    """The one line that stands for thoughts: how long, how many, and whether they are unfolded."""
    mark = "▾" if unfolded else "▸"
    if progress is None or progress.first_at is None or not progress.thoughts:
        return f"{mark} thought, about {count(len(thinking.split()), 'word')}"
    until = at if progress.thinking else progress.thought_at or at
    verb = "thinking" if progress.thinking else "thought"
    return f"{mark} {verb} for {duration(until - progress.first_at)}, ~{count(progress.thoughts, 'token')}"


def figures_of(progress: Progress) -> Figures:
    """What is kept of the figures: those that the engine told, not our estimates."""
    usage, timings = progress.usage, progress.timings
    first = None if progress.first_at is None else progress.first_at - progress.sent_at
    tokens = usage.completion_tokens if usage else timings.predicted_n if timings else None
    return Figures(first, _per_second(progress), usage.prompt_tokens if usage else None, tokens)


def kept(figures: Figures, progress: Progress | None) -> str:
    """The figures of an answer that has ended; of one from an earlier run, those that were kept."""
    if progress is not None:
        return final(progress, _joules(figures))
    about = (
        None if figures.first_token_seconds is None else f"first {duration(figures.first_token_seconds)}",
        None if figures.tokens_per_second is None else f"{rate(figures.tokens_per_second)} tok/s",
        None if figures.completion_tokens is None else count(figures.completion_tokens, "token"),
    )
    prompt = None if figures.prompt_tokens is None else f"prompt {figures.prompt_tokens}"
    return _joined(*about, _joules(figures), prompt) if prompt or any(about) else ""


def outcome(state: State, failure: str | None, figures: str, *, empty: bool) -> str:
    """How an answer went, then its figures."""
    if failure is not None:
        return f"✗ {failure}"
    ending = _ENDINGS.get(state) or ("the answer is empty" if empty else "")
    return SEPARATOR.join(part for part in (ending, figures) if part)


_ENDINGS: Mapping[State, str] = {
    "stopped": "stopped",
    "failed": "failed",
    "interrupted": "interrupted when fleetview ended; g asks again",
}
_COVERS = {"system": "whole machine", "chip": "chip"}
"""What the power was measured of, in words."""


def _joules(figures: Figures) -> str:
    """Joules for each token, and what they were measured of."""
    if figures.joules_per_token is None:
        return f"{DASH} J/token"
    covers = _COVERS.get(figures.joules_cover or "", figures.joules_cover)
    return f"{figures.joules_per_token:.1f} J/token ({covers})"


def _speed(progress: Progress) -> str | None:
    """Tokens per second: the engine's, else ours from its count."""
    if (per_second := _per_second(progress)) is None:
        return None
    ours = progress.timings is None or progress.timings.predicted_per_second is None
    return f"{'~' if ours else ''}{rate(per_second)} tok/s"


def _per_second(progress: Progress) -> float | None:
    """Tokens per second: the engine's, else ours from its count."""
    timings, usage = progress.timings, progress.usage
    if timings is not None and timings.predicted_per_second is not None:
        return timings.predicted_per_second
    if usage is None or progress.writing_seconds <= 0:
        return None
    return (usage.completion_tokens - 1) / progress.writing_seconds


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
