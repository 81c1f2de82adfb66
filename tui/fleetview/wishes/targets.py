"""What a verb asks of a row, or why it cannot be asked; the same for one row and for many. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from fleetview.fleet import Fleet, NodeState, NodeVerb, keepable, refusal
from fleetview.models.picking import Choice, choices, unaskable
from fleetview.wishes.batch import Target
from fleetview.wishes.changes import keeping, serving
from fleetview.wishes.subject import Subject

if TYPE_CHECKING:
    from fleetview_agent.wire import (
        BackendState,
        ModelFile,
        ResidentModel,
    )

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


def swap(subject: Subject, name: str | None, evict: str, author: str) -> Target:
    """Put a model into memory."""
    node = subject.node.name
    if reason := away(subject):
        return Target(node, refusal=reason)
    row = loadable(subject, name)
    if row is None or row.refusal is not None:
        return Target(node, refusal=row.refusal if row else f"it has no {name or subject.model}")
    from fleetview_agent.wire import LoadOptions, SwapRequest  # the first paint does not wait for the wire models

    leaves = (row.replaces,) if evict == "auto" and row.replaces else evict
    fields = {"author": author, "backend": row.backend, "model": row.file.name, "evict": leaves}
    return Target(node, SwapRequest.model_validate({**fields, "options": LoadOptions(context=row.context)}))


def unload(subject: Subject, name: str | None, author: str) -> tuple[Target, ...]:
    """Take `BACKEND/MODEL` out of memory, or everything that the row is about."""
    node = subject.node
    models = named(meant(subject, node.resident), name)
    if reason := away(subject) or (None if models else f"{_called(subject, name)} is not in memory"):
        return (Target(node.name, refusal=reason),)
    from fleetview_agent.wire import UnloadRequest  # the first paint does not wait for the wire models

    return tuple(
        Target(node.name, UnloadRequest(author=author, backend=backend, model=model.name))
        if unaskable(backend, model.name) is None
        else Target(node.name, refusal=unaskable(backend, model.name))
        for backend, model in models
    )


def keep(subject: Subject, name: str | None, kind: str, author: str) -> tuple[Target, ...]:
    """Say how long models stay, by a line of the menu."""
    node = subject.node
    models = named(meant(subject, node.ready), name)
    if reason := away(subject) or (None if models else f"{_called(subject, name)} is not ready"):
        return (Target(node.name, refusal=reason),)
    targets = []
    for backend, model in models:
        wishes = keeping(node, backend, model, author) if unaskable(backend, model.name) is None else ()
        wish = next((one for one in wishes if one.kind == kind), None)
        lack = f"{backend}/{model.name} cannot be told that, or stays so already"
        targets.append(Target(node.name, wish.request) if wish else Target(node.name, refusal=lack))
    return tuple(targets)


def serve(subject: Subject, label: str, author: str) -> Target:
    """Start, stop or restart an engine, by a line of the menu."""
    node = subject.node
    if reason := away(subject):
        return Target(node.name, refusal=reason)
    wish = next((one for one in serving(node, author) if one.label == label), None)
    if wish is not None:
        return Target(node.name, wish.request)
    verb, _, backend = label.partition(" ")
    state = node.backends.get(backend)
    if state is None:
        return Target(node.name, refusal=f"it has no {backend}")
    able = verb in state.abilities
    return Target(node.name, refusal=f"{backend} is {state.phase}" if able else f"nothing there can {label}")


def pull(subject: Subject, backend: str, name: str, author: str) -> Target:
    """Fetch a model by its name."""
    node = subject.node
    able = any(state.backend == backend for state in node.able("pull"))
    if reason := away(subject) or (None if able else f"it has no {backend} that can pull a model"):
        return Target(node.name, refusal=reason)
    from fleetview_agent.wire import PullRequest  # the first paint does not wait for the wire models

    return Target(node.name, PullRequest(author=author, backend=backend, model=name))


def delete(subject: Subject, name: str | None, author: str) -> Target:
    """Delete a model from the disk."""
    node = subject.node
    found = [pair for pair in deletable(subject) if (name or subject.model) == pair[1].name]
    lack = None if found else f"it has no {name or subject.model} that can be deleted from here"
    if reason := away(subject) or lack:
        return Target(node.name, refusal=reason)
    state, file = found[0]
    reason = unaskable(state.backend, file.name)
    if any(model.name == file.name for model in state.resident):
        reason = f"{file.name} is in memory there; unload it with x first"
    from fleetview_agent.wire import DeleteRequest  # the first paint does not wait for the wire models

    request = DeleteRequest(author=author, backend=state.backend, model=file.name) if reason is None else None
    return Target(node.name, request, reason)


def undo(subject: Subject, author: str) -> Target:
    """Take back the node's last operation."""
    from fleetview_agent.wire import UndoRequest  # the first paint does not wait for the wire models

    reason = away(subject)
    return Target(subject.node.name, None if reason else UndoRequest(author=author), reason)


def away(subject: Subject) -> str | None:
    """Why the node cannot be asked anything."""
    node = subject.node
    if node.current and node.machine is not None:
        return None
    return f"not connected: {node.reason}" if node.reason else "not connected"


def named(models: Residents, name: str | None) -> Residents:
    """The models of this `BACKEND/MODEL`; all of them where there is no name."""
    return tuple(pair for pair in models if name is None or f"{pair[0]}/{pair[1].name}" == name)


def _called(subject: Subject, name: str | None) -> str:
    """What is looked for."""
    return name or subject.model or "a model"


def names_in(subjects: Iterable[Subject], of: Callable[[Subject], Iterable[str]]) -> tuple[tuple[str, int], ...]:
    """Every name that rows have, and how many rows have it; those of all rows first."""
    counts: dict[str, int] = {}
    for subject in subjects:
        for name in dict.fromkeys(of(subject)):
            counts[name] = counts.get(name, 0) + 1
    return tuple(sorted(counts.items(), key=lambda pair: -pair[1]))
