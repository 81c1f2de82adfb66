"""How far a pull has come, and how fast it goes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated

from pydantic import Field

from fleetview_agent.backends.ollama.answers import Answer, Count, Text, decoded
from fleetview_agent.speed import Speed, transfer
from fleetview_agent.wire import Transfer

DONE = "success"


class Line(Answer):
    """A line of a pull or a create; what is zero is left out of it."""

    status: Annotated[str, Field(max_length=1000)] = ""
    digest: Text = None
    total: Count = 0
    completed: Count = 0


class Pulling:
    """The sum over all layers of a pull.

    What a layer has when it is first told of was there before: an earlier pull fetched it, and it is no speed.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._speed = Speed(clock)
        self._layers: dict[str, Line] = {}
        self._there_before = 0
        self.ended = False

    def receive(self, value: object) -> Transfer:
        """How far it is after this line. Raises Nonsense."""
        line = decoded(Line, value)
        self.ended = line.status == DONE
        if line.digest is not None:
            if line.digest not in self._layers:
                self._there_before += line.completed
            self._layers[line.digest] = line
        done = sum(layer.completed for layer in self._layers.values())
        total = sum(max(layer.total, layer.completed) for layer in self._layers.values())
        speed = self._speed.measure(done - self._there_before)
        return transfer(done, total or None, speed if line.digest is not None else None, line.status)
