"""Which key does what: as declared by the app, screens and widgets, and as `[keys]` of the fleet file has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import ModalScreen

from fleetview.app_keys import APP_KEYS
from fleetview.config_errors import Finding, instead
from fleetview.key_names import normal, objection

Keys = Mapping[str, tuple[str, ...]]
"""Ids of actions → their keys, as Textual names them."""


@dataclass(frozen=True)
class Scope:
    """Keys that are heard at the same time."""

    owners: tuple[type[DOMNode], ...]
    """A screen and its widgets."""
    keys: Keys


def scopes() -> tuple[Scope, ...]:
    """Every screen with the keys that work on it: its own, those of its widgets, the app's unless it is a dialog."""
    # Chats bring Markdown, for which the first paint waits only where the fleet file has keys.
    from fleetview.screens.bench import Bench
    from fleetview.screens.bulk import Bulk
    from fleetview.screens.chat.chat_list import ChatList, ChatSearchLine, Former
    from fleetview.screens.chat.prompt_search import PromptSearch, PromptSearchLine
    from fleetview.screens.chat.screen import ChatScreen
    from fleetview.screens.chat.settings import ChatSettings, SettingLine, SystemText
    from fleetview.screens.chat.targets import ChatTargets, TargetLine
    from fleetview.screens.choose import Choose
    from fleetview.screens.command_line import CommandLine
    from fleetview.screens.confirm import Confirm
    from fleetview.screens.fleet import FleetScreen
    from fleetview.screens.health import Health
    from fleetview.screens.help import Help
    from fleetview.screens.journal import JournalScreen
    from fleetview.screens.leavers import Leavers
    from fleetview.screens.logs import LogsScreen
    from fleetview.screens.models.copy import CopyModel
    from fleetview.screens.models.places import Places
    from fleetview.screens.models.screen import ModelsScreen
    from fleetview.screens.node import NodeScreen, Pane
    from fleetview.screens.passphrase import Passphrase, Secret
    from fleetview.screens.pick_model import PickModel
    from fleetview.screens.results import Results
    from fleetview.screens.show_operation import ShowOperation
    from fleetview.screens.show_plan import ShowPlan
    from fleetview.screens.sort_by import SortBy
    from fleetview.screens.sort_models import SortModels
    from fleetview.screens.trust_host import TrustHost
    from fleetview.screens.type_name import NameLine, TypeName
    from fleetview.screens.why import Why
    from fleetview.widgets.command_input import CommandInput
    from fleetview.widgets.filter_line import FilterLine
    from fleetview.widgets.fleet_table import FleetTable
    from fleetview.widgets.log_lines import LogView
    from fleetview.widgets.model_filter import ModelFilter
    from fleetview.widgets.model_matrix import ModelMatrix
    from fleetview.widgets.prompt import Prompt
    from fleetview.widgets.row_list import RowList
    from fleetview.widgets.transcript import Transcript

    owners: tuple[tuple[type[DOMNode], ...], ...] = (
        (FleetScreen, FleetTable),
        (FilterLine,),
        (NodeScreen, Pane),
        (ChatScreen, Prompt, Transcript),
        (ChatTargets, TargetLine),
        (ChatSettings, SystemText, SettingLine),
        (ChatList, Former, ChatSearchLine),
        (PromptSearch, PromptSearchLine),
        (PickModel, ModelFilter),
        (Leavers,),
        (JournalScreen, RowList),
        (ShowOperation,),
        (Choose,),
        (ShowPlan,),
        (Bulk,),
        (Bench,),
        (Results,),
        (SortBy,),
        (TypeName, NameLine),
        (Confirm,),
        (CommandLine, CommandInput),
        (TrustHost,),
        (Passphrase, Secret),
        (Help,),
        (Health,),
        (LogsScreen, LogView),
        (Why,),
        (ModelsScreen, ModelMatrix),
        (Places,),
        (CopyModel,),
        (SortModels,),
    )
    everywhere = _keys_of(APP_KEYS)
    return tuple(
        Scope(parts, {**({} if issubclass(parts[0], ModalScreen) else everywhere), **_keys_of(_declared(parts))})
        for parts in owners
    )


