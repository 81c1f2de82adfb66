"""What a request would do to the node as it is now. Pure: nothing is asked, nothing happens."""

from __future__ import annotations

from collections.abc import Sequence

from fleetview_agent.errors import BadRequest, NotResident
from fleetview_agent.fit import GPU_MARGIN_BYTES, Need, need, verdict
from fleetview_agent.gguf import Header
from fleetview_agent.naming import find_backend, find_model, nearest, not_ready
from fleetview_agent.occupancy import Memory, Occupant, memory_of, occupants_of
from fleetview_agent.wire import BackendState, LoadRequest, ModelFile, Plan, Snapshot, SwapRequest, UnloadRequest


def make_plan(
    request: LoadRequest | SwapRequest,
    node: Snapshot,
    *,
    header: Header | None = None,
    context: int | None = None,
    load_seconds: float | None = None,
) -> Plan:
    """What loading the model would do.

    `context` is what it gets where the request names none, before the default of its file; `load_seconds` is what it
    took the last time. Raises NotFound and BadRequest for names that are not there.
    """
    state = find_backend(request.backend, node)
    file = find_model(state, request.model)
    context = request.options.context or context or file.default_context
    occupants = occupants_of(node)
    memory = memory_of(node, occupants)
    itself = next((one for one in occupants if one.target == f"{request.backend}/{request.model}"), None)
    if itself and itself.model.phase == "ready" and itself.model.context == context:
        return _nothing_to_do(request, itself, memory, _asked_to_leave(request, occupants))
    required = need(header, context) if header and context else None
    weights = header.tensor_bytes if header else file.size_bytes
    leaving = _leaving(request, occupants, memory, required.total_bytes if required else weights)
    staying = tuple(one.target for one in occupants if one not in leaving and not one.failed)
    plan = _draw_up(request, memory, leaving, required or weights).model_copy(
        update={"context": context, "expected_seconds": load_seconds}
    )
    unusable = file.refusal or (header.refusal if header else None) or not_ready(state) or _in_between(itself)
    unusable = unusable or _twin(state, file, staying)
    refusal = unusable or (None if request.force else _too_large(request, plan, staying, is_gpu=memory.is_gpu))
    return plan.model_copy(update={"refusal": refusal})


def _twin(state: BackendState, file: ModelFile, staying: Sequence[str]) -> str | None:
    """That the backend has the same file in memory by another name, and would load it once only."""
    for other in state.models:
        if file.path is not None and other.path == file.path and other != file:
            target = f"{state.backend}/{other.name}"
            if target in staying:
                return f"{file.name} is the same file as {target}, which is resident; use that one, or let it leave"
    return None


def _in_between(itself: Occupant | None) -> str | None:
    """That somebody else is about the same model just now."""
    if itself is None or not itself.in_between:
        return None
    return f"{itself.target} is {itself.model.phase} just now, for another client; try again when that is over"


def _asked_to_leave(request: LoadRequest | SwapRequest, occupants: tuple[Occupant, ...]) -> list[Occupant]:
    """Those that the operator wants gone, whatever room there is."""
    if isinstance(request, SwapRequest) and request.evict == "all":
        return [one for one in occupants if not one.model.pinned]
    return _named(request, occupants)


def plan_unload(request: UnloadRequest, node: Snapshot) -> Plan:
    """What taking the model out of memory would do. Raises NotResident."""
    occupants = occupants_of(node)
    target = f"{request.backend}/{request.model}"
    if not (leaving := tuple(one for one in occupants if one.target == target)):
        raise NotResident(f"{target} is not resident", nearest(target, [one.target for one in occupants]))
    memory = memory_of(node, occupants)
    return Plan(
        request=request,
        evictions=(target,),
        waits_for=leaving[0].in_flight,
        room_bytes=memory.room(leaving),
        memory_before_bytes=memory.used_bytes,
        memory_after_bytes=memory.after(leaving, 0),
        memory_limit_bytes=memory.limit_bytes,
        verdict="fits",
        confidence="computed",
    )


