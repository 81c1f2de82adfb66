"""What is said before something is done."""

from __future__ import annotations

from fleetview.fleet import NodeState
from fleetview.present.numbers import count, size
from fleetview.present.text import plain
from fleetview_agent.wire import Operation, ResidentModel


def unloading(node: NodeState, backend: str, model: ResidentModel) -> tuple[str, ...]:
    """What unloading a model means."""
    traffic = node.traffic(backend, model.name)
    lines = [f"It leaves {plain(backend)}" + (f" and frees {size(model.memory_bytes)}." if model.memory_bytes else ".")]
    if traffic and (asked := traffic.in_flight + traffic.queued):
        lines.append(f"{count(asked, 'request')} running: cut off unless answered before the drain ends.")
    if model.pinned:
        lines.append("It is pinned.")
    return tuple(lines)


def cancelling(operation: Operation) -> tuple[str, ...]:
    """What cancelling an operation means."""
    lines = [f"Asked for by {plain(operation.request.author)}. The node goes back to where it was."]
    if operation.evictions:
        lines.append(f"What has left by then is loaded again: {plain(', '.join(operation.evictions))}.")
    return tuple(lines)