def _declared(owners: Iterable[type[DOMNode]]) -> Iterator[Binding]:
    """The bindings with an id of these classes and of those that they are made from."""
    for owner in owners:
        for part in _inherited(owner):
            yield from (one for one in part.__dict__.get("BINDINGS", ()) if isinstance(one, Binding) and one.id)


def _inherited(owner: type[DOMNode]) -> tuple[type, ...]:
    """Whose bindings a class has, the most general first: none beyond a class that does not inherit any."""
    above = owner.__mro__
    last = next((place for place, part in enumerate(above) if part.__dict__.get("_inherit_bindings") is False), None)
    return tuple(reversed(above if last is None else above[: last + 1]))


def _keys_of(bindings: Iterable[Binding]) -> Keys:
    """Bindings as ids and keys."""
    return {one.id: tuple(key.key for key in Binding.make_bindings((one,))) for one in bindings if one.id}


def default_keys() -> Keys:
    """Every action that `[keys]` may name, with its keys; one that has other keys elsewhere has all of them."""
    found: dict[str, tuple[str, ...]] = {}
    for scope in scopes():
        for name, keys in scope.keys.items():
            found[name] = tuple(dict.fromkeys((*found.get(name, ()), *keys)))
    return found


def textual_keymap(keys: Mapping[str, str | tuple[str, ...]]) -> dict[str, str]:
    """`[keys]` as `App.set_keymap` takes it: with every action, since Textual takes a whole key from all who share it.

    Actions whose keys differ from screen to screen are there only when they are named.
    """
    if not keys:
        return {}
    found: dict[str, set[tuple[str, ...]]] = {}
    for scope in scopes():
        for name, own in scope.keys.items():
            found.setdefault(name, set()).add(own)
    complete = {name: next(iter(several)) for name, several in found.items() if len(several) == 1}
    return {name: ",".join(own) for name, own in {**complete, **_wished(keys)}.items()}


def _wished(keys: Mapping[str, str | tuple[str, ...]]) -> Keys:
    """`[keys]` with keys as Textual names them."""
    return {name: tuple(map(normal, (own,) if isinstance(own, str) else own)) for name, own in keys.items()}


def wrong_keys(document: Mapping[str, Any]) -> Iterator[Finding]:  # Any: a parsed file, of which nothing is certain yet
    """What is wrong with `[keys]` of a fleet file, as far as its form is right."""
    section = document.get("keys")
    written = {
        name: (own,) if isinstance(own, str) else tuple(own)
        for name, own in (section.items() if isinstance(section, Mapping) else ())
        if isinstance(own, str) or (isinstance(own, list) and all(isinstance(key, str) for key in own))
    }
    if not written:
        return
    known = default_keys()
    possible: dict[str, tuple[str, ...]] = {}
    for name, own in written.items():
        place = ("keys", name)
        if name not in known:
            yield place, f"there is no action {name}{instead(name, known, '`fleetview config schema` lists all')}"
            continue
        if not own:
            yield place, f"keys.{name} must have at least one key"
        objections = {key: objection(name, key) for key in own}
        yield from ((place, f"keys.{name} {why}") for why in objections.values() if why)
        possible[name] = tuple(key for key, why in objections.items() if why is None)
    yield from _clashes(_wished(possible))


def _clashes(wished: Keys) -> Iterator[Finding]:
    """Keys that would do two things on one screen, and do not by our own declaration."""
    told: set[frozenset[str]] = set()
    for scope in scopes():
        mine = {name: keys for name, keys in wished.items() if name in scope.keys}
        for name, other in ((name, other) for name in mine for other in scope.keys if other != name):
            ours = set(scope.keys[name]) & set(scope.keys[other])
            shared = set(mine[name]) & set(mine.get(other, scope.keys[other])) - ours
            if shared and (pair := frozenset((name, other))) not in told:
                told.add(pair)
                yield ("keys", name), f"keys.{name} cannot be {min(shared)}: that is the key of {other}"
