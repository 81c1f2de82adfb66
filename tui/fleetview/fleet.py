"""What is true of the fleet, as one frozen value, and what may be done to it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, assert_never

from fleetview.config import FleetConfig
from fleetview_agent.wire import (
    PROTOCOL,
    BackendChanged,
    BackendState,
    DiskRequest,
    Event,
    Machine,
    Operation,
    OperationChanged,
    ResidentModel,
    Sample,
    Sampled,
    Served,
    Snapshot,
    Traffic,
)

HISTORY_SECONDS = 120.0
"""How far back the samples of a node reach."""
ENDED_SECONDS = 8.0
"""How long an ended operation stays in its row."""
STALE_INTERVALS = 3
"""Intervals without an event after which values are old."""
DOWN_INTERVALS = 10
"""Intervals without an event after which a node counts as down."""

Condition = Literal["up", "busy", "degraded", "stale", "down", "connecting"]
NodeVerb = Literal["swap", "unload", "chat", "keep", "serve", "pull", "delete", "undo"]
"""What keys do to a node; `serve` is starting, stopping and restarting an engine's server."""
SERVER_VERBS = ("start", "stop", "restart")


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


Change = Event | LinkUp | LinkDown | Dropped


@dataclass(frozen=True)
class Ended:
    """An operation that has ended, and when we heard of it."""

    operation: Operation
    heard_at: float


@dataclass(frozen=True)
class NodeState:
    """All that is known of one node. Times are of this machine's monotonic clock."""

    name: str
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
    protocol: int = PROTOCOL
    """What the agent speaks."""
    dropped: int = 0
    """Lines that made no sense and were skipped."""

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

    def able(self, *abilities: str) -> tuple[BackendState, ...]:
        """The backends that understand at least one of these verbs on this node."""
        return tuple(state for state in self.backends.values() if set(abilities) & set(state.abilities))

    def traffic(self, backend: str, model: str) -> Traffic | None:
        """What the model does just now, by the newest sample."""
        traffic = self.sample.traffic if self.sample else ()
        return next((row for row in traffic if (row.backend, row.model) == (backend, model)), None)


Fleet = Mapping[str, NodeState]


def described(config: FleetConfig, fleet: Fleet | None = None, before: FleetConfig | None = None) -> Fleet:
    """The fleet of a fleet file, in its order; what is known of nodes that have not changed since `before` stays."""
    interval = config.fleet.interval_seconds
    same = set(config.nodes) & set(before.nodes) if before else set()
    known = {node.name: fleet[node.name] for node in same if node.name in fleet} if fleet else {}
    nodes: dict[str, NodeState] = {}
    for node in config.nodes:
        state = known.get(node.name, NodeState(node.name, interval_seconds=interval))
        if state.interval_seconds != interval:  # its connection is made anew
            state = replace(
                state, interval_seconds=interval, link="connecting", reason=None, retry_at=None, link_since=None
            )
        nodes[node.name] = state
    return nodes


def apply(fleet: Fleet, name: str, change: Change, at: float) -> Fleet:
    """The fleet after `change` came from the node `name` at the monotonic time `at`; unknown nodes change nothing."""
    if (node := fleet.get(name)) is None:
        return fleet
    return {**fleet, name: _next(node, change, at)}


