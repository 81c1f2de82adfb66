"""What is said before something is done."""

from __future__ import annotations

from fleetview.fleet import Fleet, NodeState, unconnected
from fleetview.models.inventory import others_with
from fleetview.present.numbers import count, size
from fleetview.present.text import plain
from fleetview_agent.wire import BackendState, ModelFile, Operation, ResidentModel

_CUT_SHORT = {
    "pull": "What has come stays on the disk: pulling it again goes on from there.",
    "create": "Nothing of it stays.",
    "copy": "What has come stays on the disk: copying it again goes on from there.",
    "delete": "Nothing is deleted.",
}
"""What cancelling does to operations that change the disk alone."""

TYPE_IT = "Type its name to delete it."


def unloading(node: NodeState, backend: str, model: ResidentModel) -> tuple[str, ...]:
    """What unloading a model means."""
    if model.phase == "orphaned":
        kept = f" and keeps {size(model.memory_bytes)}" if model.memory_bytes else ""
        return (f"The server of {plain(backend)} that it belonged to is gone.", f"Its process runs on{kept}.")
    traffic = node.traffic(backend, model.name)
    lines = [f"It leaves {plain(backend)}" + (f" and frees {size(model.memory_bytes)}." if model.memory_bytes else ".")]
    if traffic and (asked := traffic.in_flight + traffic.queued):
        lines.append(f"{count(asked, 'request')} running: cut off unless answered before the drain ends.")
        if node.backends[backend].address is not None:
            lines.append("Answers to other programs are waited for, up to a minute more.")
    if model.pinned:
        lines.append("It is pinned.")
    return tuple(lines)


def unloading_now(fleet: Fleet, node: str, backend: str, model: str) -> tuple[tuple[str, ...], bool]:
    """What unloading a model means by now, or why it cannot be done any more."""
    if (state := fleet.get(node)) is None:
        return (f"{plain(node)} is not in the fleet any more.",), False
    if not state.current:
        return (f"{plain(node)} is not connected: {plain(unconnected(state))}",), False
    found = next((one for name, one in state.resident if (name, one.name) == (backend, model)), None)
    if found is None:
        return (f"It is not in memory on {plain(node)} any more.",), False
    return unloading(state, backend, found), True


def in_memory(backend: str, model: ResidentModel) -> str:
    """A model that can be chosen, with what speaks for and against it."""
    notes = [size(model.memory_bytes)] if model.memory_bytes is not None else []
    notes += [] if model.phase == "ready" else [model.phase]
    notes += ["pinned"] if model.pinned else []
    return f"{plain(backend)}/{plain(model.name)}" + (f"  {', '.join(notes)}" if notes else "")


def pulling(engine: BackendState) -> tuple[str, ...]:
    """Who fetches a model, and what becomes of one that was broken off."""
    by = " ".join((plain(engine.backend), plain(engine.version or ""))).strip()
    return (f"{by} fetches it from its registry.", "One that was broken off goes on where it was.")


def pulling_many(backend: str) -> tuple[str, ...]:
    """The same for several nodes."""
    return (f"{plain(backend)} of each node fetches it from its registry.", "What was broken off goes on where it was.")


def deleting_many(nodes: tuple[str, ...]) -> tuple[str, ...]:
    """What deleting a model on several nodes means."""
    where = f"It leaves the {count(len(nodes), 'disk')} of {plain(', '.join(nodes))}."
    return (where, "For 30 s each can still be cancelled.", TYPE_IT)


def deleting(node: NodeState, state: BackendState, file: ModelFile) -> tuple[str, ...]:
    """What deleting a model means."""
    lines = [f"{size(file.size_bytes)} on the disk of {plain(node.name)}, used by {plain(state.backend)}."]
    users = [
        f"{other.backend}/{twin.name}"
        for other in node.backends.values()
        for twin in other.models
        if (other is not state) and file.identity is not None and twin.identity == file.identity
    ]
    if users:
        lines.append(f"The same file is also {plain(', '.join(users))}.")
    lines.append("For 30 s it can still be cancelled.")
    return tuple(lines)


def elsewhere(fleet: Fleet, node: NodeState, state: BackendState, file: ModelFile) -> tuple[str, ...]:
    """Whether the same file is on other nodes too; that it is the last one of the fleet is said."""
    having, unknown = others_with(fleet, node.name, state.backend, file)
    if having:
        more = f" and {len(having) - 1} more" if len(having) > 1 else ""
        return (f"The same file is also on {plain(having[0])}{more}.",)
    if unknown:
        return (f"No other node has it as far as is known; not connected: {plain(', '.join(unknown))}.",)
    return ("It is the last copy in the fleet.",)


def cancelling(operation: Operation) -> tuple[str, ...]:
    """What cancelling an operation means."""
    fate = _CUT_SHORT.get(operation.request.verb, "The node goes back to where it was.")
    lines = [f"Asked for by {plain(operation.request.author)}. {fate}"]
    if operation.evictions:
        lines.append(f"What has left by then is loaded again: {plain(', '.join(operation.evictions))}.")
    return tuple(lines)
