"""A verb for several nodes: what is asked of each, and how far it is there. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from fleetview.fleet import Fleet, NodeState, unconnected
from fleetview.wishes.subject import Subject

if TYPE_CHECKING:
    from fleetview_agent.wire import Operation, Order, Plan

State = Literal["failed", "lost", "asked", "in hand", "done", "left out"]
"""How far a node is; failures first, as they are listed."""
ORDER: tuple[State, ...] = ("failed", "lost", "asked", "in hand", "done", "left out")


@dataclass(frozen=True)
class Target:
    """A node, and what is to be asked of it."""

    node: str
    request: Order | None = None
    """None: it is left out."""
    refusal: str | None = None
    """Why it is left out, or would refuse."""
    plan: Plan | None = None
    """What it would do; None: not known."""

    @property
    def agreed(self) -> bool:
        """Whether it is asked once the operator agrees."""
        return self.request is not None and self.refusal is None


@dataclass(frozen=True)
class Row:
    """A node that was asked, and what has come of it."""

    target: Target
    operation_id: str | None = None
    operation: Operation | None = None
    """As it was last heard of."""
    problem: str | None = None
    """Why the node did not take it."""
    lost: str | None = None
    """Why nothing is heard of the operation just now."""
    astray: bool = False
    """Whether the operation ended while nobody could hear it: only the node's journal tells how."""

    @property
    def state(self) -> State:
        """How far it is."""
        if not self.target.agreed:
            return "left out"
        if self.problem is not None:
            return "failed"
        if self.operation is not None and self.operation.result is not None:
            return "done" if self.operation.result == "done" else "failed"
        if self.lost is not None or self.astray:
            return "lost"
        return "asked" if self.operation_id is None else "in hand"


def planned(target: Target, plan: Plan) -> Target:
    """The target with what the node says that it would do."""
    refusal = plan.refusal or ("nothing would change" if plan.already_resident else None)
    return replace(target, plan=plan, refusal=refusal)


def asked_again(row: Row) -> Row:
    """The row as before it was asked, where it failed."""
    return Row(row.target) if row.state == "failed" else row


def followed(row: Row, fleet: Fleet) -> Row:
    """The row after the fleet has become this."""
    if row.operation_id is None or row.state in {"failed", "done", "left out"}:
        return row
    if (node := fleet.get(row.target.node)) is None:
        return replace(row, lost="the fleet file no longer has this node")
    found = _operation(node, row.operation_id)
    if found is not None and (node.current or found.result is not None):
        return replace(row, operation=found, lost=None, astray=False)
    if not node.current:
        return replace(row, lost=unconnected(node))
    return replace(row, lost=None, astray=row.astray or row.lost is not None or row.operation is not None)


def found_in(row: Row, journal: Iterable[Operation]) -> Row:
    """The row with what the node's journal has of its operation, where that went astray."""
    ended = next((one for one in journal if one.id == row.operation_id), None)
    if ended is not None:
        return replace(row, operation=ended, lost=None, astray=False)
    return replace(row, astray=False, problem="the node no longer knows of the operation")


def unfinished(subject: Subject, rows: Iterable[Row]) -> bool:
    """Whether something that was asked about this failed, or was lost sight of."""
    return any(
        row.state in {"failed", "lost"}
        and row.target.node == subject.node.name
        and subject.model in {None, getattr(row.target.request, "model", subject.model)}
        for row in rows
    )


def listed(rows: Iterable[Row]) -> tuple[Row, ...]:
    """The rows, failures first, otherwise as they were."""
    return tuple(sorted(rows, key=lambda row: ORDER.index(row.state)))


def over(rows: Iterable[Row]) -> bool:
    """Whether nothing more is awaited of nodes that can be heard."""
    return not any(row.state in {"asked", "in hand"} for row in rows)


def nodes_of(targets: Iterable[Target]) -> tuple[str, ...]:
    """The nodes that would be asked, each once."""
    return tuple(dict.fromkeys(target.node for target in targets if target.agreed))


def _operation(node: NodeState, operation_id: str) -> Operation | None:
    """What the node last told of an operation."""
    ended = (*node.ended, node.last) if node.last else node.ended
    known = (*(end.operation for end in ended), *node.operations)
    return next((one for one in known if one.id == operation_id), None)
