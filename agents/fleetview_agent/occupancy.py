"""Who is in the memory that models go to, and how much of it is free. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fleetview_agent.wire import BackendState, ResidentModel, Snapshot


@dataclass(frozen=True)
class Occupant:
    """A model in memory, on its way there, or fallen out of it."""

    target: str
    """BACKEND/MODEL."""
    model: ResidentModel
    in_flight: int
    """Requests that it is answering, or that wait for it."""
    memory_bytes: int
    """What is free again when it has left: at least its weights, where the engine does not say; none if it failed."""
    weights_bytes: int = 0
    """Of its file, which is mapped: the system counts these as available, although the model needs them."""

    @property
    def failed(self) -> bool:
        """Whether it is there in name only."""
        return self.model.phase == "failed"

    @property
    def useless(self) -> bool:
        """Whether nobody can ask it: it failed, or its process outlived the engine's server."""
        return self.model.phase in {"failed", "orphaned"}

    @property
    def in_between(self) -> bool:
        """Whether it is coming or going; as operations come one by one, not by our doing."""
        return self.model.phase in {"loading", "unloading"}

    @property
    def recency(self) -> float:
        """Larger for one that was used later."""
        return 0.0 if self.in_flight or self.model.idle_seconds is None else -self.model.idle_seconds


@dataclass(frozen=True)
class Memory:
    """Where models go: the GPU where its limit is known, else the memory of the machine."""

    limit_bytes: int | None
    used_bytes: int | None
    is_gpu: bool

    def room(self, leaving: Iterable[Occupant]) -> int | None:
        """What is free once `leaving` have left."""
        if self.limit_bytes is None or self.used_bytes is None:
            return None
        free = self.limit_bytes - self.used_bytes + _memory_of(leaving)
        return max(0, min(free, self.limit_bytes))

    def after(self, leaving: Iterable[Occupant], coming_bytes: int | None) -> int | None:
        """What is in use once `leaving` have left and one has come."""
        if self.used_bytes is None or coming_bytes is None:
            return None
        return max(0, self.used_bytes - _memory_of(leaving)) + coming_bytes


def occupants_of(node: Snapshot) -> tuple[Occupant, ...]:
    """Everything that is in memory, or failed."""
    traffic = node.samples[-1].traffic if node.samples else ()
    busy = {(row.backend, row.model): row.in_flight + row.queued for row in traffic}
    return tuple(
        _occupant(state, model, busy.get((state.backend, model.name), 0))
        for state in node.backends
        for model in state.resident
    )


def _occupant(state: BackendState, model: ResidentModel, in_flight: int) -> Occupant:
    """A resident model with what it holds."""
    target = f"{state.backend}/{model.name}"
    if model.phase == "failed":
        return Occupant(target, model, in_flight, 0)
    name = model.name.rpartition("#")[0] if model.phase == "orphaned" else model.name
    weights = next((file.size_bytes for file in state.models if file.name == name), 0)
    held = weights if model.memory_bytes is None else model.memory_bytes
    return Occupant(target, model, in_flight, held, min(weights, held))


def memory_of(node: Snapshot, occupants: tuple[Occupant, ...]) -> Memory:
    """Limit and use of the memory that models go to."""
    sample = node.samples[-1] if node.samples else None
    if sample and sample.gpu_memory_limit_bytes and sample.gpu_memory_used_bytes is not None:
        # A driver may let an idle model's memory out of its count; it comes back with the next prompt.
        used = max(sample.gpu_memory_used_bytes, _memory_of(occupants))
        return Memory(sample.gpu_memory_limit_bytes, used, is_gpu=True)
    total = node.machine.memory_bytes
    if sample and sample.memory_available_bytes is not None:
        mapped = sum(one.weights_bytes for one in occupants)
        return Memory(total, min(total, total - sample.memory_available_bytes + mapped), is_gpu=False)
    return Memory(total, None, is_gpu=False)


def _memory_of(occupants: Iterable[Occupant]) -> int:
    """What they hold together."""
    return sum(one.memory_bytes for one in occupants)
