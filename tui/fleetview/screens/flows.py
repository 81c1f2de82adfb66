"""Dialogs that lead from a key to a request, one after the other; each hands back None where the operator leaves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from textual.app import App

from fleetview.changes import keeping, serving
from fleetview.fleet import NodeState, keepable
from fleetview.picking import unaskable
from fleetview.present import dialogs, plain
from fleetview.present.operations import in_hand, subject
from fleetview.present.text import text_of
from fleetview.screens.choose import Choose
from fleetview.screens.confirm import Confirm
from fleetview.screens.desk import Desk
from fleetview.screens.show_plan import ShowPlan
from fleetview.screens.type_name import TypeName
from fleetview_agent.wire import (
    BackendState,
    DeleteRequest,
    ModelFile,
    Operation,
    Order,
    PullRequest,
    ResidentModel,
    UndoRequest,
    UnloadRequest,
)

Residents = tuple[tuple[str, ResidentModel], ...]
Flow = Callable[[App[None], NodeState, Desk], Awaitable[Order | None]]


async def resident(app: App[None], title: str, models: Residents) -> tuple[str, ResidentModel] | None:
    """The one model, or the one that the operator chooses; None where no request can name it."""
    place = await _one_of(app, title, tuple(f"{backend}/{model.name}" for backend, model in models))
    if place is None or not _can_name(app, models[place][0], models[place][1].name):
        return None
    return models[place]


async def operation(app: App[None], node: NodeState) -> Operation | None:
    """The operation that is to be cancelled, after asking."""
    place = await _one_of(app, f"Cancel on {node.name}", tuple(text_of(in_hand(one)) for one in node.operations))
    if place is None:
        return None
    chosen = node.operations[place]
    title = f"Cancel the {chosen.request.verb} of {subject(chosen.request)} on {node.name}"
    agreed = await app.push_screen_wait(Confirm(title, dialogs.cancelling(chosen), "yes, cancel it"))
    return chosen if agreed else None


async def unload(app: App[None], node: NodeState, desk: Desk) -> Order | None:
    """Take a model out of memory, or end the process of one that was orphaned, after asking."""
    chosen = await resident(app, f"Unload from {node.name}", node.resident)
    if chosen is None:
        return None
    backend, model = chosen
    title = f"Unload {plain(model.name)} from {node.name}"
    if model.phase == "orphaned":
        title = f"End the orphaned {plain(model.name)} on {node.name}"
    if not await app.push_screen_wait(Confirm(title, dialogs.unloading(node, backend, model))):
        return None
    return UnloadRequest(author=desk.author, backend=backend, model=model.name)


async def keep(app: App[None], node: NodeState, desk: Desk) -> Order | None:
    """Say how long a model stays; the menu is the consent."""
    chosen = await resident(app, f"Keep on {node.name}", keepable(node))
    if chosen is None:
        return None
    wishes = keeping(node, *chosen, desk.author)
    title = f"Keep {plain(chosen[1].name)} on {node.name}"
    place = await app.push_screen_wait(Choose(title, tuple(wish.label for wish in wishes)))
    return None if place is None else wishes[place].request


async def serve(app: App[None], node: NodeState, desk: Desk) -> Order | None:
    """Start, stop or restart the server of an engine, after showing who runs it and every command."""
    wishes = serving(node, desk.author)
    place = await app.push_screen_wait(Choose(f"On {node.name}", tuple(wish.label for wish in wishes)))
    if place is None:
        return None
    wish = wishes[place]
    title = f"{wish.label.capitalize()} on {node.name}"
    agreed = await app.push_screen_wait(ShowPlan(title, node, partial(desk.plan, node.name, wish.request)))
    return wish.request if agreed else None


async def pull(app: App[None], node: NodeState, desk: Desk) -> Order | None:
    """Fetch a model whose name is typed."""
    engines = node.able("pull")
    place = await _one_of(app, f"Pull on {node.name} with", tuple(state.backend for state in engines))
    if place is None:
        return None
    engine = engines[place]
    lines = dialogs.pulling(engine)
    name = await app.push_screen_wait(TypeName(f"Pull to {node.name}", lines, "name, as in gemma3:27b"))
    if name is None or not _can_name(app, engine.backend, name):
        return None
    return PullRequest(author=desk.author, backend=engine.backend, model=name)


async def delete(app: App[None], node: NodeState, desk: Desk) -> Order | None:
    """Delete a model whose name is typed once more."""
    files = tuple((state, file) for state in node.able("delete") for file in state.models if not file.undeletable)
    names = tuple(f"{state.backend}/{file.name}" for state, file in files)
    place = await app.push_screen_wait(Choose(f"Delete on {node.name}", names))
    if place is None or not _may_go(app, *files[place]):
        return None
    state, file = files[place]
    title = f"Delete {plain(file.name)} from {node.name}"
    lines = dialogs.deleting(node, state, file)
    if await app.push_screen_wait(TypeName(title, lines, "its name", file.name.strip())) is None:
        return None
    return DeleteRequest(author=desk.author, backend=state.backend, model=file.name)


async def undo(app: App[None], node: NodeState, desk: Desk) -> Order | None:
    """Take back the last operation, after showing what that does."""
    wish = UndoRequest(author=desk.author)
    title = f"Undo on {node.name}"
    agreed = await app.push_screen_wait(ShowPlan(title, node, partial(desk.plan, node.name, wish)))
    return wish if agreed else None


CHANGES: Mapping[str, Flow] = {
    "unload": unload,
    "keep": keep,
    "serve": serve,
    "pull": pull,
    "delete": delete,
    "undo": undo,
}
"""Names of keys' actions → what they ask before they change anything."""


async def _one_of(app: App[None], title: str, names: tuple[str, ...]) -> int | None:
    """The place of the only one, or of the one that the operator chooses."""
    if len(names) <= 1:
        return 0 if names else None
    return await app.push_screen_wait(Choose(title, names))


def _may_go(app: App[None], state: BackendState, file: ModelFile) -> bool:
    """Whether a model can be deleted just now; says so when it cannot."""
    if any(model.name == file.name for model in state.resident):
        text = f"{plain(file.name, 60)} is in memory; unload it with x before it is deleted"
        app.notify(text, severity="warning", markup=False)
        return False
    return _can_name(app, state.backend, file.name)


def _can_name(app: App[None], backend: str, model: str) -> bool:
    """Whether a request can name the model; says so when none can."""
    if reason := unaskable(backend, model):
        app.notify(f"{plain(model, 60)}: {reason}", severity="warning", markup=False)
    return reason is None
