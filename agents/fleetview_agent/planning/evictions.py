"""Who leaves so that a model can come. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from fleetview_agent.errors import BadRequest
from fleetview_agent.planning.fit import verdict
from fleetview_agent.planning.naming import nearest
from fleetview_agent.planning.occupancy import Memory, Occupant
from fleetview_agent.wire import LoadRequest, SwapRequest


def who_leaves(
    request: LoadRequest | SwapRequest,
    occupants: Sequence[Occupant],
    coming: Collection[str],
    memory: Memory,
    need_bytes: int,
) -> tuple[Occupant, ...]:
    """Who leaves, in the order in which they go; `coming` are the `BACKEND/MODEL` that are loaded (again).

    Those of `occupants` that are there as they are wanted have been left out. Raises BadRequest.
    """
    themselves = [one for one in occupants if one.target in coming]
    evict = request.evict if isinstance(request, SwapRequest) else "none"
    if evict == "none":
        return tuple(themselves)
    if isinstance(evict, tuple):
        return tuple(dict.fromkeys((*themselves, *named(evict, occupants))))
    others = [one for one in occupants if one not in themselves and not one.model.pinned and not one.in_between]
    cleared = [one for one in others if one.useless]
    candidates = sorted((one for one in others if not one.useless), key=lambda one: one.recency)
    if evict == "all":
        return (*themselves, *cleared, *candidates)
    leaving = themselves or candidates[:1]
    candidates = [one for one in candidates if one not in leaving]
    while candidates and verdict(need_bytes, memory.room((*cleared, *leaving)), gpu=memory.is_gpu) == "does_not_fit":
        leaving = [*leaving, candidates.pop(0)]
    return (*cleared, *leaving)


def asked_to_leave(request: LoadRequest | SwapRequest, occupants: Sequence[Occupant]) -> tuple[Occupant, ...]:
    """Those that the operator wants gone, whatever room there is. Raises BadRequest."""
    if not isinstance(request, SwapRequest) or request.evict in {"auto", "none"}:
        return ()
    if isinstance(request.evict, tuple):
        return named(request.evict, occupants)
    return tuple(one for one in occupants if not one.model.pinned)


def named(names: Sequence[str], occupants: Sequence[Occupant]) -> tuple[Occupant, ...]:
    """Those that are meant, with or without their backend. Raises BadRequest."""
    found = []
    for name in names:
        matches = [one for one in occupants if name in {one.target, one.model.name}]
        if len(matches) > 1:
            raise BadRequest(f"{name} is resident in several backends", f"say {matches[0].target}")
        if not matches:
            hint = nearest(name, [one.target for one in occupants])
            raise BadRequest(f"{name} cannot leave, for it is not resident", hint)
        found.append(matches[0])
    return tuple(found)
