"""What is true of one node and of the fleet, as frozen values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from fleetview_agent.wire import (
        BackendState,
        Event,
        LogLine,
        Machine,
        Operation,
        ResidentModel,
        Sample,
        Served,
        Traffic,
    )


STALE_INTERVALS = 3
"""Intervals without an event after which values are old."""
DOWN_INTERVALS = 10
"""Intervals without an event after which a node counts as down."""

Condition = Literal["up", "busy", "degraded", "stale", "down", "connecting"]


@dataclass(frozen=True)
class LinkUp:
    """The connection to a node stands."""


@dataclass(frozen=True)
class LinkDown:
    """There is no connection to a node."""

    reason: str
    """In plain words, for people."""
    retry_seconds: float | None = None
    """Until the next try; None: no further try by itself."""


@dataclass(frozen=True)
class Dropped:
    """Lines of a node made no sense and were skipped."""

    count: int
    """How many, since this was said last."""


Change: TypeAlias = "Event | LinkUp | LinkDown | Dropped"


@dataclass(frozen=True)
class Ended:
    """An operation that has ended, and when we heard of it."""

    operation: Operation
    heard_at: float


@dataclass(frozen=True)
class NodeState:
    """All that is known of one node. Times are of this machine's monotonic clock."""

    name: str
    role: str | None = None
    """What the fleet file says it is for."""
    tags: tuple[str, ...] = ()
    """As the fleet file has them."""
    link: Literal["connecting", "up", "down"] = "connecting"
    reason: str | None = None
    """Why there is no connection."""
    retry_at: float | None = None
    interval_seconds: float = 1.0
    heard_at: float | None = None
    """When the last event came, perhaps to an earlier run, and so perhaps below zero; None: never."""
    link_since: float | None = None
    """When the link became what it is."""
    machine: Machine | None = None
    backends: Mapping[str, BackendState] = field(default_factory=dict)
    backends_heard_at: Mapping[str, float] = field(default_factory=dict)
    """When each backend's state came, from which its ages are counted."""
    operations: tuple[Operation, ...] = ()
    """Waiting and in hand, oldest first."""
    ended: tuple[Ended, ...] = ()
    """Ended a moment ago, oldest first."""
    last: Ended | None = None
    """The operation that ended last, however long ago."""
    samples: tuple[Sample, ...] = ()
    served: Served | None = None
    """The last request that a model of the node answered."""
    protocol: int | None = None
    """What the agent speaks; None: not heard yet."""
    dropped: int = 0
    """Lines that made no sense and were skipped."""
    alerts: tuple[str, ...] = ()
    """What the rules of the fleet file call the operator for, in words."""
    logged: tuple[LogLine, ...] = ()
    """What agent and engines wrote since the connection stands, oldest first; no more than `LOGGED` lines."""

    @property
    def current(self) -> bool:
        """Whether anything was heard since the connection stands; what is known is old otherwise."""
        return (
            self.link == "up"
            and self.heard_at is not None
            and (self.link_since is None or self.heard_at >= self.link_since)
        )

    @property
    def sample(self) -> Sample | None:
        """The newest reading."""
        return self.samples[-1] if self.samples else None

    @property
    def resident(self) -> tuple[tuple[str, ResidentModel], ...]:
        """Backend and model of everything in memory, or on its way there, or failed."""
        return tuple((name, model) for name, state in self.backends.items() for model in state.resident)

    @property
    def ready(self) -> tuple[tuple[str, ResidentModel], ...]:
        """Backend and model of everything that can answer."""
        return tuple((name, model) for name, model in self.resident if model.phase == "ready")

    @cached_property
    def suffers(self) -> bool:
        """Whether something failed on it, or its memory is pressed hard; asked several times a second of every node."""
        if self.sample is not None and self.sample.pressure == "critical":
            return True
        return any(
            state.phase == "failed" or any(model.phase in {"failed", "orphaned"} for model in state.resident)
            for state in self.backends.values()
        )

    def able(self, *abilities: str) -> tuple[BackendState, ...]:
        """The backends that understand at least one of these verbs on this node."""
        return tuple(state for state in self.backends.values() if set(abilities) & set(state.abilities))

    def traffic(self, backend: str, model: str) -> Traffic | None:
        """What the model does just now, by the newest sample."""
        traffic = self.sample.traffic if self.sample else ()
        return next((row for row in traffic if (row.backend, row.model) == (backend, model)), None)


Fleet = Mapping[str, NodeState]


def of_disk(operation: Operation) -> bool:
    """Whether an operation changes nothing in memory, and so runs beside the others."""
    from fleetview_agent.wire import DiskRequest  # the first paint does not wait for the wire models

    return isinstance(operation.request, DiskRequest)


def condition(node: NodeState, at: float) -> Condition:
    """What to call the state of `node` at the monotonic time `at`."""
    if node.link == "down":
        return "down"
    if node.heard_at is None:
        return "connecting"
    if not node.current:
        return "stale"
    silent = (at - node.heard_at) / node.interval_seconds
    if silent > DOWN_INTERVALS:
        return "down"
    if silent > STALE_INTERVALS:
        return "stale"
    if node.operations and not all(map(of_disk, node.operations)):
        return "busy"
    if node.suffers:
        return "degraded"
    return "busy" if node.operations else "up"
