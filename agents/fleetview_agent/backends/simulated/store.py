"""The models that the simulated backend has on its disk, and how others come and go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

from fleetview_agent.backends.simulated.engine import Engine
from fleetview_agent.backends.simulated.models import SimulatedModel
from fleetview_agent.errors import NotFound
from fleetview_agent.wire import Transfer

CREATE_STEPS = (0.0, 1.0)


class Store:
    """Models by their names; a pull that is broken off leaves what has come."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.models: dict[str, SimulatedModel] = {model.name: model for model in engine.models}
        self._came: dict[str, int] = {}
        """Model → steps of its pull that are over."""

    def known(self, model: str) -> SimulatedModel:
        """A model of the list. Raises NotFound."""
        if model not in self.models:
            raise NotFound(f"{self._engine.name} has no model {model}", f"there is {', '.join(self.models)}")
        return self.models[model]

    async def pull(self, model: str) -> AsyncGenerator[Transfer, None]:
        """Take its time, or what is left of it. Raises NotFound."""
        if (coming := self._engine.registry(model)) is None:
            raise NotFound(f"there is no model {model} in the registry", self._engine.registry_hint)
        seconds, steps = self._engine.pull_seconds(coming), self._engine.pull_steps
        for step in range(self._came.get(model, 0), steps):
            yield _transfer(coming, step / steps, seconds, "pulling")
            await asyncio.sleep(seconds / steps)
            self._came[model] = step + 1
        yield _transfer(coming, 1.0, seconds, "success")
        self._came.pop(model, None)
        self.models[model] = coming

    async def create(self, model: str, source: Path | str) -> AsyncGenerator[Transfer, None]:
        """Make a model of any file, or out of another one. Raises NotFound."""
        origin = self.known(source) if isinstance(source, str) else self._engine.models[0]
        coming = replace(origin, name=model, content=origin.content or origin.name)
        seconds = self._engine.load_seconds(coming, True)
        for share in CREATE_STEPS:
            yield _transfer(coming, share, seconds, "copying")
            await asyncio.sleep(seconds / len(CREATE_STEPS))
        self.models[model] = coming

    def delete(self, model: str) -> None:
        """Take a model off the list. Raises NotFound."""
        self.known(model)
        del self.models[model]


def _transfer(model: SimulatedModel, share: float, seconds: float, doing: str) -> Transfer:
    """How far a model has come."""
    return Transfer(
        done_bytes=int(model.weights_bytes * share),
        total_bytes=model.weights_bytes,
        bytes_per_second=int(model.weights_bytes / seconds) if seconds else None,
        seconds_left=seconds * (1 - share),
        step=doing,
    )
