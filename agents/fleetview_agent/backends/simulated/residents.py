"""All models that a simulated backend has in memory."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable

from fleetview_agent.backends.simulated import traffic
from fleetview_agent.backends.simulated.engine import Engine
from fleetview_agent.backends.simulated.models import SimulatedModel
from fleetview_agent.backends.simulated.resident import Resident
from fleetview_agent.wire import LoadOptions, Served, Traffic

FIRST_PID = 4711


class Residents:
    """Models by the names of their rows; `changed` is called when one has left."""

    def __init__(self, engine: Engine, changed: Callable[[], None]) -> None:
        self._engine = engine
        self._changed = changed
        self._rows: dict[str, Resident] = {}
        self._read_before: set[str] = set()
        """Identities of files that need not be read from the disk again."""
        self._pids = itertools.count(FIRST_PID)
        self._asked_at: float | None = None
        self._looked_at = engine.clock()
        for begun in engine.begun:
            model = next(model for model in engine.models if model.name == begun.model)
            resident = self.add(model, begun.options)
            self._read_before.add(model.identity)
            if begun.failure is None:
                self.settle(resident)
                resident.ready_at = -math.inf
            else:
                resident.phase, resident.failure = "failed", begun.failure

    @property
    def all(self) -> tuple[Resident, ...]:
        """Every one of them."""
        return tuple(self._rows.values())

    @property
    def memory_bytes(self) -> int:
        """What they hold by now."""
        rows = (row for row in self.all if row.phase != "failed")
        return sum(int(row.model.memory_bytes(row.context) * row.share) for row in rows)

    @property
    def busy_share(self) -> float:
        """How much of the GPU's time they take."""
        now = self._engine.clock()
        return min(1.0, sum(traffic.busy_share(row, now) for row in self.all))

    def get(self, name: str) -> Resident | None:
        """The model with this name; None where it is not there."""
        return self._rows.get(name)

    def add(self, model: SimulatedModel, options: LoadOptions) -> Resident:
        """A model on its way into memory."""
        context = options.context or model.default_context
        resident = Resident(model, context, options.model_copy(update={"context": context}))
        resident.keep_seconds = None if options.keep == "forever" else options.keep
        resident.callers = self._engine.callers(model)
        self._rows[model.name] = resident
        return resident

    def load_seconds(self, resident: Resident) -> float:
        """How long its load takes; less where its file was read before."""
        return self._engine.load_seconds(resident.model, resident.model.identity not in self._read_before)

    def settle(self, resident: Resident) -> None:
        """It can be asked from now on."""
        self._read_before.add(resident.model.identity)
        resident.phase, resident.used_at = "ready", time.monotonic()
        resident.ready_at = self._engine.clock()

    def forget(self, resident: Resident) -> None:
        """Take a model off the list."""
        resident.gone.set()
        if self._rows.get(name := resident.state().name) is resident:
            del self._rows[name]
            self._changed()

    def orphan(self) -> None:
        """Let all of them stay behind without a server."""
        for name, resident in tuple(self._rows.items()):
            del self._rows[name]
            resident.gone.set()
            resident.phase, resident.pid = "orphaned", next(self._pids)
            self._rows[f"{name}#{resident.pid}"] = resident

    def traffic(self, served: Callable[[Served], None]) -> tuple[Traffic, ...]:
        """What ready models did since the previous call; `served` is told of what was asked past the agent."""
        now, by_callers = time.monotonic(), self._engine.clock()
        elapsed = None if self._asked_at is None else now - self._asked_at
        since, self._asked_at, self._looked_at = self._looked_at, now, by_callers
        ready = [row for row in self.all if row.phase == "ready"]
        for row in ready:
            for answer in traffic.answered(self._engine.name, row, since, by_callers):
                row.first_token_seconds = answer.time_to_first_token_seconds
                served(answer)
        return tuple(traffic.row(self._engine.name, row, by_callers, elapsed) for row in ready)
