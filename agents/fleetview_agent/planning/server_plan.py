"""What starting, stopping or restarting a backend would do to the node as it is now. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from fleetview_agent.backends import ServerSteps
from fleetview_agent.errors import BadRequest
from fleetview_agent.planning.fit import verdict
from fleetview_agent.planning.forecast import add_up, least_sure
from fleetview_agent.planning.naming import find_backend
from fleetview_agent.planning.occupancy import Occupant, memory_of, occupants_of
from fleetview_agent.wire import (
    BackendState,
    LoadOptions,
    Plan,
    RestartRequest,
    ServerRequest,
    Snapshot,
    StartRequest,
    target,
)

CHOICES = 5
"""How many models are named to someone who has to choose one."""


def plan_server(request: ServerRequest, node: Snapshot, steps: ServerSteps) -> Plan:
    """What the verb would do to a backend whose engine has a server of its own. Raises NotFound."""
    leaving = _leaving(request, node)
    return _draw_up(request, node, leaving).model_copy(
        update={"supervisor": steps.supervisor, "commands": steps.commands, "refusal": steps.refusal}
    )


def plan_models(
    request: ServerRequest, node: Snapshot, last_ran: Mapping[str, LoadOptions], loads: tuple[Plan, ...]
) -> Plan:
    """What the verb would do to a backend that is nothing but its models: `loads` are the plans of those that come.

    `last_ran` is what ran on it last, resident or not. Raises NotFound, BadRequest where nothing ran that could start.
    """
    state = find_backend(request.backend, node)
    leaving = _leaving(request, node)
    plan = _draw_up(request, node, leaving)
    if not loads:
        if isinstance(request, StartRequest) and not last_ran:
            raise BadRequest(_choices(state))
        return plan
    need = add_up(load.need_bytes for load in loads)
    memory = memory_of(node, occupants_of(node))
    fits = verdict(need, plan.room_bytes, gpu=memory.is_gpu)
    refusal = next((load.refusal for load in loads if load.refusal), None)
    if refusal is None and fits == "does_not_fit":
        refusal = (
            f"{' and '.join(target(load.request) for load in loads)} do not fit together; load one of them by itself"
        )
    return plan.model_copy(
        update={
            "need_bytes": need,
            "memory_after_bytes": memory.after(leaving, need),
            "verdict": fits,
            "confidence": least_sure(load.confidence for load in loads),
            "expected_seconds": add_up(load.expected_seconds for load in loads),
            "refusal": refusal,
        }
    )


def _leaving(request: ServerRequest, node: Snapshot) -> tuple[Occupant, ...]:
    """Who leaves: everyone of the backend, or, where it starts, those that nobody can ask any more."""
    find_backend(request.backend, node)
    own = tuple(one for one in occupants_of(node) if one.target.startswith(f"{request.backend}/"))
    if isinstance(request, StartRequest):
        return tuple(one for one in own if one.model.phase == "orphaned")
    return own


def _draw_up(request: ServerRequest, node: Snapshot, leaving: tuple[Occupant, ...]) -> Plan:
    """The plan as far as those are concerned that leave."""
    memory = memory_of(node, occupants_of(node))
    coming = sum(one.memory_bytes for one in leaving) if isinstance(request, RestartRequest) else 0
    return Plan(
        request=request,
        evictions=tuple(one.target for one in leaving),
        waits_for=sum(one.in_flight for one in leaving),
        room_bytes=memory.room(leaving),
        room_evidence=memory.evidence(leaving),
        memory_before_bytes=memory.used_bytes,
        memory_after_bytes=memory.after(leaving, coming),
        memory_limit_bytes=memory.limit_bytes,
        verdict="fits",
        confidence="computed",
    )


def _choices(state: BackendState) -> str:
    """That nothing ran here that could be loaded again, and what could be loaded."""
    usable = [file.name for file in state.models if file.refusal is None]
    named = ", ".join(usable[:CHOICES]) + (", …" if len(usable) > CHOICES else "")
    do = f"load one of {named}" if usable else "it has no model either"
    return f"nothing has run on {state.backend} that could be loaded again; {do}"
