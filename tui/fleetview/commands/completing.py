"""What can be typed next in the command line. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fleetview.commands.table import COLUMN, COLUMNS, COMMANDS, THEME
from fleetview.fleet import Fleet, NodeState
from fleetview.present.completion import Candidate, Completion
from fleetview.verbs import VERBS, Argument, Verb
from fleetview.verbs.arguments import BACKEND

DURATIONS = ("30m", "2h", "24h", "forever", "default")
EVICTIONS = ("auto", "none", "all")
_NODES = {"NODE", "FROM", "TO"}
_RESIDENT = {"unload", "keep", "chat", *(verb.name for verb in VERBS if verb.about == "resident")}
"""Verbs about what is in memory."""
_BY_NAME = {verb.name: verb for verb in COMMANDS}


@dataclass(frozen=True)
class Known:
    """What names there are."""

    fleet: Fleet
    columns: Sequence[str] = ()
    themes: Sequence[str] = ()


def complete(line: str, known: Known) -> Completion:
    """The words that can stand at the end of the line, those that begin as it does first."""
    *before, last = _words(line)
    start = len(line) - len(last)
    found = _candidates(tuple(before), last, known)
    begun = tuple(one for one in found if one.word.casefold().startswith(last.casefold()))
    within = tuple(one for one in found if one not in begun and last and last.casefold() in one.word.casefold())
    return Completion(start, (*begun, *within))


def _words(line: str) -> list[str]:
    """The words of the line; the last one is the one that is being typed, and may be empty."""
    words = line.split()
    return [*words, ""] if not words or line[-1].isspace() else words


def _candidates(before: tuple[str, ...], last: str, known: Known) -> tuple[Candidate, ...]:
    """Everything that makes sense after these words."""
    if not before:
        return tuple(Candidate(verb.name, verb.summary) for verb in COMMANDS)
    if (verb := _BY_NAME.get(before[0])) is None:
        return ()
    options = {name: one for one in verb.arguments for name in (one.name, one.short) if name and name.startswith("-")}
    if (option := options.get(before[-1])) is not None and option.value is not None:
        return _named(_values(option, _node(before, options, known)), option.summary)
    if last.startswith("-"):
        return tuple(Candidate(one.name, one.summary) for one in verb.arguments if one.name.startswith("-"))
    place = _place(verb, _placed(before, options))
    return () if place is None else _of_place(verb, place, _node(before, options, known), known)


def _placed(before: tuple[str, ...], options: Mapping[str, Argument]) -> tuple[str, ...]:
    """The words after the verb that are no options, and no values of some."""
    kept: list[str] = []
    words = iter(before[1:])
    for word in words:
        option = options.get(word)
        if option is None:
            kept.append(word)
        elif option.value is not None:
            next(words, None)
    return tuple(kept)


def _place(verb: Verb, placed: tuple[str, ...]) -> Argument | None:
    """The argument that the next word is for; the last one takes several where it may."""
    places = tuple(one for one in verb.arguments if not one.name.startswith("-"))
    if len(placed) < len(places):
        return places[len(placed)]
    return places[-1] if places and places[-1].count in {"any", "some"} else None


def _node(before: tuple[str, ...], options: Mapping[str, Argument], known: Known) -> NodeState | None:
    """The node that is named already."""
    return next((known.fleet[word] for word in _placed(before, options) if word in known.fleet), None)


def _of_place(verb: Verb, place: Argument, node: NodeState | None, known: Known) -> tuple[Candidate, ...]:
    """The words that can stand in a place."""
    if place.choices:
        return _named(place.choices, place.summary)
    if place.name in _NODES:
        return tuple(Candidate(one.name, one.role or "") for one in known.fleet.values())
    if place in {COLUMN, COLUMNS}:
        return _named((*known.columns, *(("file",) if place == COLUMN else ())), "")
    if place == THEME:
        return _named(known.themes, "")
    if place.name == "DURATION":
        return _named(DURATIONS, place.summary)
    if node is None:
        return ()
    if place.name == BACKEND.name:
        return tuple(Candidate(name, state.phase) for name, state in node.backends.items())
    return _models(verb, node) if place.name == "MODEL" else ()


def _models(verb: Verb, node: NodeState) -> tuple[Candidate, ...]:
    """The models of the node that the verb can be about."""
    resident = {f"{backend}/{model.name}": model.phase for backend, model in node.resident}
    if verb.name in _RESIDENT:
        return tuple(Candidate(quoted(name), phase) for name, phase in resident.items())
    files = {f"{state.backend}/{one.name}": one for state in node.backends.values() for one in state.models}
    return tuple(Candidate(quoted(name), resident.get(name, "on disk")) for name in files)


def _values(option: Argument, node: NodeState | None) -> tuple[str, ...]:
    """What an option can be given."""
    match option.name:
        case "--keep":
            return DURATIONS
        case "--evict":
            residents = (f"{backend}/{model.name}" for backend, model in node.resident) if node else ()
            return (*EVICTIONS, *map(quoted, residents))
        case _:
            return option.choices


def _named(words: Iterable[str], summary: str) -> tuple[Candidate, ...]:
    """Words that all mean the same kind of thing."""
    return tuple(Candidate(word, summary) for word in words)


def quoted(word: str) -> str:
    """The word so that it is one."""
    return shlex.quote(word)
