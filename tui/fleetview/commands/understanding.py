"""A line that was typed becomes what it asks for, or a sentence that says why it cannot be."""

from __future__ import annotations

import shlex
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from fleetview.commands.table import CHANGES, COMMANDS, FILTER
from fleetview.config_errors import instead
from fleetview.fleet import NodeState, unconnected
from fleetview.fleet.refusals import NodeVerb
from fleetview.present.filtering import FilterError, parsed
from fleetview.present.table.columns import COLUMNS
from fleetview.present.table.node_filter import NODE_FIELDS
from fleetview.present.table.wrong_columns import wrong_column
from fleetview.screens.desk import Desk
from fleetview.themes import known_themes
from fleetview.wishes.possible import why_not
from fleetview.wishes.subject import Subject
from fleetview.words.exits import CommandError
from fleetview.words.names import pick_backend, pick_model, pick_node
from fleetview.words.parser import WrongWords, parse_here
from fleetview.words.requests import change_request, swap_request
from fleetview_agent.wire import BackendState, Order

FILE_ORDER = "file"


class NotUnderstood(Exception):
    """Why a line cannot be carried out, in a sentence."""


@dataclass(frozen=True)
class Command:
    """What a line asks for."""

    verb: str
    arguments: Namespace
    subject: Subject | None = None
    """The node, with the model where one is named."""
    order: Order | None = None
    """The change that it asks for; whether that is agreed to is another matter."""


def understood(line: str, desk: Desk) -> Command:
    """What the line asks for. Raises NotUnderstood."""
    verb, _, rest = line.strip().removeprefix(":").strip().partition(" ")
    if verb == FILTER:
        return _filter(rest.strip())
    try:
        arguments = parse_here(shlex.split(f"{verb} {rest}"), COMMANDS)
        if arguments.verb in CHANGES and desk.readonly:
            raise NotUnderstood(f"{arguments.verb} changes a node, and this dashboard was started with --readonly")
        return _checked(arguments, desk)
    except ValueError:
        raise NotUnderstood("a quotation mark has no other one") from None
    except WrongWords as problem:
        raise NotUnderstood(_plainly(str(problem), verb)) from None
    except CommandError as problem:
        raise NotUnderstood(str(problem)) from None


def _plainly(sentence: str, verb: str) -> str:
    """What argparse says, as one would say it here."""
    if "arguments are required" in sentence:
        return f"{verb} needs {sentence.rpartition(': ')[2]}"
    if sentence.startswith("unrecognized arguments"):
        return f"{verb} takes no {sentence.rpartition(': ')[2]}"
    return sentence


def _filter(text: str) -> Command:
    """Which nodes are to be shown. Raises NotUnderstood."""
    try:
        parsed(text, NODE_FIELDS)
    except FilterError as problem:
        raise NotUnderstood(str(problem)) from None
    return Command(FILTER, Namespace(text=text))


def _checked(arguments: Namespace, desk: Desk) -> Command:
    """The command with the node and the model that it names. Raises NotUnderstood, CommandError."""
    match arguments.verb:
        case "sort" if arguments.column not in (*COLUMNS, FILE_ORDER):
            raise NotUnderstood(wrong_column(arguments.column))
        case "columns":
            _known_columns(arguments.columns)
        case "theme" if arguments.theme not in known_themes():
            near = instead(arguments.theme, known_themes(), "tab shows all")
            raise NotUnderstood(f"there is no theme {arguments.theme}{near}")
        case "q":
            return Command("quit", arguments)
        case _:
            pass
    names = _nodes(arguments)
    for name in names:
        pick_node(desk.config, name)
    if not names:
        return Command(arguments.verb, arguments)
    return _about(arguments, desk.fleet()[names[0]], desk)


def _known_columns(names: Sequence[str]) -> None:
    """See that all of these are columns. Raises NotUnderstood."""
    for name in names:
        if name not in COLUMNS:
            raise NotUnderstood(wrong_column(name))


def _nodes(arguments: Namespace) -> tuple[str, ...]:
    """The nodes that are named, in their order."""
    words = vars(arguments)
    one = words.get("node") or words.get("from") if arguments.verb != "create" else words.get("node")
    return (*((one,) if one else ()), *(words.get("nodes") or ()), *(words.get("tos") or ()))


@dataclass(frozen=True)
class _Engines:
    """What a node has, as requests are made of it."""

    backends: tuple[BackendState, ...]


def _about(arguments: Namespace, node: NodeState, desk: Desk) -> Command:
    """The command about a node. Raises NotUnderstood, CommandError."""
    verb = arguments.verb
    changes = verb in CHANGES or verb == "plan"
    if changes and (not node.current or node.machine is None):
        raise NotUnderstood(f"{node.name} is not connected: {unconnected(node)}")
    engines = _Engines(tuple(node.backends.values()))
    if verb in {"copy", "chat", "bench", "plan"} and arguments.model is not None:
        backend, model = pick_model(node.name, engines.backends, arguments.model)
        subject = Subject(node, backend, model)
        order: Order | None = None
        if verb == "plan":
            order = swap_request(arguments, node.name, engines, backend, model)
    elif verb in CHANGES and verb != "copy":
        order = change_request(arguments, node.name, engines).model_copy(update={"author": desk.author})
        subject = Subject(node, getattr(order, "backend", None), getattr(order, "model", None))
    else:
        if verb == "logs" and arguments.backend not in {None, "agent"}:
            pick_backend(node.name, engines.backends, arguments.backend)
        subject, order = Subject(node), None
    if verb in get_args(NodeVerb) and (reason := why_not(subject, verb)):
        raise NotUnderstood(reason)
    return Command(verb, arguments, subject, order)
