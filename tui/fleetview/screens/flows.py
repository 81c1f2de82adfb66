"""Dialogs that lead from a key to a request, one after the other; each hands back None where the operator leaves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from textual.app import App

from fleetview.chats.records import Target as Partner
from fleetview.fleet import NodeState, keepable
from fleetview.models.inventory import others_with
from fleetview.models.offers import no_chat
from fleetview.models.picking import unaskable
from fleetview.present import count, plain
from fleetview.present.operations import dialogs
from fleetview.present.operations.progress import in_hand, subject
from fleetview.present.text import text_of
from fleetview.screens.choose import Choose
from fleetview.screens.confirm import Confirm
from fleetview.screens.desk import Desk
from fleetview.screens.show_plan import ShowPlan
from fleetview.screens.type_name import TypeName
from fleetview.wishes import targets
from fleetview.wishes.changes import ServerWish, keeping
from fleetview.wishes.possible import Residents, deletable, meant
from fleetview.wishes.requests import about_model
from fleetview.wishes.subject import Subject
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

PULLED = "name, as in gemma3:27b"
EVERYTHING = "everything"
"""In place of a request: unload all that the node has in memory, after showing what that does."""
Flow = Callable[[App[None], Subject, Desk], Awaitable[Order | str | None]]


async def resident(app: App[None], title: str, models: Residents) -> tuple[str, ResidentModel] | None:
    """The one model, or the one that the operator chooses; None where no request can name it."""
    place = await one_of(app, title, tuple(dialogs.in_memory(backend, model) for backend, model in models))
    if place is None or not can_name(app, models[place][0], models[place][1].name):
        return None
    return models[place]


async def partners(app: App[None], subjects: Sequence[Subject]) -> tuple[Partner, ...]:
    """Whom to talk to: the ready model of each row, chosen where a row has several; none where the operator leaves."""
    chosen: list[Partner] = []
    for about in subjects:
        node = about.node
        models, why_not = _conversing(node, meant(about, node.ready))
        if why_not is not None:
            app.notify(plain(why_not), severity="warning", markup=False)
        found = await resident(app, f"Chat on {node.name}", models)
        if found is not None:
            chosen.append(Partner(node.name, found[0], found[1].name))
        elif models:
            return ()
    return tuple(dict.fromkeys(chosen))


def _conversing(node: NodeState, models: Residents) -> tuple[Residents, str | None]:
    """Those of the models that answer prompts, and why none does where all of them only make vectors."""
    reasons = tuple(no_chat(node, backend, model.name) for backend, model in models)
    found = tuple(pair for pair, reason in zip(models, reasons, strict=True) if reason is None)
    if found or not models:
        return found, None
    return (), f"{models[0][1].name} on {node.name} cannot be asked: {reasons[0]}; s loads another one"


async def operation(app: App[None], nodes: Sequence[NodeState]) -> tuple[str, Operation] | None:
    """The node and the operation that is to be cancelled, after asking."""
    found = tuple((node.name, one) for node in nodes for one in node.operations)
    several = len(nodes) > 1
    title = f"Cancel on {count(len(nodes), 'node') if several else nodes[0].name}"
    labels = tuple((f"{name}: " if several else "") + text_of(in_hand(one)) for name, one in found)
    place = await one_of(app, title, labels)
    if place is None:
        return None
    name, chosen = found[place]
    title = f"Cancel the {chosen.request.verb} of {subject(chosen.request)} on {name}"
    agreed = await app.push_screen_wait(Confirm(title, dialogs.cancelling(chosen), "yes, cancel it"))
    return (name, chosen) if agreed else None


async def swap(app: App[None], about: Subject, desk: Desk) -> Order | None:
    """Put the model of a row into memory, after showing the plan."""
    node = about.node
    target = targets.swap(about, None, "auto", desk.author)
    if target.request is None:
        app.notify(plain(f"{node.name}: {target.refusal}"), severity="warning", markup=False)
        return None
    title = f"Swap in {plain(about.model or '')} on {node.name}"
    agreed = await app.push_screen_wait(
        ShowPlan(title, node, partial(desk.plan, node.name, target.request), desk.fleet)
    )
    return target.request if agreed else None


async def unload(app: App[None], about: Subject, desk: Desk) -> Order | str | None:
    """Take a model out of memory, or end the process of one that was orphaned, after asking; or all of them."""
    node = about.node
    models = meant(about, node.resident)
    further = (f"everything that is in memory on {node.name}",) if len(models) > 1 and about.model is None else ()
    labels = (*(dialogs.in_memory(backend, model) for backend, model in models), *further)
    place = await one_of(app, f"Unload from {node.name}", labels)
    if place == len(models) and further:
        return EVERYTHING
    if place is None or not can_name(app, models[place][0], models[place][1].name):
        return None
    backend, model = models[place]
    title = f"Unload {plain(model.name)} from {node.name}"
    if model.phase == "orphaned":
        title = f"End the orphaned {plain(model.name)} on {node.name}"
    asked = Confirm(
        title,
        dialogs.unloading(node, backend, model),
        follow=lambda: dialogs.unloading_now(desk.fleet(), node.name, backend, model.name),
    )
    if not await app.push_screen_wait(asked):
        return None
    return UnloadRequest(author=desk.author, backend=backend, model=model.name)


async def keep(app: App[None], about: Subject, desk: Desk) -> Order | None:
    """Say how long a model stays; the menu is the consent."""
    node = about.node
    chosen = await resident(app, f"Keep on {node.name}", meant(about, keepable(node)))
    if chosen is None:
        return None
    wishes = keeping(node, *chosen, desk.author)
    title = f"Keep {plain(chosen[1].name)} on {node.name}"
    place = await app.push_screen_wait(Choose(title, tuple(wish.label for wish in wishes)))
    return None if place is None else wishes[place].request


async def serve(app: App[None], node: NodeState, desk: Desk, wish: ServerWish) -> Order | None:
    """Start, stop or restart the server of an engine, after showing who runs it and every command."""
    title = f"{wish.label.capitalize()} on {node.name}"
    agreed = await app.push_screen_wait(ShowPlan(title, node, partial(desk.plan, node.name, wish.request), desk.fleet))
    return wish.request if agreed else None


async def pull(app: App[None], about: Subject, desk: Desk) -> Order | None:
    """Fetch the model of the row, or one whose name is typed."""
    node = about.node
    engines = _pulling(about)
    place = await one_of(app, f"Pull on {node.name} with", tuple(state.backend for state in engines))
    if place is None:
        return None
    engine = engines[place]
    lines = dialogs.pulling(engine)
    name = about.model
    if name is None:
        name = await app.push_screen_wait(TypeName(f"Pull to {node.name}", lines, PULLED))
    elif not await app.push_screen_wait(Confirm(f"Pull {plain(name)} to {node.name}", lines, "yes, pull it")):
        return None
    if name is None or not can_name(app, engine.backend, name):
        return None
    return PullRequest(author=desk.author, backend=engine.backend, model=name)


async def delete(app: App[None], about: Subject, desk: Desk) -> Order | None:
    """Delete a model after asking; for what may be the last copy in the fleet its name is typed once more."""
    node = about.node
    files = deletable(about)
    names = tuple(f"{state.backend}/{file.name}" for state, file in files)
    title = f"Delete on {node.name}"
    if about.model is not None:
        place = await one_of(app, title, names)
    else:  # which one is meant is never left to there being but one
        place = await app.push_screen_wait(Choose(title, names))
    if place is None or not _may_go(app, *files[place]):
        return None
    state, file = files[place]
    title = f"Delete {plain(file.name)} from {node.name}"
    having, _ = others_with(desk.fleet(), node.name, state.backend, file)
    lines = (*dialogs.elsewhere(desk.fleet(), node, state, file), *dialogs.deleting(node, state, file))
    if having:
        agreed = await app.push_screen_wait(Confirm(title, lines, "yes, delete it"))
    else:
        typed = TypeName(title, (*lines, dialogs.TYPE_IT), "its name", file.name.strip())
        agreed = await app.push_screen_wait(typed) is not None
    if not agreed:
        return None
    return DeleteRequest(author=desk.author, backend=state.backend, model=file.name)


async def undo(app: App[None], about: Subject, desk: Desk) -> Order | None:
    """Take back the last operation, after showing what that does."""
    node = about.node
    wish = UndoRequest(author=desk.author)
    title = f"Undo on {node.name}"
    agreed = await app.push_screen_wait(ShowPlan(title, node, partial(desk.plan, node.name, wish), desk.fleet))
    return wish if agreed else None


async def about_resident(verb: str, app: App[None], about: Subject, desk: Desk) -> Order | None:
    """Do to a model in memory what the verb does, after showing the plan."""
    node = about.node
    chosen = await resident(app, f"{verb.capitalize()} on {node.name}", meant(about, node.resident))
    if chosen is None:
        return None
    wish = about_model(verb, desk.author, chosen[0], chosen[1].name)
    title = f"{verb.capitalize()} {plain(chosen[1].name)} on {node.name}"
    agreed = await app.push_screen_wait(ShowPlan(title, node, partial(desk.plan, node.name, wish), desk.fleet))
    return wish if agreed else None


CHANGES: Mapping[str, Flow] = {
    "swap": swap,
    "unload": unload,
    "keep": keep,
    "pull": pull,
    "delete": delete,
    "undo": undo,
}
"""Names of keys' actions → what they ask before they change anything, where that is more than the plan."""


def flow(action: str) -> Flow:
    """What an action asks before it changes anything."""
    return CHANGES.get(action) or partial(about_resident, action)


async def one_of(app: App[None], title: str, names: tuple[str, ...]) -> int | None:
    """The place of the only one, or of the one that the operator chooses."""
    if len(names) <= 1:
        return 0 if names else None
    return await app.push_screen_wait(Choose(title, names))


def _pulling(about: Subject) -> tuple[BackendState, ...]:
    """The engines that can fetch it; the row's own where it has one that can."""
    engines = about.node.able("pull")
    return tuple(state for state in engines if state.backend == about.backend) or engines


def _may_go(app: App[None], state: BackendState, file: ModelFile) -> bool:
    """Whether a model can be deleted just now; says so when it cannot."""
    if any(model.name == file.name for model in state.resident):
        text = f"{plain(file.name, 60)} is in memory; unload it with x before it is deleted"
        app.notify(text, severity="warning", markup=False)
        return False
    return can_name(app, state.backend, file.name)


def can_name(app: App[None], backend: str, model: str) -> bool:
    """Whether a request can name the model; says so when none can."""
    if reason := unaskable(backend, model):
        app.notify(f"{plain(model, 60)}: {reason}", severity="warning", markup=False)
    return reason is None
