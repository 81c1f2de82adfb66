"""What a verb acts on: a row of one of the views."""

from __future__ import annotations

from dataclasses import dataclass

from fleetview.fleet import NodeState


@dataclass(frozen=True)
class Subject:
    """A node, and where the row says so, one model of it."""

    node: NodeState
    backend: str | None = None
    model: str | None = None
    """By its name in `backend`; None: which of the node's models is meant is asked for."""
