"""What is said when the dashboard is left."""

from __future__ import annotations

from collections.abc import Iterable

from fleetview.fleet import NodeState
from fleetview.present.operations.progress import subject
from fleetview.present.text import plain

_OUTLIVES_THE_AGENT = "ollama"
"""The engine whose models do not keep an agent alive."""


def farewell(nodes: Iterable[NodeState]) -> str | None:
    """What stays, or goes on, on this machine's own agents; None when nothing does."""
    nodes = tuple(node for node in nodes if node.link == "up")
    staying = [
        plain(model.name)
        for node in nodes
        for backend, model in node.resident
        if backend != _OUTLIVES_THE_AGENT and model.phase in {"ready", "loading"}
    ]
    operations = [operation for node in nodes for operation in node.operations]
    if operations:
        request = operations[0].request
        return f"the {request.verb} of {subject(request)} goes on here; fleetview-agent stop ends it"
    if not staying:
        return None
    verb = "stays" if len(staying) == 1 else "stay"
    return f"{' and '.join(staying)} {verb} resident here; fleetview-agent stop ends it"