def _next(node: NodeState, change: Change, at: float) -> NodeState:
    """The node after a change."""
    match change:
        case LinkUp():
            return replace(node, link="up", reason=None, retry_at=None, link_since=at)
        case LinkDown(reason, retry_seconds):
            since = node.link_since if node.link == "down" else at
            retry_at = None if retry_seconds is None else at + retry_seconds
            return replace(node, link="down", reason=reason, retry_at=retry_at, link_since=since)
        case Snapshot():
            backends = {state.backend: state for state in change.backends}
            return replace(
                node,
                link="up",
                reason=None,
                heard_at=at,
                machine=change.machine,
                backends=backends,
                backends_heard_at=dict.fromkeys(backends, at),
                operations=change.operations,
                samples=change.samples,
                protocol=change.protocol,
            )
        case Sampled(sample=sample):
            kept = tuple(old for old in node.samples if old.at > sample.at - HISTORY_SECONDS)
            ended = tuple(end for end in node.ended if end.heard_at > at - ENDED_SECONDS)
            return replace(node, heard_at=at, samples=(*kept, sample), ended=ended)
        case BackendChanged(state=state):
            heard = {**node.backends_heard_at, state.backend: at}
            backends = {**node.backends, state.backend: state}
            return replace(node, heard_at=at, backends=backends, backends_heard_at=heard)
        case OperationChanged(operation=operation):
            return _operated(replace(node, heard_at=at), operation, at)
        case Served():
            return replace(node, heard_at=at, served=change)
        case Dropped(count):  # nonsense is no sign of life
            return replace(node, dropped=node.dropped + count)
        case _:
            assert_never(change)


def _operated(node: NodeState, operation: Operation, at: float) -> NodeState:
    """The node after one of its operations went on or ended."""
    others = tuple(other for other in node.operations if other.id != operation.id)
    if operation.result is not None:
        end = Ended(operation, at)
        return replace(node, operations=others, ended=(*node.ended, end), last=end)
    if len(others) == len(node.operations):
        return replace(node, operations=(*others, operation))
    same = tuple(operation if other.id == operation.id else other for other in node.operations)
    return replace(node, operations=same)


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
    if any(not isinstance(one.request, DiskRequest) for one in node.operations):
        return "busy"
    failed = any(state.phase == "failed" for state in node.backends.values())
    failed = failed or any(model.phase in {"failed", "orphaned"} for _, model in node.resident)
    critical = node.sample is not None and node.sample.pressure == "critical"
    if failed or critical:
        return "degraded"
    return "busy" if node.operations else "up"


def refusal(node: NodeState, verb: NodeVerb) -> str | None:
    """Why `verb` cannot be done to `node` just now, in words; None when it can."""
    if not node.current or node.machine is None:
        return f"{node.name} is not connected" + (f": {node.reason}" if node.reason else "")
    return _lack(node, verb)


def _lack(node: NodeState, verb: NodeVerb) -> str | None:
    """What `node` does not have that `verb` needs."""
    match verb:
        case "swap":
            return None if _files(node.backends.values()) else f"{node.name} has no model to load{_hint(node)}"
        case "unload":
            return None if node.resident else f"no model is resident on {node.name}"
        case "chat" | "keep" if not node.ready:
            return f"no model is ready on {node.name}; load one with s"
        case "chat":
            return None
        case "keep":
            return None if keepable(node) else f"no engine of {node.name} can be told how long a model stays"
        case "serve":
            return None if node.able(*SERVER_VERBS) else f"{node.name} has no server to start or stop{_hint(node)}"
        case "pull":
            return None if node.able("pull") else f"nothing on {node.name} can pull a model{_hint(node)}"
        case "delete":
            files = (file for state in node.able("delete") for file in state.models)
            deletable = any(not file.undeletable for file in files)
            return None if deletable else f"{node.name} has no model that can be deleted from here"
        case "undo":  # only the node's journal knows what there is to take back
            return None
        case _:
            assert_never(verb)


def keepable(node: NodeState) -> tuple[tuple[str, ResidentModel], ...]:
    """Backend and model of everything of which it can be said how long it stays."""
    able = {state.backend for state in node.able("pin", "unpin", "keep")}
    return tuple(pair for pair in node.ready if pair[0] in able)


def _files(backends: Iterable[BackendState]) -> bool:
    """Whether any of these has a model on the disk."""
    return any(state.models for state in backends)


def _hint(node: NodeState) -> str:
    """What to do about a backend of the node, where one says so."""
    return next((f": {state.hint}" for state in node.backends.values() if state.hint), "")
