"""What a verb asks of a row; the same for one row and for many. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fleetview.models.picking import unaskable
from fleetview.wishes.batch import Target
from fleetview.wishes.changes import keeping, serving
from fleetview.wishes.possible import Residents, away, deletable, loadable, meant
from fleetview.wishes.requests import about_model
from fleetview.wishes.subject import Subject


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


def resident(subject: Subject, verb: str, name: str | None, author: str) -> tuple[Target, ...]:
    """The verb for `BACKEND/MODEL` in memory, or for everything there that the row is about."""
    node = subject.node
    models = named(meant(subject, node.resident), name)
    if reason := away(subject) or (None if models else f"{_called(subject, name)} is not in memory"):
        return (Target(node.name, refusal=reason),)
    return tuple(
        Target(node.name, about_model(verb, author, backend, model.name))
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
