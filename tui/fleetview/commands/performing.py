"""What was typed is carried out: views and the picture at once, changes of a node after their dialog."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from textual.app import App
from textual.screen import Screen

from fleetview.commands.understanding import Command
from fleetview.messages import ChangeRequested, ChatRequested, LogsRequested, NodeRequested
from fleetview.models.inventory import Inventory
from fleetview.present import plain
from fleetview.present.node.health import health
from fleetview.present.operations.progress import subject as target_of
from fleetview.screens import flows
from fleetview.screens.bench import Bench
from fleetview.screens.desk import Desk
from fleetview.screens.fleet import FleetScreen
from fleetview.screens.health import Health
from fleetview.screens.models.moves import Moving, copy, fit
from fleetview.screens.show_plan import ShowPlan
from fleetview.wishes.subject import Subject
from fleetview_agent.wire import Order


class Picture(Protocol):
    """What the app lets the command line change of itself."""

    def choose_theme(self, name: str | None) -> None:
        """Take other colours."""

    def use_mouse(self, on: bool) -> None:
        """Take the mouse from the terminal, or give it back."""


@dataclass(frozen=True)
class Doing:
    """A command, and what carrying it out needs."""

    command: Command
    app: App[None]
    picture: Picture
    desk: Desk
    now: float
    """For ages."""

    @property
    def subject(self) -> Subject:
        """The node that it is about, which only commands about one ask for."""
        assert self.command.subject is not None
        return self.command.subject


async def perform(doing: Doing) -> None:
    """Carry out a command."""
    verb, subject = doing.command.verb, doing.command.subject
    if verb in _DIRECT:
        await doing.app.run_action(_DIRECT[verb])
    elif verb in _ON_THE_FLEET:
        await doing.app.run_action("app.fleet")
        _on_the_fleet(doing, doing.app.screen)
    elif verb in _PICTURE:
        _PICTURE[verb](doing)
    elif verb == "plan" and subject is None:
        await _fits(doing)
    elif subject is None:
        await doing.app.run_action(_ALONE.get(verb, "app.fleet"))
    else:
        await _ABOUT.get(verb, _change)(doing)


def _on_the_fleet(doing: Doing, screen: Screen[object]) -> None:
    """Change how the nodes are shown."""
    if not isinstance(screen, FleetScreen):
        return
    arguments = doing.command.arguments
    match doing.command.verb:
        case "sort":
            screen.action_sort(arguments.column)
        case "group":
            screen.choose_group(None if arguments.by == "none" else arguments.by)
        case "columns":
            screen.choose_columns(tuple(arguments.columns))
        case "filter":
            screen.choose_filter(arguments.text)
        case _:
            screen.action_wide()


async def _change(doing: Doing) -> None:
    """Ask for a change once its dialog was agreed to."""
    order, subject = doing.command.order, doing.subject
    if order is None:
        return
    if flow := _DIALOGS.get(order.verb):
        agreed = await flow(doing.app, subject, doing.desk)
    else:
        agreed = order if await _planned(doing, order) else None
    if agreed is not None and not isinstance(agreed, str):  # a command names its model, and never means everything
        doing.app.post_message(ChangeRequested(subject.node.name, agreed))


async def _planned(doing: Doing, order: Order) -> bool:
    """Show what it would do; whether that was agreed to."""
    node = doing.subject.node
    what = "" if order.verb == "undo" else f" {plain(target_of(order))}"
    title = f"{order.verb.capitalize()}{what} on {plain(node.name)}"
    plan = partial(doing.desk.plan, node.name, order)
    dialog = ShowPlan(title, node, plan, doing.desk.fleet, readonly=doing.desk.readonly)
    return await doing.app.push_screen_wait(dialog)


async def _describe(doing: Doing) -> None:
    """Everything about the node."""
    doing.app.post_message(NodeRequested(doing.subject.node.name))


async def _logs(doing: Doing) -> None:
    """What agent and engines of the node write."""
    doing.app.post_message(LogsRequested(doing.subject.node.name, doing.command.arguments.backend))


async def _chat(doing: Doing) -> None:
    """Talk to a model of the node."""
    for one in (await flows.partners(doing.app, (doing.subject,)))[:1]:
        doing.app.post_message(ChatRequested(one.node, one.backend, one.model))


async def _health(doing: Doing) -> None:
    """What is wrong with the node."""
    node = doing.subject.node
    doing.app.push_screen(Health(node.name, health(node, doing.now)))


async def _bench(doing: Doing) -> None:
    """Measure the models of the nodes."""
    fleet = doing.desk.fleet()
    named = tuple(Subject(fleet[name]) for name in doing.command.arguments.nodes)
    doing.app.push_screen(Bench((doing.subject,) if doing.subject.model else named, doing.desk.measure))


async def _copy(doing: Doing) -> None:
    """Copy the model to the nodes that are named."""
    if moving := _moving(doing, doing.subject.model or ""):
        await copy(doing.app, moving, tuple(doing.command.arguments.tos))


def _moving(doing: Doing, model: str) -> Moving | None:
    """The model among all of the fleet; None where it is not there any more, which is then said."""
    fleet = doing.desk.fleet()
    inventory = Inventory().renewed(fleet)
    found = next((one for one in inventory.entries.values() if model in one.names), None)
    if found is None:
        doing.app.notify(f"no node has {plain(model)}", severity="warning", markup=False)
        return None
    first = doing.command.subject.node.name if doing.command.subject else None
    return Moving(found, inventory, fleet, doing.desk, doing.now, first)


async def _fits(doing: Doing) -> None:
    """Where in the fleet a model fits."""
    moving = _moving(doing, doing.command.arguments.anywhere)
    if moving and (wish := await fit(doing.app, moving)) is not None:
        doing.app.post_message(wish)


Act = Callable[[Doing], Awaitable[None]]
_DIRECT: Mapping[str, str] = {
    "fleet": "app.fleet",
    "pause": "app.pause",
    "help": "app.help",
    "palette": "app.command_palette",
    "quit": "app.quit",
    "models": "app.view('models')",
    "journal": "app.view('journal')",
}
"""Commands → actions of the app that do the same."""
_ALONE: Mapping[str, str] = {"logs": "app.view('logs')", "chat": "app.last_chat"}
"""Commands that name no node → actions of the app; all others lead to the fleet."""
_ON_THE_FLEET = frozenset({"sort", "group", "columns", "filter", "wide"})
_PICTURE: Mapping[str, Callable[[Doing], None]] = {
    "theme": lambda doing: doing.picture.choose_theme(doing.command.arguments.theme),
    "mouse": lambda doing: doing.picture.use_mouse(doing.command.arguments.switch == "on"),
}
_ABOUT: Mapping[str, Act] = {
    "node": _describe,
    "status": _describe,
    "logs": _logs,
    "chat": _chat,
    "doctor": _health,
    "bench": _bench,
    "copy": _copy,
}
"""Commands about a node; all others change it."""
_DIALOGS: Mapping[str, flows.Flow] = {"unload": flows.unload, "pull": flows.pull, "delete": flows.delete}
"""Changes whose dialog is not the plan."""
