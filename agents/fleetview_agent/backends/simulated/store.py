"""The models that the simulated backend has on its disk, and how others come and go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

from fleetview_agent.backends.simulated.models import MODELS, SimulatedModel
from fleetview_agent.errors import NotFound
from fleetview_agent.wire import Transfer

STEPS = 20
REGISTRY = "sim-"
"""Every name that begins so can be pulled."""


class Store:
    """Models by their names; a pull that is broken off leaves what has come."""

    def __init__(self, name: str, seconds: float) -> None:
        self._name = name
        self._seconds = seconds
        self.models: dict[str, SimulatedModel] = {model.name: model for model in MODELS}
        self._came: dict[str, int] = {}
        """Model → steps of its pull that are over."""

    def known(self, model: str) -> SimulatedModel:
        """A model of the list. Raises NotFound."""
        if model not in self.models:
            raise NotFound(f"{self._name} has no model {model}", f"there is {', '.join(self.models)}")
        return self.models[model]

    async def pull(self, model: str) -> AsyncGenerator[Transfer, None]:
        """Take `load_seconds`, or what is left of them. Raises NotFound."""
        if not model.startswith(REGISTRY):
            raise NotFound(f"there is no model {model} in the registry", f"every name there begins with {REGISTRY}")
        coming = replace(MODELS[0], name=model)
        for step in range(self._came.get(model, 0), STEPS):
            yield self._transfer(coming, step, "pulling")
            await asyncio.sleep(self._seconds / STEPS)
            self._came[model] = step + 1
        yield self._transfer(coming, STEPS, "success")
        self._came.pop(model, None)
        self.models[model] = coming

    async def create(self, model: str, source: Path | str) -> AsyncGenerator[Transfer, None]:
        """Make a model of any file, or out of another one. Raises NotFound."""
        origin = self.known(source) if isinstance(source, str) else MODELS[0]
        coming = replace(origin, name=model)
        for step in (0, STEPS):
            yield self._transfer(coming, step, "copying")
            await asyncio.sleep(self._seconds / 2)
        self.models[model] = coming

    def delete(self, model: str) -> None:
        """Take a model off the list. Raises NotFound."""
        self.known(model)
        del self.models[model]

    def _transfer(self, model: SimulatedModel, step: int, doing: str) -> Transfer:
        """How far a model has come."""
        speed = int(model.weights_bytes / self._seconds) if self._seconds else None
        return Transfer(
            done_bytes=model.weights_bytes * step // STEPS,
            total_bytes=model.weights_bytes,
            bytes_per_second=speed,
            seconds_left=self._seconds * (STEPS - step) / STEPS,
            step=doing,
        )