def _leaving(
    request: LoadRequest | SwapRequest, occupants: tuple[Occupant, ...], memory: Memory, least_bytes: int
) -> tuple[Occupant, ...]:
    """Who leaves, in the order in which they go."""
    itself = [one for one in occupants if one.target == f"{request.backend}/{request.model}"]
    evict = request.evict if isinstance(request, SwapRequest) else "none"
    if evict == "none":
        return tuple(itself)
    if isinstance(evict, tuple):
        return tuple(dict.fromkeys((*itself, *_named(request, occupants))))
    others = [one for one in occupants if one not in itself and not one.model.pinned and not one.in_between]
    cleared = [one for one in others if one.useless]
    candidates = sorted((one for one in others if not one.useless), key=lambda one: one.recency)
    if evict == "all":
        return (*itself, *cleared, *candidates)
    leaving = itself or candidates[:1]
    candidates = [one for one in candidates if one not in leaving]
    while candidates and verdict(least_bytes, memory.room((*cleared, *leaving)), gpu=memory.is_gpu) == "does_not_fit":
        leaving = [*leaving, candidates.pop(0)]
    return (*cleared, *leaving)


def _named(request: LoadRequest | SwapRequest, occupants: tuple[Occupant, ...]) -> list[Occupant]:
    """Those that the request names, with or without their backend."""
    if not isinstance(request, SwapRequest) or not isinstance(request.evict, tuple):
        return []
    named = []
    for name in request.evict:
        matches = [one for one in occupants if name in {one.target, one.model.name}]
        if len(matches) > 1:
            raise BadRequest(f"{name} is resident in several backends", f"say {matches[0].target}")
        if not matches:
            hint = nearest(name, [one.target for one in occupants])
            raise BadRequest(f"{name} cannot leave, for it is not resident", hint)
        named.append(matches[0])
    return named


def _nothing_to_do(
    request: LoadRequest | SwapRequest, itself: Occupant, memory: Memory, named: Sequence[Occupant]
) -> Plan:
    """The model is in memory already, with the context that is wanted."""
    others = " and ".join(one.target for one in named if one != itself)
    refusal = f"{itself.target} is resident with this context already; unload {others} by itself" if others else None
    return Plan(
        request=request,
        already_resident=True,
        context=itself.model.context,
        need_bytes=itself.model.memory_bytes,
        room_bytes=memory.room((itself,)),
        memory_before_bytes=memory.used_bytes,
        memory_after_bytes=memory.used_bytes,
        memory_limit_bytes=memory.limit_bytes,
        verdict="fits",
        confidence="measured",
        expected_seconds=0.0,
        refusal=refusal,
    )


def _draw_up(
    request: LoadRequest | SwapRequest, memory: Memory, leaving: Sequence[Occupant], required: Need | int
) -> Plan:
    """The plan as far as memory is concerned; where only the weights are known, they can only speak against it."""
    room = memory.room(leaving)
    known = isinstance(required, Need)
    total = required.total_bytes if isinstance(required, Need) else None
    weights = required.weights_bytes if isinstance(required, Need) else required
    fits = verdict(total or weights, room, gpu=memory.is_gpu)
    certain = known or fits == "does_not_fit"
    return Plan(
        request=request,
        evictions=tuple(one.target for one in leaving),
        waits_for=sum(one.in_flight for one in leaving),
        need_bytes=total,
        weights_bytes=weights,
        cache_bytes=required.cache_bytes if isinstance(required, Need) else None,
        room_bytes=room,
        memory_before_bytes=memory.used_bytes,
        memory_after_bytes=memory.after(leaving, total),
        memory_limit_bytes=memory.limit_bytes,
        verdict=fits if certain else "unknown",
        confidence="computed" if certain else "unknown",
    )


def _too_large(request: LoadRequest | SwapRequest, plan: Plan, staying: Sequence[str], *, is_gpu: bool) -> str | None:
    """That there is no room, and what would make some."""
    if plan.verdict != "does_not_fit":
        return None
    wanted = f"{request.model} needs {_gib(plan.need_bytes)} with a context of {plan.context}"
    if plan.need_bytes is None:
        wanted = f"the weights of {request.model} alone take {_gib(plan.weights_bytes)}"
    margin = f", of which {_gib(GPU_MARGIN_BYTES)} must stay free" if is_gpu else ""
    others = f", let {' or '.join(staying)} leave too" if staying else ""
    return (
        f"{wanted}, and {_gib(plan.room_bytes)} would be free{margin}; choose a smaller context{others}, or use --force"
    )


def _gib(count: int | None) -> str:
    """Bytes for people."""
    return "an unknown amount" if count is None else f"{count / (1 << 30):.1f} G"
