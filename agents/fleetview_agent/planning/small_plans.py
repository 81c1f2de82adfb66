"""What pinning, keeping, pulling, creating and deleting would do to the node as it is now.

Pure but for one look, whether a file is there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from fleetview_agent.errors import BadRequest, NotResident
from fleetview_agent.planning.naming import find_backend, find_model, is_same, nearest, not_ready
from fleetview_agent.planning.occupancy import occupants_of
from fleetview_agent.wire import (
    CreateRequest,
    DeleteRequest,
    DiskRequest,
    KeepRequest,
    Operation,
    PinRequest,
    Plan,
    PullRequest,
    Request,
    Snapshot,
    UnpinRequest,
    target,
)


def plan_stay(
    request: PinRequest | UnpinRequest | KeepRequest, node: Snapshot, *, pins: Collection[str], keeps: bool
) -> Plan:
    """What a pin, its end, or a time to stay would do; `keeps`: whether the backend knows times at all.

    Raises NotFound and NotResident.
    """
    find_backend(request.backend, node)
    wanted = target(request)
    occupants = {one.target: one for one in occupants_of(node)}
    if wanted not in occupants and not (isinstance(request, UnpinRequest) and wanted in pins):
        raise NotResident(f"{wanted} is not resident", nearest(wanted, tuple(occupants)))
    refusal = None
    if isinstance(request, KeepRequest) and not keeps:
        refusal = f"{request.backend} keeps a model until it is unloaded, and knows no time; unload it when you want to"
    elif not isinstance(request, UnpinRequest) and (phase := occupants[wanted].model.phase) != "ready":
        refusal = f"{wanted} is {phase} just now; try again when it is ready"
    return Plan(request=request, verdict="fits", confidence="computed", refusal=refusal)


def plan_disk(request: DiskRequest, node: Snapshot, *, earlier: Iterable[Operation], stores: bool) -> Plan:
    """What a pull, a create or a delete would do; `stores`: whether the backend can do such things at all.

    `earlier` are the operations that come before this one. Raises NotFound and BadRequest.
    """
    state = find_backend(request.backend, node)
    refusal = (None if stores else _cannot_store(request)) or not_ready(state) or _in_hand(request, earlier)
    if refusal is None:
        match request:
            case DeleteRequest():
                refusal = _cannot_delete(request, node)
            case CreateRequest():
                refusal = _cannot_create(request, node)
            case PullRequest():
                pass
    return Plan(request=request, verdict="unknown", confidence="unknown", refusal=refusal)


def source_of(request: CreateRequest, node: Snapshot) -> Path | str:
    """What a model is made from: a file, or the name of another model of the same backend.

    Raises NotFound and BadRequest.
    """
    if request.source.startswith("/"):
        return Path(request.source)
    backend, slash, model = request.source.partition("/")
    if not slash:
        raise BadRequest(
            f"{request.source} is neither a file nor a model", "give an absolute path, or BACKEND/MODEL of this node"
        )
    file = find_model(find_backend(backend, node), model)
    if backend == request.backend:
        return model
    if file.path is None:
        raise BadRequest(f"{request.source} has no file that {request.backend} could read")
    return Path(file.path)


def _cannot_store(request: DiskRequest) -> str:
    """That the backend has no such ability."""
    return f"{request.backend} cannot {request.verb} models; it lists the GGUF files that are in its folders"


def _in_hand(request: DiskRequest, earlier: Iterable[Operation]) -> str | None:
    """That something is being done with the same model already."""
    same = next((one for one in earlier if _is_about(one.request, target(request))), None)
    if same is None:
        return None
    return f"a {same.request.verb} of {target(request)} is in hand already; wait for its end, or cancel it"


def _is_about(request: Request, wanted: str) -> bool:
    """Whether the request changes the model on the disk, or brings it into memory."""
    return request.verb in {"pull", "create", "delete", "copy", "load", "swap"} and is_same(target(request), wanted)


def _cannot_delete(request: DeleteRequest, node: Snapshot) -> str | None:
    """That the model is not the backend's own, or in memory, or its file in another backend, unless it is kept."""
    own = find_backend(request.backend, node)
    file = find_model(own, request.model)
    if file.undeletable:
        return file.undeletable
    is_kept = any(other.path == file.path and other != file for other in own.models)
    users = [
        f"{state.backend}/{row.name}"
        for state in node.backends
        for row in state.resident
        for other in state.models
        if row.name == other.name and row.phase != "failed"
        if (state.backend, row.name) == (request.backend, request.model)
        or (state is not own and not is_kept and file.path is not None and other.path == file.path)
    ]
    return f"{' and '.join(users)} is resident; unload it first" if users else None


def _cannot_create(request: CreateRequest, node: Snapshot) -> str | None:
    """That the name is taken, or the file is not there."""
    source = source_of(request, node)
    taken = any(is_same(file.name, request.model) for file in find_backend(request.backend, node).models)
    if taken and not (isinstance(source, str) and is_same(source, request.model)):
        return f"{target(request)} is there already; choose another name, or delete it first"
    if isinstance(source, Path) and not source.is_file():
        return f"there is no file {source} on this node; `fleetview models` lists those that are known"
    return None
