"""Names on the command line: exact, and with the nearest one where there is none."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from fleetview.config import FleetConfig, NodeConfig
from fleetview.present.hints import hint
from fleetview.words.exits import CommandError, Exit
from fleetview_agent.wire import BackendState


def pick_node(config: FleetConfig, name: str) -> NodeConfig:
    """The node of that name. Raises CommandError."""
    for node in config.nodes:
        if node.name == name:
            return node
    names = tuple(node.name for node in config.nodes)
    raise CommandError(f"there is no node {name} in the fleet{_nearest(name, names)}", Exit.USAGE)


def pick_nodes(config: FleetConfig, names: Sequence[str]) -> tuple[NodeConfig, ...]:
    """The nodes of these names, each once; all of them when none is named. Raises CommandError."""
    return tuple(pick_node(config, name) for name in dict.fromkeys(names)) if names else config.nodes


def pick_model(node: str, backends: Iterable[BackendState], word: str) -> tuple[str, str]:
    """Backend and model that are meant by BACKEND/MODEL, or by a model alone. Raises CommandError."""
    states = tuple(backends)
    resident = {(state.backend, model.name) for state in states for model in state.resident}
    known = resident | {(state.backend, model.name) for state in states for model in state.models}
    word = _tagged(word, known)
    for backend, model in known:
        if word == f"{backend}/{model}":
            return backend, model
    same = {pair for pair in known if pair[1] == word}
    if len(same) > 1 and len(same & resident) == 1:
        same &= resident
    same = _owners(states, same) if len(same) > 1 else same
    if len(same) == 1:
        return same.pop()
    if same:
        which = " or ".join(sorted(f"{backend}/{model}" for backend, model in same))
        raise CommandError(f"{word} is not clear on {node}: say {which}", Exit.USAGE)
    raise CommandError(_no_model(node, states, known, word), Exit.USAGE)


def pick_backend(node: str, backends: Iterable[BackendState], word: str) -> str:
    """The backend of that name. Raises CommandError."""
    names = tuple(state.backend for state in backends)
    if word in names:
        return word
    raise CommandError(f"there is no backend {word} on {node}{_nearest(word, names)}", Exit.USAGE)


def pick_name(node: str, backends: Iterable[BackendState], word: str, verb: str) -> tuple[str, str]:
    """Backend and name of a model that need not be there yet. Raises CommandError."""
    states = tuple(backends)
    backend, slash, name = word.partition("/")  # names have slashes too, as in hf.co/somebody/model
    if slash and name and any(state.backend == backend for state in states):
        return backend, name
    able = [state.backend for state in states if verb in state.abilities]
    if len(able) == 1:
        return able[0], word
    if able:
        which = " or ".join(f"{backend}/{word}" for backend in able)
        raise CommandError(f"{word} is not clear on {node}: say {which}", Exit.USAGE)
    raise CommandError(f"nothing on {node} can {verb} a model" + _hints(states, node), Exit.REFUSED)


def _tagged(word: str, known: set[tuple[str, str]]) -> str:
    """The word, with the tag that a name without one has by itself, where it names a model only so."""
    names = {name for backend, model in known for name in (model, f"{backend}/{model}")}
    return f"{word}:latest" if word not in names and f"{word}:latest" in names else word


def _owners(states: Sequence[BackendState], same: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Of several engines that run one file, the one that owns it, which is the one that can delete it."""
    files = {(state.backend, file.name): file.identity for state in states for file in state.models}
    identities = {files.get(pair) for pair in same}
    owners = {state.backend: state.models for state in states if "delete" in state.abilities}
    owned = {
        (backend, model)
        for backend, model in same
        if any(file.name == model and not file.undeletable for file in owners.get(backend, ()))
    }
    return owned if len(identities) == 1 and None not in identities and len(owned) == 1 else same


def _no_model(node: str, states: Sequence[BackendState], known: Iterable[tuple[str, str]], word: str) -> str:
    """Why the word means no model."""
    asleep = [state for state in states if word.startswith(f"{state.backend}/") and state.phase != "ready"]
    if asleep:
        return f"there is no knowing whether {node} has {word}" + _hints(asleep, node)
    full = {f"{backend}/{model}": f"{backend}/{model}" for backend, model in known}
    bare = {model: f"{backend}/{model}" for backend, model in known}
    near = difflib.get_close_matches(word, [*full, *bare], n=1, cutoff=0.5)
    near = near or [name for name in sorted(full) if word.lower() in name.lower()]
    if near:
        return f"there is no model {word} on {node}; did you mean {(full | bare)[near[0]]}?"
    if full:
        return f"there is no model {word} on {node}; `fleetview models {node}` lists those that there are"
    return f"there is no model on {node}" + _hints(states, node)


def _hints(states: Iterable[BackendState], node: str) -> str:
    """What to do about backends that are not ready."""
    hints = "; ".join(f"{state.backend} is {state.phase}: {hint(state, node)}" for state in states if state.hint)
    return f": {hints}" if hints else ""


def _nearest(word: str, words: Sequence[str]) -> str:
    """A question that names the nearest word, or what there is."""
    near = difflib.get_close_matches(word, words, n=1)
    return f"; did you mean {near[0]}?" if near else f"; it has {', '.join(words)}"
