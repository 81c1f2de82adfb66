"""What the lines of an Ollama server's log say of requests: its runners' own (`slot …`) and its web server's (`[GIN]`).

Runners write into the log of their server without saying which of them it is; a request is known by the numbers of
its slot and task. The formats are those of llama.cpp : tools/server/server-context.cpp (print_timings, release) at
the verbosity that Ollama gives its runners, and of gin : logger.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

_SLOT = re.compile(r"\bslot +\S+: id +(\d+) \| task (\d+) \| (.*)")
_PROMPT = re.compile(r"new prompt, .*task\.n_tokens = (\d+)")
_CACHED = re.compile(r"cached n_tokens = (\d+)")
_TIME = re.compile(r"(prompt eval|eval) time = +([\d.]+) ms / +(\d+) tokens")
_STOPPED = re.compile(r"stop processing: n_tokens = (\d+)")
_GIN = re.compile(r'\[GIN\] [^|]*\| +(\d+) \| +(\S+) \| +(\S+) \| (\S+) +"([^"?]*)')
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|µs|ns)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}
_MOST_OPEN = 1024
"""Requests whose end is awaited; more are those of runners that were killed."""


@dataclass(frozen=True)
class Logged:
    """A request as the log tells it; complete once it has stopped."""

    slot: int
    task: int
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    uncached_tokens: int | None = None
    prompt_seconds: float | None = None
    completion_tokens: int | None = None
    """None for a request that generates nothing, or that was broken off."""
    completion_seconds: float | None = None
    total_tokens: int | None = None
    """Left in the slot's cache at its end."""


@dataclass(frozen=True)
class Answered:
    """A request that the server has answered."""

    status: int
    seconds: float
    client: str
    """Address."""
    path: str

    @property
    def is_precise(self) -> bool:
        """Whether `seconds` has fractions; those above a minute are told without."""
        return self.seconds < _SECONDS["m"]


class LogLines:
    """Puts the lines about each request together."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, int], Logged] = {}

    def read(self, lines: Iterable[str]) -> tuple[tuple[Logged, ...], tuple[Answered, ...]]:
        """The requests that ended, and those that were answered."""
        ended: list[Logged] = []
        answered: list[Answered] = []
        for line in lines:
            if "slot " in line and (match := _SLOT.search(line)):
                if (end := self._slot_line(int(match[1]), int(match[2]), match[3])) is not None:
                    ended.append(end)
            elif "[GIN]" in line and (answer := _answered(line)) is not None:
                answered.append(answer)
        return tuple(ended), tuple(answered)

    def prompt_tokens(self, slot: int, task: int) -> int | None:
        """How long the prompt of a request in hand is."""
        known = self._open.get((slot, task))
        return known.prompt_tokens if known else None

    def _slot_line(self, slot: int, task: int, text: str) -> Logged | None:
        """Take in one line; the request, if it is its last."""
        told = self._open.get((slot, task), Logged(slot, task))
        if text.startswith("processing task"):
            told = Logged(slot, task)
        elif match := _PROMPT.match(text):
            told = replace(told, prompt_tokens=int(match[1]))
        elif match := _CACHED.match(text):  # said again before each further part of the prompt
            told = replace(told, cached_tokens=int(match[1])) if told.cached_tokens is None else told
        elif match := _TIME.search(text):
            told = _timed(told, match[1], float(match[2]) / 1000, int(match[3]))
        elif match := _STOPPED.match(text):
            self._open.pop((slot, task), None)
            return replace(told, total_tokens=int(match[1]))
        else:
            return None
        self._open[slot, task] = told
        while len(self._open) > _MOST_OPEN:
            del self._open[next(iter(self._open))]
        return None


def _timed(told: Logged, what: str, seconds: float, tokens: int) -> Logged:
    """The request, with one of its two times."""
    if what == "eval":
        return replace(told, completion_tokens=tokens, completion_seconds=seconds)
    prompt = told.prompt_tokens
    cached = told.cached_tokens if prompt is None else prompt - tokens
    return replace(told, uncached_tokens=tokens, prompt_seconds=seconds, cached_tokens=cached)


def _answered(line: str) -> Answered | None:
    """What the web server says of one request; None for a line of another form."""
    match = _GIN.search(line)
    if match is None:
        return None
    parts = _DURATION.findall(match[2])
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    return Answered(int(match[1]), seconds, match[3], match[5]) if parts else None
