"""Tokens per second of one model, by the time between tokens."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Rate:
    """Steps and the time they took, since the previous reading."""

    steps: int = 0
    seconds: float = 0.0
    _at: float | None = None
    _previous: float | None = None

    def begin(self, at: float) -> None:
        """From here the next step is timed."""
        self._at = at

    def advance(self, steps: int, at: float) -> None:
        """So many steps were done by then."""
        if self._at is not None:
            self.steps += steps
            self.seconds += at - self._at
        self._at = at

    def read(self, now: float) -> float | None:
        """The rate since the previous reading; in a step that takes long, no more than that step allows."""
        if self.steps and self.seconds > 0:
            self._previous = self.steps / self.seconds
        elif self._previous is not None and self._at is not None and now > self._at:
            self._previous = min(self._previous, 1 / (now - self._at))
        self.steps, self.seconds = 0, 0.0
        return self._previous

    def forget(self) -> None:
        """What is next has nothing to do with what was before."""
        self._at = self._previous = None


class Meter:
    """What one model is doing, from the frames of its answers."""

    def __init__(self) -> None:
        self._prompt = Rate()
        self._generation = Rate()
        self._read = self._total = 0
        self._is_reading = False

    def prompt(self, read: int, total: int, at: float) -> None:
        """So many tokens of a prompt are read, or were cached when it began."""
        if not self._is_reading:
            self._is_reading = True
            self._prompt.forget()
            self._generation.forget()
            self._prompt.begin(at)
        else:
            self._prompt.advance(read - self._read, at)
        self._read, self._total = read, total

    def tokens(self, count: int, at: float) -> None:
        """Some tokens came, the last of them just now; the first of an answer begins the count."""
        if self._is_reading:
            self._is_reading = False
            self._generation.begin(at)
        else:
            self._generation.advance(count, at)

    def ended(self) -> None:
        """The answer is over."""
        self._is_reading = False

    def progress(self) -> float | None:
        """Share of the prompt that is read; None while none is being read."""
        return self._read / self._total if self._is_reading and self._total else None

    def prompt_rate(self, now: float) -> float | None:
        """Uncached prompt tokens per second; None while no prompt is being read."""
        return self._prompt.read(now) if self._is_reading else None

    def generation_rate(self, now: float, *, answering: bool) -> float | None:
        """Generated tokens per second since the previous call; zero where the model is idle."""
        had_steps = self._generation.steps > 0
        rate = self._generation.read(now)
        return rate if answering or had_steps else 0.0
