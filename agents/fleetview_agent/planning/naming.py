"""Finds what a request names, or says what it could have meant. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from fleetview_agent.errors import NotFound
from fleetview_agent.wire import BackendState, ModelFile, Snapshot

LATEST = ":latest"


def find_backend(name: str, node: Snapshot) -> BackendState:
    """The backend of that name. Raises NotFound."""
    state = next((one for one in node.backends if one.backend == name), None)
    if state is None:
        hint = nearest(name, [one.backend for one in node.backends])
        raise NotFound(f"there is no backend {name} on this node", hint)
    return state


def find_model(state: BackendState, name: str) -> ModelFile:
    """The backend's model of that name. Raises NotFound."""
    file = next((one for one in state.models if one.name == name), None)
    if file is None:
        hint = nearest(name, [one.name for one in state.models])
        raise NotFound(f"{state.backend} has no model {name}", hint)
    return file


def is_same(name: str, other: str) -> bool:
    """Whether two names mean one model; engines with versions mean the latest where none is named."""
    return name == other or name + LATEST == other or name == other + LATEST


def nearest(name: str, known: Sequence[str]) -> str | None:
    """What was meant, or what there is."""
    if near := difflib.get_close_matches(name, known, n=1):
        return f"did you mean {near[0]}?"
    return f"there is {', '.join(known)}" if known else None


def not_ready(state: BackendState) -> str | None:
    """Why the backend can do nothing with models just now."""
    if state.phase == "ready":
        return None
    cause = state.failure.reason if state.failure else None
    return ": ".join(part for part in (f"{state.backend} is {state.phase}", cause, state.hint) if part)
