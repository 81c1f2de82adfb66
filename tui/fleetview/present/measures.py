"""Figures of a node that come out of several others; raw numbers, `None` where unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal, TypeAlias

from fleetview.fleet import Fleet, NodeState, condition

if TYPE_CHECKING:
    from fleetview_agent.wire import Pressure, Sample

Alert = Literal["down", "stale", "failed", "pressure", "rule"]
Reading: TypeAlias = "Callable[[Sample], float | None]"


def total(values: Iterable[float | None]) -> float | None:
    """The sum of what is known; None when nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def clock_of(node: NodeState | None, now: float) -> float | None:
    """The time by the clock of the node itself, at the monotonic time `now`; None where it is not heard of."""
    if node is None or node.sample is None or node.heard_at is None:
        return None
    return node.sample.at + max(0.0, now - node.heard_at)


def memory_limit(node: NodeState) -> float | None:
    """Bytes that models could have at most: the GPU's, or the machine's where there is no GPU."""
    if node.sample and node.sample.gpu_memory_limit_bytes is not None:
        return node.sample.gpu_memory_limit_bytes
    return node.machine.memory_bytes if node.machine else None


def memory_free(node: NodeState) -> float | None:
    """Bytes that a further model could take: the room of the GPU, or of the machine where there is no GPU."""
    if (sample := node.sample) is None:
        return None
    limit, used, available = sample.gpu_memory_limit_bytes, sample.gpu_memory_used_bytes, sample.memory_available_bytes
    if limit is None or used is None:
        return available
    # An older agent does not say of a Mac what every Mac is.
    unified = node.machine is not None and (node.machine.unified_memory or node.machine.platform == "darwin")
    room = max(0, limit - used)
    return min(room, available) if unified and available is not None else room


def memory_ratio(node: NodeState) -> float | None:
    """Share of the limit that is not free."""
    limit, free = memory_limit(node), memory_free(node)
    if not limit or free is None:
        return None
    return min(1.0, max(0.0, 1 - free / limit))


def tokens_per_second(sample: Sample) -> float | None:
    """What all models of the node generate together."""
    return total(row.generation_tokens_per_second for row in sample.traffic)


def memory_used(sample: Sample) -> float | None:
    """Bytes of the machine's memory in use."""
    return sample.memory_used_bytes


def has_gpu(node: NodeState) -> bool:
    """Whether the node's GPU can be seen."""
    return node.machine is not None and node.machine.gpu is not None


def has_power_of_parts(node: NodeState) -> bool:
    """Whether the power that the node tells is that of a part of its machine."""
    sample = node.sample
    return sample is not None and sample.power_watts is not None and sample.power_covers in {"chip", "gpu"}


def pressure(node: NodeState) -> Pressure | None:
    """How hard memory is pressed."""
    return node.sample.pressure if node.sample else None


def in_flight(node: NodeState) -> int:
    """Requests being answered."""
    return sum(row.in_flight for row in node.sample.traffic) if node.sample else 0


def waiting(node: NodeState) -> int:
    """Requests that wait for their turn."""
    return sum(row.queued for row in node.sample.traffic) if node.sample else 0


def alert(node: NodeState, now: float) -> Alert | None:
    """What is wrong with the node; None when nothing is."""
    match condition(node, now):
        case "down":
            return "down"
        case "stale":
            return "stale" if node.current else None  # old only because it is early
        case "degraded":
            return "pressure" if pressure(node) == "critical" else "failed"
        case _:
            return "pressure" if pressure(node) == "critical" else "rule" if node.alerts else None


def living(fleet: Fleet, now: float) -> tuple[NodeState, ...]:
    """The nodes whose figures are of now."""
    return tuple(node for node in fleet.values() if condition(node, now) in {"up", "busy", "degraded"})
