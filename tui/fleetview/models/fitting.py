"""Where in the fleet a model fits: what each node has to say, and which of them is the best place. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from fleetview.fleet import NodeState
from fleetview_agent.wire import Plan

ORDER = ("fits", "tight", "unknown", "does_not_fit")
FITTING = frozenset(("fits", "tight"))


@dataclass(frozen=True)
class Place:
    """What one node has to say."""

    node: str
    model: str | None = None
    """`BACKEND/MODEL`; None where it has no such file."""
    resident: bool = False
    now: Plan | None = None
    """Beside what is in memory."""
    emptied: Plan | None = None
    """In place of others."""
    room_now: float | None = None
    """Of a node without the file, by its newest sample."""
    lack: str | None = None
    """Why there is no plan, though the node answers."""
    unknown: bool = False
    """Whether that is because no model of it is meant."""
    problem: str | None = None
    """Why it does not answer."""

    @property
    def fits_now(self) -> bool:
        """Whether it is there already, or could come without anyone leaving."""
        return self.resident or is_fitting(self.now)

    @property
    def best(self) -> Plan | None:
        """The plan that stands for the node: without anyone leaving, where that is enough or nothing else helps."""
        return self.emptied if self.emptied and not self.fits_now and rank(self.emptied) < rank(self.now) else self.now

    @property
    def fits(self) -> bool:
        """Whether it fits one way or the other."""
        return self.resident or is_fitting(self.best)


def said(node: NodeState) -> tuple[object, ...]:
    """What plans of a node follow from, without what changes all the time."""
    engines = tuple(
        (state.backend, state.phase, state.models, tuple((one.name, one.phase, one.pinned) for one in state.resident))
        for state in node.backends.values()
    )
    ended = node.last.operation.id if node.last else None
    return node.current, node.reason, engines, tuple(one.id for one in node.operations), ended


def spare_bytes(plan: Plan) -> int | None:
    """What would be left of the room; negative when it is too little."""
    return None if plan.room_bytes is None or plan.need_bytes is None else plan.room_bytes - plan.need_bytes


def is_fitting(plan: Plan | None) -> bool:
    """Whether there is room, and nothing else stands in the way."""
    return plan is not None and plan.verdict in FITTING and plan.refusal is None


def rank(plan: Plan | None) -> int:
    """How good a verdict is; the lower the better."""
    if plan is None or (plan.refusal and plan.verdict in FITTING):
        return len(ORDER)
    return ORDER.index(plan.verdict)


def goodness(place: Place) -> tuple[bool, bool, bool, bool, int, float]:
    """By this the best place comes first: in memory, beside the others, then by verdict and what is left."""
    spare = spare_bytes(place.best) if place.best else place.room_now
    return (
        place.problem is not None,
        place.model is None,
        not place.resident,
        not place.fits_now,
        rank(place.best),
        -(spare or 0),
    )


def planned(node: str, model: str, now: Plan, emptied: Plan) -> Place:
    """What a node has to say that has the file."""
    unusable = now.refusal if now.refusal and now.verdict in FITTING else None
    return Place(node, model, now.already_resident, now, emptied, lack=unusable)
