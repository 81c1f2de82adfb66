"""What is true of the fleet, as one frozen value, and what may be done to it. Pure."""

from fleetview.fleet.applying import ENDED_SECONDS, HISTORY_SECONDS, LOGGED, alerted, apply, described
from fleetview.fleet.refusals import SERVER_VERBS, NodeVerb, keepable, refusal, unconnected
from fleetview.fleet.state import (
    DOWN_INTERVALS,
    STALE_INTERVALS,
    Change,
    Condition,
    Dropped,
    Ended,
    Fleet,
    LinkDown,
    LinkUp,
    NodeState,
    condition,
    of_disk,
)

__all__ = [
    "DOWN_INTERVALS",
    "ENDED_SECONDS",
    "HISTORY_SECONDS",
    "LOGGED",
    "SERVER_VERBS",
    "STALE_INTERVALS",
    "Change",
    "Condition",
    "Dropped",
    "Ended",
    "Fleet",
    "LinkDown",
    "LinkUp",
    "NodeState",
    "NodeVerb",
    "alerted",
    "apply",
    "condition",
    "described",
    "keepable",
    "of_disk",
    "refusal",
    "unconnected",
]
