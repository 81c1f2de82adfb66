"""What has just changed about a node, and so is bright for a moment."""

from __future__ import annotations

from fleetview.fleet import NodeState

FRESH_SECONDS = 1.0
"""How long that is."""


def changed(before: NodeState | None, after: NodeState) -> bool:
    """Whether a model or an operation came, went, or entered another phase; not what is heard of for the first time.

    Figures change all the time, and are never bright.
    """
    if before is None or before.machine is None:
        return False
    same = before.backends is after.backends and before.operations is after.operations
    return not same and _phases(before) != _phases(after)


def _phases(node: NodeState) -> object:
    """Every model and operation with its phase."""
    models = tuple((backend, model.name, model.phase) for backend, model in node.resident)
    return models, tuple((operation.id, operation.phase) for operation in node.operations)
