"""Whether a verb can be asked of a row, or why not; and what the row is about. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from fleetview.fleet import Fleet, NodeState, NodeVerb, keepable, refusal, unconnected
from fleetview.wishes.subject import Subject

if TYPE_CHECKING:
    from fleetview.models.picking import Choice
    from fleetview_agent.wire import BackendState, ModelFile, ResidentModel

Residents: TypeAlias = "tuple[tuple[str, ResidentModel], ...]"
Files: TypeAlias = "tuple[tuple[BackendState, ModelFile], ...]"


def why_not(subject: Subject, verb: NodeVerb) -> str | None:
    """Why the verb cannot be done to the row just now, in words; None when it can."""
    node = subject.node
    reason = refusal(node, verb)
    if subject.model is None or (reason and not node.current):
        return reason
    match verb:
        case "swap":
            row = loadable(subject)
            return row.refusal if row else f"{subject.model} is not on {node.name}; pull or copy it first"
        case "unload":
            return None if meant(subject, node.resident) else f"{subject.model} is not in memory on {node.name}"
        case "chat" | "keep" if not meant(subject, node.ready):
            return f"{subject.model} is not ready on {node.name}; load it with s"
        case "keep" if not meant(subject, keepable(node)):
            return f"{subject.backend} cannot be told how long a model stays"
        case "delete" if not deletable(subject):
            return f"{subject.model} cannot be deleted on {node.name} from here"
        case _:
            return reason


def why_none(subjects: Sequence[Subject], verb: NodeVerb) -> str | None:
    """Why the verb can be done to none of the rows; None where it can be done to one at least."""
    reasons: list[str] = []
    for subject in subjects:
        if (reason := why_not(subject, verb)) is None:
            return None
        reasons.append(reason)
    if len(reasons) <= 1:
        return reasons[0] if reasons else "no node is selected"
    if not any(subject.node.current for subject in subjects):
        return f"none of the {len(subjects)} marked nodes is connected"
    return f"it can be done on none of the {len(subjects)} marked rows: {reasons[0]}"


def no_copy(node: NodeState | None, fleet: Fleet) -> str | None:
    """Why no model of the node can be copied to others; None when one can."""
    if node is None:
        return "no node is selected"
    if reason := away(Subject(node)):
        return f"{node.name} is {reason}"
    if not any(file.size_bytes for state in node.backends.values() for file in state.models):
        return f"{node.name} has no file of a model"
    return None if len(fleet) > 1 else "there is no other node to copy it to"


def meant(subject: Subject, models: Residents) -> Residents:
    """Those of the models that the row is about."""
    return tuple(pair for pair in models if _is(subject, pair[0], pair[1].name))


def _is(subject: Subject, backend: str, model: str) -> bool:
    """Whether the row is about this model."""
    return subject.model in {None, model} and subject.backend in {None, backend}


def loadable(subject: Subject, name: str | None = None) -> Choice | None:
    """The model of this name or of the row, as an engine of the node can load it; else one that cannot be."""
    from fleetview.models.picking import choices  # the first paint does not wait for what takes models to choose from

    wanted = name or subject.model
    named = choices(subject.node, wanted) if wanted else ()
    rows = [row for row in named if subject.backend in {None, row.backend}]
    return next((row for row in rows if row.refusal is None), rows[0] if rows else None)


def deletable(subject: Subject) -> Files:
    """The files of the row that can be deleted."""
    return tuple(
        (state, file)
        for state in subject.node.able("delete")
        for file in state.models
        if not file.undeletable and _is(subject, state.backend, file.name)
    )


def away(subject: Subject) -> str | None:
    """Why the node cannot be asked anything."""
    node = subject.node
    if node.current and node.machine is not None:
        return None
    return f"not connected: {unconnected(node)}"
