"""Clients that ask a simulated model by themselves. Pure: who asks when follows from a seed and the time alone."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass

TURN_SECONDS = 36.0
"""A client asks at most once in each turn, and has its answer before the turn is over."""
LATEST_START = 0.25
"""Of a turn."""
LONGEST_ANSWER = 0.9
FEWEST_TOKENS = 8
PROMPT_TOKENS, ANSWER_TOKENS = (30, 2400), (40, 700)
BUSIEST, DAY_SECONDS = 15 * 3600.0, 86_400.0
JITTER = 0.06


@dataclass(frozen=True)
class Asked:
    """One request of a client and how it is answered."""

    author: str
    began: float
    prompt_tokens: int
    tokens: int
    prompt_tokens_per_second: float
    tokens_per_second: float

    @property
    def first_token_seconds(self) -> float:
        """How long the prompt is read."""
        return self.prompt_tokens / self.prompt_tokens_per_second

    @property
    def ended(self) -> float:
        """When the answer is complete."""
        return self.began + self.first_token_seconds + self.tokens / self.tokens_per_second

    def prompt_progress(self, now: float) -> float | None:
        """The share of the prompt that is read; None once it is read."""
        share = (now - self.began) / self.first_token_seconds
        return share if share < 1 else None


@dataclass(frozen=True)
class Callers:
    """The clients of one model; each goes its own way through its turns."""

    seed: str
    clients: tuple[str, ...]
    tokens_per_second: float
    """Of one answer alone."""
    reading: float
    """How many times faster a prompt is read."""
    share: float
    """Of the turns in which a client asks, at the busiest hour."""

    def at(self, now: float) -> tuple[Asked, ...]:
        """The requests that are being answered."""
        return tuple(asked for asked in self._around(now, now) if asked.began <= now < asked.ended)

    def ended(self, since: float, until: float) -> tuple[Asked, ...]:
        """The requests whose answers were complete in this time."""
        return tuple(asked for asked in self._around(since, until) if since < asked.ended <= until)

    def _around(self, since: float, until: float) -> Iterator[Asked]:
        """Every request that could have been answered in this time."""
        for number in range(len(self.clients)):
            phase = TURN_SECONDS * number / len(self.clients)
            first, last = (math.floor((at - phase) / TURN_SECONDS) for at in (since, until))
            for turn in range(first, last + 1):
                if asked := self._turn(number, turn, phase + turn * TURN_SECONDS):
                    yield asked

    def _turn(self, number: int, turn: int, began: float) -> Asked | None:
        """What a client asks in one turn, if it asks."""
        chance, start, prompt, length, jitter = shares(f"{self.seed}/{number}/{turn}")
        if chance >= self.share * _rhythm(began):
            return None
        speed = self.tokens_per_second * (1 + JITTER * (2 * jitter - 1)) / math.sqrt(len(self.clients))
        reading = speed * self.reading
        left = (LONGEST_ANSWER - LATEST_START) * TURN_SECONDS
        prompt_tokens = min(_between(PROMPT_TOKENS, prompt**3), int(left / 2 * reading))
        tokens = min(_between(ANSWER_TOKENS, length**2), int((left - prompt_tokens / reading) * speed))
        if tokens < FEWEST_TOKENS or prompt_tokens < 1:
            return None
        at = began + start * LATEST_START * TURN_SECONDS
        return Asked(self.clients[number], at, prompt_tokens, tokens, reading, speed)


def shares(text: str) -> tuple[float, float, float, float, float]:
    """Five numbers from 0 to 1 that follow from the text alone."""
    digest = hashlib.blake2b(text.encode(), digest_size=10).digest()
    a, b, c, d, e = (int.from_bytes(digest[place : place + 2]) / 65_536 for place in range(0, 10, 2))
    return a, b, c, d, e


def _between(bounds: tuple[int, int], share: float) -> int:
    """A number between two."""
    low, high = bounds
    return low + int((high - low) * share)


def _rhythm(at: float) -> float:
    """How much is asked at this time of the day, beside the busiest hour."""
    return 0.55 + 0.45 * math.cos(2 * math.pi * (at - BUSIEST) / DAY_SECONDS)
