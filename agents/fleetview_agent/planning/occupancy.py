"""Who is in the memory that models go to, and how much of it is free. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

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
    gpu_bytes: int = 0
    """The part of it that a GPU holds; all of it, where the engine does not say."""

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
    available_bytes: int | None = None
    """Of the machine, where the GPU's memory is a part of it: then the room is bounded twice."""
    holds: Literal["all", "gpu", "rest"] = "all"
    """Which part of a model is in it: the whole, what a GPU holds, or what it does not."""

    def room(self, leaving: Iterable[Occupant]) -> int | None:
        """What is free once `leaving` have left."""
        if self.limit_bytes is None or self.used_bytes is None:
            return None
        gone = tuple(leaving)
        free = min(self.limit_bytes - self.used_bytes + self._held_by(gone), self.limit_bytes)
        if self.available_bytes is not None:
            free = min(free, self.available_bytes + sum(one.memory_bytes for one in gone))
        return max(0, free)

    def after(self, leaving: Iterable[Occupant], coming_bytes: int | None) -> int | None:
        """What is in use once `leaving` have left and one has come."""
        if self.used_bytes is None or coming_bytes is None:
            return None
        return max(0, self.used_bytes - self._held_by(leaving)) + coming_bytes

    def evidence(self, leaving: Iterable[Occupant]) -> str | None:
        """The bounds that the room is the smallest of, for people."""
        if self.limit_bytes is None or self.used_bytes is None:
            return None
        if not self.is_gpu:
            bounds = f"{gib(self.limit_bytes - self.used_bytes)} of the machine's {gib(self.limit_bytes)} available"
        else:
            bounds = f"{gib(self.limit_bytes)} GPU limit, {gib(self.used_bytes)} of it in use"
        if self.available_bytes is not None:
            bounds += f"; {gib(self.available_bytes)} of the machine available"
        freed = self._held_by(leaving)
        return f"{bounds}; {gib(freed)} would leave" if freed else bounds

    def _held_by(self, occupants: Iterable[Occupant]) -> int:
        """What they hold of this memory."""
        match self.holds:
            case "all":
                return sum(one.memory_bytes for one in occupants)
            case "gpu":
                return sum(one.gpu_bytes for one in occupants)
            case "rest":
                return sum(one.memory_bytes - one.gpu_bytes for one in occupants)


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
    on_gpu = held if model.gpu_memory_bytes is None else model.gpu_memory_bytes
    return Occupant(target, model, in_flight, held, min(weights, held), on_gpu)


def memory_of(node: Snapshot, occupants: tuple[Occupant, ...], *, on_gpu: bool = True) -> Memory:
    """Limit and use of the memory that models go to; with `on_gpu` false, of the machine's in any case."""
    sample = node.samples[-1] if node.samples else None
    total = node.machine.memory_bytes
    available = sample.memory_available_bytes if sample else None
    if sample is None or not sample.gpu_memory_limit_bytes or sample.gpu_memory_used_bytes is None:
        return _machine(total, available, sum(one.weights_bytes for one in occupants))
    # A driver may let an idle model's memory out of its count; it comes back with the next prompt.
    idle = max(0, sum(one.gpu_bytes for one in occupants) - sample.gpu_memory_used_bytes)
    if on_gpu:
        shared = None if available is None or not node.machine.unified_memory else max(0, available - idle)
        used = sample.gpu_memory_used_bytes + idle
        return Memory(sample.gpu_memory_limit_bytes, used, is_gpu=True, available_bytes=shared, holds="gpu")
    if node.machine.unified_memory:
        return _machine(total, available, idle)
    mapped = sum(min(one.weights_bytes, one.memory_bytes - one.gpu_bytes) for one in occupants)
    return replace(_machine(total, available, mapped), holds="rest")


def _machine(total_bytes: int, available_bytes: int | None, mapped_bytes: int) -> Memory:
    """The memory of the machine; what models have mapped counts as available there, and is not."""
    if available_bytes is None:
        return Memory(total_bytes, None, is_gpu=False)
    return Memory(total_bytes, min(total_bytes, total_bytes - available_bytes + mapped_bytes), is_gpu=False)


def gib(count: int | None) -> str:
    """Bytes for people: GiB written `G`, to a tenth."""
    return "an unknown amount" if count is None else f"{count / (1 << 30):.1f}".removesuffix(".0") + "G"
