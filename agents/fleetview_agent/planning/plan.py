"""What a load, a swap or an unload would do to the node as it is now. Pure: nothing is asked, nothing happens."""

from __future__ import annotations

from collections.abc import Sequence

from fleetview_agent.errors import NotResident
from fleetview_agent.planning.evictions import asked_to_leave, who_leaves
from fleetview_agent.planning.fit import GPU_MARGIN_BYTES, verdict
from fleetview_agent.planning.forecast import Estimate, Forecast, add_up, together
from fleetview_agent.planning.naming import nearest
from fleetview_agent.planning.obstacles import asked_for, obstacle
from fleetview_agent.planning.occupancy import Memory, Occupant, gib, memory_of, occupants_of
from fleetview_agent.wire import LoadRequest, Plan, Snapshot, SwapRequest, UnloadRequest

DOUBT = 0.1
"""By so much of a need a formula may be wrong."""


def make_plan(request: LoadRequest | SwapRequest, node: Snapshot, forecasts: Sequence[Forecast]) -> Plan:
    """What loading would do; `forecasts` are those of the model itself and of all that come beside it.

    Raises BadRequest for names that are not there.
    """
    occupants = occupants_of(node)
    memory = memory_of(node, occupants, on_gpu=request.options.gpu_layers != 0)
    asked = asked_to_leave(request, occupants)
    stays = tuple(one for one in occupants if not (one in asked and _names_who_leaves(request)))
    there = tuple(one for one in stays if any(_is_as_wanted(one, forecast) for forecast in forecasts))
    present = {one.target for one in there}
    coming = tuple(forecast for forecast in forecasts if forecast.target not in present)
    if not coming:
        return _nothing_to_do(request, there, memory, asked)
    required = together(forecast.estimate for forecast in coming)
    movable = tuple(one for one in occupants if one not in there)
    names = {forecast.target for forecast in coming}
    leaving = who_leaves(request, movable, names, memory, required.least_bytes)
    staying = tuple(one.target for one in occupants if one not in leaving and not one.failed)
    plan = _draw_up(request, memory, leaving, required).model_copy(update=_expected(forecasts[0], coming))
    refusal = next(filter(None, (obstacle(forecast, occupants, staying) for forecast in coming)), None)
    if refusal is None and not request.force:
        others = tuple(target for target in staying if target not in present)
        refusal = _too_large(coming, plan, others, is_gpu=memory.is_gpu)
    return plan.model_copy(update={"refusal": refusal})


def is_doubtful(request: LoadRequest | SwapRequest, node: Snapshot, forecasts: Sequence[Forecast]) -> bool:
    """Whether formulas that are slightly wrong would make it another plan, or cannot make one."""
    likely = (tuple(one.off_by(ratio) for one in forecasts) for ratio in (1 - DOUBT, 1, 1 + DOUBT))
    plans = [make_plan(request, node, off) for off in likely]
    is_unknown = plans[0].verdict == "unknown" and plans[0].need_bytes is None
    return is_unknown or len({(plan.verdict, plan.evictions) for plan in plans}) > 1


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
        room_evidence=memory.evidence(leaving),
        memory_before_bytes=memory.used_bytes,
        memory_after_bytes=memory.after(leaving, 0),
        memory_limit_bytes=memory.limit_bytes,
        verdict="fits",
        confidence="computed",
    )


def _names_who_leaves(request: LoadRequest | SwapRequest) -> bool:
    """Whether those that leave are named; one that is to come as well is loaded anew then."""
    return isinstance(request, SwapRequest) and isinstance(request.evict, tuple)


def _is_as_wanted(one: Occupant, forecast: Forecast) -> bool:
    """Whether the model is in memory as it would be loaded."""
    if one.target != forecast.target or one.model.phase != "ready" or one.model.context != forecast.context:
        return False
    loaded = one.model.options
    return all(getattr(loaded, name, None) == value for name, value in asked_for(forecast.load.options).items())


def _nothing_to_do(
    request: LoadRequest | SwapRequest, there: Sequence[Occupant], memory: Memory, asked: Sequence[Occupant]
) -> Plan:
    """Everything that should come is in memory already, as it is wanted."""
    itself = next(one for one in there if one.target == f"{request.backend}/{request.model}")
    others = " and ".join(one.target for one in asked if one not in there)
    refusal = f"{itself.target} is resident with this context already; unload {others} by itself" if others else None
    return Plan(
        request=request,
        already_resident=True,
        context=itself.model.context,
        need_bytes=add_up(one.model.memory_bytes for one in there),
        room_bytes=memory.room(there),
        memory_before_bytes=memory.used_bytes,
        memory_after_bytes=memory.used_bytes,
        memory_limit_bytes=memory.limit_bytes,
        verdict="fits",
        confidence="measured",
        expected_seconds=0.0,
        refusal=refusal,
    )


def _draw_up(
    request: LoadRequest | SwapRequest, memory: Memory, leaving: Sequence[Occupant], required: Estimate
) -> Plan:
    """The plan as far as memory is concerned; where only the weights are known, they can only speak against it."""
    room = memory.room(leaving)
    fits = verdict(required.least_bytes, room, gpu=memory.is_gpu)
    speaks = required.total_bytes is not None or fits == "does_not_fit"
    return Plan(
        request=request,
        evictions=tuple(one.target for one in leaving),
        waits_for=sum(one.in_flight for one in leaving),
        need_bytes=required.total_bytes,
        weights_bytes=required.weights_bytes,
        cache_bytes=required.cache_bytes,
        compute_bytes=required.compute_bytes,
        other_bytes=required.other_bytes,
        room_bytes=room,
        room_evidence=memory.evidence(leaving),
        memory_before_bytes=memory.used_bytes,
        memory_after_bytes=memory.after(leaving, required.total_bytes),
        memory_limit_bytes=memory.limit_bytes,
        verdict=fits if speaks else "unknown",
        confidence="computed" if speaks and required.total_bytes is None else required.confidence,
    )


def _expected(first: Forecast, coming: Sequence[Forecast]) -> dict[str, object]:
    """The context, and the time to load and warm what comes; how long answers take to end, nobody knows."""
    seconds = add_up(one.seconds for one in coming)
    coldness = {one.is_cold for one in coming}
    is_cold = True in coldness or (None if None in coldness else False)
    return {
        "context": first.context,
        "expected_seconds": seconds,
        "expected_cold": None if seconds is None else is_cold,
    }


def _too_large(coming: Sequence[Forecast], plan: Plan, staying: Sequence[str], *, is_gpu: bool) -> str | None:
    """That there is no room, and what would make some."""
    if plan.verdict != "does_not_fit":
        return None
    names, first = " and ".join(one.load.model for one in coming), coming[0]
    if len(coming) > 1:
        wanted = f"{names} together need {gib(plan.need_bytes or plan.weights_bytes)}"
    elif plan.need_bytes is None:
        wanted = f"the weights of {names} alone take {gib(plan.weights_bytes)}"
    else:
        wanted = f"{names} needs {gib(plan.need_bytes)} with a context of {first.context}"
    margin = f", of which {gib(GPU_MARGIN_BYTES)} must stay free" if is_gpu else ""
    others = f", let {' or '.join(staying)} leave too" if staying else ""
    return (
        f"{wanted}, and {gib(plan.room_bytes)} would be free{margin}; choose a smaller context{others}, or use --force"
    )
