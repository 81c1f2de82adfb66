"""What has happened since the agent began, counted off the events that it publishes."""

from __future__ import annotations

import collections
from collections.abc import Mapping
from dataclasses import dataclass

from fleetview_agent.wire import Event, Operation, OperationChanged, Sampled, Served

MOST_MODELS = 200
"""Models that are counted each by itself; what answers beyond them is counted together, for each backend."""
OTHER = "other"
"""The name under which they are counted together."""


@dataclass(frozen=True)
class Answered:
    """What one model has answered. None: none of its requests told how many tokens there were."""

    requests: int = 0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    def and_then(self, served: Served) -> Answered:
        """With one more request."""
        return Answered(
            self.requests + 1,
            _sum(self.prompt_tokens, served.prompt_tokens),
            _sum(self.completion_tokens, served.completion_tokens),
        )


NEVER_ASKED = Answered(prompt_tokens=0, completion_tokens=0)


class Counters:
    """Told of every event, it keeps what only grows; how much it keeps is bounded, whatever models are called."""

    def __init__(self) -> None:
        self.samples = 0
        self._operations: collections.Counter[tuple[str, str]] = collections.Counter()
        self._models: dict[tuple[str, str], Answered] = {}

    @property
    def operations(self) -> Mapping[tuple[str, str], int]:
        """Verb and result → how many operations have ended so."""
        return self._operations

    @property
    def models(self) -> Mapping[tuple[str, str], Answered]:
        """Backend and model → what it has answered."""
        return self._models

    @property
    def is_full(self) -> bool:
        """Whether a model that has not answered yet would be counted among the others."""
        return len(self._models) >= MOST_MODELS

    def count(self, event: Event) -> None:
        """Take note of an event."""
        match event:
            case Sampled():
                self.samples += 1
            case Served():
                model = (event.backend, event.model)
                if model not in self._models and self.is_full:
                    model = (event.backend, OTHER)
                self._models[model] = self._models.get(model, Answered()).and_then(event)
            case OperationChanged(operation=Operation(result=str(result), request=request)):
                self._operations[request.verb, result] += 1
            case _:
                pass


def _sum(before: int | None, more: int | None) -> int | None:
    """Both; what is not known adds nothing. A counter never goes down, whatever an engine tells."""
    return before if more is None else (before or 0) + max(0, more)
