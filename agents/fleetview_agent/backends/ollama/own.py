"""Which of the requests that a runner answered are this agent's own, and so need not be told as another client's.

A runner does not say whose a request is. Its end is compared with the ends of the agent's own answers: by tokens,
else by time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

FORGOTTEN_SECONDS = 30.0
"""An own answer that no request was found for by then never reached the runner."""
NEAR_SECONDS = 3.0
"""An end is noticed later than it happens, by no more than this."""


@dataclass
class OwnAnswer:
    """One answer that this agent asked for. Times are of the monotonic clock."""

    model: str
    began_at: float
    ended_at: float | None = None
    completion_tokens: int | None = None

    def ended(self, completion_tokens: int | None) -> None:
        """The engine has told how many tokens it was."""
        self.completion_tokens = completion_tokens


@dataclass(frozen=True)
class Ending:
    """A request whose owner is looked for."""

    model: str
    began_by: float
    noticed_at: float
    """When it was noticed that it has ended."""
    completion_tokens: int | None
    is_exact: bool
    """Whether the engine itself told the tokens."""
    running_since: tuple[float, ...] = ()
    """When the requests that the runner still has in hand were first seen."""


class OwnAnswers:
    """The agent's own answers, in hand and just ended."""

    def __init__(self) -> None:
        self._answers: list[OwnAnswer] = []

    @contextmanager
    def answering(self, model: str) -> Iterator[OwnAnswer]:
        """Held while the agent asks for one answer."""
        answer = OwnAnswer(model, time.monotonic())
        self._answers.append(answer)
        try:
            yield answer
        finally:
            answer.ended_at = time.monotonic()

    def in_hand(self, model: str) -> int:
        """How many of the model's requests are the agent's own just now."""
        return sum(answer.model == model and answer.ended_at is None for answer in self._answers)

    def claim(self, ending: Ending) -> bool:
        """Whether this request was the agent's; each answer claims one request."""
        self._forget(ending.noticed_at)
        theirs = [answer for answer in self._answers if _may_be(answer, ending)]
        for is_it in (_has_its_tokens, _was_broken_off, _is_still_read):
            for answer in theirs:
                if is_it(answer, ending):
                    self._answers.remove(answer)
                    return True
        return False

    def _forget(self, now: float) -> None:
        """Drop what ended long ago."""
        self._answers = [one for one in self._answers if one.ended_at is None or now - one.ended_at < FORGOTTEN_SECONDS]


def _may_be(answer: OwnAnswer, ending: Ending) -> bool:
    """Whether the times allow it."""
    is_over = answer.ended_at is not None and answer.ended_at < ending.noticed_at - NEAR_SECONDS
    return answer.model == ending.model and answer.began_at <= ending.began_by and not is_over


def _has_its_tokens(answer: OwnAnswer, ending: Ending) -> bool:
    """Whether the tokens are those; counts that were seen from outside may lack a few."""
    if answer.completion_tokens is None or ending.completion_tokens is None:
        return answer.completion_tokens is not None and not ending.is_exact
    off = abs(answer.completion_tokens - ending.completion_tokens)
    return off == 0 if ending.is_exact else off <= max(2, answer.completion_tokens // 20)


def _was_broken_off(answer: OwnAnswer, ending: Ending) -> bool:
    """Whether it ended about then, without its tokens having been told."""
    if answer.ended_at is None or answer.completion_tokens is not None:
        return False
    return abs(answer.ended_at - ending.noticed_at) <= NEAR_SECONDS


def _is_still_read(answer: OwnAnswer, ending: Ending) -> bool:
    """Whether the client still reads what the runner has finished: nothing else that runs can be it."""
    return answer.ended_at is None and not any(since >= answer.began_at for since in ending.running_since)
