"""What an undo is about: which operation it takes back, and by what. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from fleetview_agent.errors import NotFound, RefusedOperation
from fleetview_agent.operations.inverses import by
from fleetview_agent.wire import DeleteRequest, DiskRequest, Operation, Request, SwapRequest, UndoRequest, target

DEPTH = 200
"""How many ended operations are looked through."""
BEFORE_DELETE = ("queued", "plan", "wait")
"""Phases of a delete in which nothing is gone."""


@dataclass(frozen=True)
class Undo:
    """An operation, and how it is taken back."""

    operation: Operation
    request: Request | None
    """What undoes it; None where it is in hand and only has to be cancelled."""


def resolve(order: UndoRequest, ended: Sequence[Operation], in_hand: Sequence[Operation]) -> Undo:
    """What the order means; `ended` is newest first. Raises NotFound and RefusedOperation."""
    every = sorted((*in_hand, *ended), key=lambda one: one.queued_at, reverse=True)
    undone = {one.undoes: one for one in every if one.undoes and one.result in {None, "done"}}
    open_ones = [one for one in every if _can_be_meant(one) and one.id not in undone]
    if order.operation is None:
        if not open_ones:
            raise RefusedOperation("there is nothing to undo: no operation of this node is left to be taken back")
        chosen = open_ones[0]
    else:
        named = next((one for one in every if one.id == order.operation), None)
        if named is None:
            raise NotFound(f"there is no operation {order.operation}", "the journal of the node names them")
        if named.id in undone:
            raise RefusedOperation(f"{_named(named)} was undone already, by operation {undone[named.id].id}")
        chosen = named
    if refusal := _refusal(chosen):
        raise RefusedOperation(refusal, _instead(one for one in open_ones if one is not chosen))
    return Undo(chosen, chosen.inverse and by(chosen.inverse, order.author))


def as_things_are(request: Request, resident: Collection[str]) -> Request:
    """What undoes an operation, where some of those that are to leave have left by themselves since."""
    if not isinstance(request, SwapRequest) or not isinstance(request.evict, tuple):
        return request
    return request.model_copy(update={"evict": tuple(one for one in request.evict if one in resident)})


def _can_be_meant(operation: Operation) -> bool:
    """Whether it may be the last thing that an operator did: not an undo, nor the agent's own, nor a failure.

    A transfer in hand is no such thing yet; it may take hours, and is cancelled by its id.
    """
    if operation.reason is not None or operation.undoes is not None or operation.result not in {None, "done"}:
        return False
    is_transfer = isinstance(operation.request, DiskRequest) and not isinstance(operation.request, DeleteRequest)
    return operation.result is not None or not is_transfer


def _refusal(operation: Operation) -> str | None:
    """Why it cannot be taken back; None where it can."""
    name = _named(operation)
    if operation.result is None:
        if not isinstance(operation.request, DeleteRequest):
            return f"{name} is in hand still; cancel it, or undo it when it has ended"
        is_over = operation.phase not in BEFORE_DELETE
        return f"{name} cannot be undone: its files are going just now" if is_over else None
    if operation.undoes is not None:
        return f"{name} took back operation {operation.undoes} itself; ask for that anew"
    if operation.result != "done":
        return f"{name} ended as {operation.result.replace('_', ' ')}, so there is nothing to take back"
    return None if operation.inverse else f"{name} cannot be undone: {_why(operation)}"


def _why(operation: Operation) -> str:
    """Why nothing undoes an operation that is done."""
    match operation.request.verb:
        case "delete":
            return "its files are gone; pull or copy the model again"
        case "restart":
            return "all that was there is there again"
        case "unload":
            return "what was in memory could not answer any more"
        case "unpin":
            return "the model is not in memory, and only what is there can be pinned"
        case "load" | "swap" | "start" if any(row.phase == "load" for row in operation.phases):
            return "no single step lets all leave that came; unload them one by one"
        case _:
            return "it changed nothing that could be brought back"


def _named(operation: Operation) -> str:
    """The operation for people."""
    return f"the {operation.request.verb} of {target(operation.request)}"


def _instead(others: Iterable[Operation]) -> str | None:
    """The next operation that could be undone by its id."""
    other = next((one for one in others if _refusal(one) is None), None)
    return None if other is None else f"{_named(other)} before it can be: undo operation {other.id}"
