"""Models that other nodes of the fleet have, as rows of the picker that say how they come here. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetview.fleet import Fleet, NodeState, unconnected
from fleetview.models.picking import Choice, unaskable

if TYPE_CHECKING:
    from fleetview_agent.wire import ModelFile


@dataclass(frozen=True)
class Placed:
    """A model, and the first node that has it; one that is connected where there is one."""

    node: str
    backend: str
    file: ModelFile
    away: str | None = None
    """Why that node cannot be asked for it."""


def others(fleet: Fleet, node: str) -> tuple[Placed, ...]:
    """What can be loaded on other nodes, as far as is known; the same file once for each engine."""
    found: dict[tuple[str, str], Placed] = {}
    for other in sorted(fleet.values(), key=lambda other: not other.current):
        if other.name == node:
            continue
        away = None if other.current else unconnected(other)
        for state in other.backends.values():
            for file in state.models:
                if file.refusal is None and unaskable(state.backend, file.name) is None:
                    key = (state.backend, file.identity or file.name)
                    found.setdefault(key, Placed(other.name, state.backend, file, away))
    return tuple(found.values())


def elsewhere(placed: Iterable[Placed], node: NodeState) -> tuple[Choice, ...]:
    """Those of these models that `node` lacks, each with the reason why it cannot be loaded there as it is."""
    files = tuple((state.backend, file) for state in node.backends.values() for file in state.models)
    names = {(backend, file.name) for backend, file in files}
    identities = {file.identity for _, file in files}
    return tuple(
        Choice(one.backend, one.file, _reason(one, node), place=one.node)
        for one in placed
        if one.file.identity not in identities and (one.backend, one.file.name) not in names
    )


def _reason(one: Placed, node: NodeState) -> str:
    """Why it cannot be loaded on `node`, and what brings it there."""
    state = node.backends.get(one.backend)
    if state is None or state.phase == "missing":
        return f"on {one.node}; {node.name} has no {one.backend}"
    if one.away is not None:
        return f"on {one.node}, not connected: {one.away}"
    return f"on {one.node}: C in Models copies it"


def nothing_matches(rows: Iterable[Choice], node: str) -> str:
    """Why none of these rows can be chosen; of the first that lies elsewhere, what brings it to `node`."""
    away = next((row for row in rows if row.place is not None), None)
    if away is None or away.place is None:
        return "No model matches; esc shows all."
    command = shlex.join(("fleetview", "copy", away.place, away.name, node))
    return f"It is not here yet; C in Models copies it, or: {command}"
