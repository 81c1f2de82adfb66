"""How the fleet becomes the next one: by its file, and by what nodes say. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import dropwhile
from typing import TYPE_CHECKING, assert_never

from fleetview.config import FleetConfig
from fleetview.fleet.state import Change, Dropped, Ended, Fleet, LinkDown, LinkUp, NodeState

if TYPE_CHECKING:
    from fleetview_agent.wire import Operation

HISTORY_SECONDS = 120.0
"""How far back the samples of a node reach."""
ENDED_SECONDS = 8.0
"""How long an ended operation stays in its row."""
LOGGED = 500
"""Lines of log that are kept of a node."""


def described(config: FleetConfig, fleet: Fleet | None = None, before: FleetConfig | None = None) -> Fleet:
    """The fleet of a fleet file, in its order; what is known of nodes that have not changed since `before` stays."""
    interval = config.fleet.interval_seconds
    same = set(config.nodes) & set(before.nodes) if before else set()
    known = {node.name: fleet[node.name] for node in same if node.name in fleet} if fleet else {}
    nodes: dict[str, NodeState] = {}
    for node in config.nodes:
        state = known.get(node.name, NodeState(node.name, node.role, node.tags, interval_seconds=interval))
        if state.interval_seconds != interval:  # its connection is made anew
            state = replace(
                state, interval_seconds=interval, link="connecting", reason=None, retry_at=None, link_since=None
            )
        nodes[node.name] = state
    return nodes


def alerted(fleet: Fleet, texts: Mapping[str, tuple[str, ...]]) -> Fleet:
    """The fleet whose nodes have these alerts and no others; the same where that is so already."""
    changed = {
        name: replace(node, alerts=texts.get(name, ()))
        for name, node in fleet.items()
        if node.alerts != texts.get(name, ())
    }
    return {**fleet, **changed} if changed else fleet


def apply(fleet: Fleet, name: str, change: Change, at: float) -> Fleet:
    """The fleet after `change` came from the node `name` at the monotonic time `at`; unknown nodes change nothing."""
    if (node := fleet.get(name)) is None:
        return fleet
    return {**fleet, name: _next(node, change, at)}


def _next(node: NodeState, change: Change, at: float) -> NodeState:
    """The node after a change."""
    from fleetview_agent import wire  # the first paint does not wait for the wire models

    match change:
        case LinkUp():
            return replace(node, link="up", reason=None, retry_at=None, link_since=at)
        case LinkDown(reason, retry_seconds):
            since = node.link_since if node.link == "down" else at
            retry_at = None if retry_seconds is None else at + retry_seconds
            return replace(node, link="down", reason=reason, retry_at=retry_at, link_since=since)
        case wire.Snapshot():
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
        case wire.Sampled(sample=sample):
            kept = dropwhile(lambda old: old.at <= sample.at - HISTORY_SECONDS, node.samples)
            ended = tuple(end for end in node.ended if end.heard_at > at - ENDED_SECONDS)
            return replace(node, heard_at=at, samples=(*kept, sample), ended=ended)
        case wire.BackendChanged(state=state):
            heard = {**node.backends_heard_at, state.backend: at}
            backends = {**node.backends, state.backend: state}
            return replace(node, heard_at=at, backends=backends, backends_heard_at=heard)
        case wire.OperationChanged(operation=operation):
            return _operated(replace(node, heard_at=at), operation, at)
        case wire.Served():
            return replace(node, heard_at=at, served=change)
        case wire.Logged(lines=lines):
            return replace(node, heard_at=at, logged=(*node.logged, *lines)[-LOGGED:])
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
