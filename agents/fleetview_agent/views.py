"""States of backends as operators see them. Pure."""

from __future__ import annotations

from collections.abc import Collection

from fleetview_agent.backends import Backend, Supervised
from fleetview_agent.wire import BackendState

SERVER_VERBS = ("start", "stop", "restart")
"""Where the engine has no server of its own, they are about its models."""
PIN_VERBS = ("pin", "unpin")


def as_operated(state: BackendState, backend: Backend, pins: Collection[str]) -> BackendState:
    """What the backend tells, with what the agent adds to it: pins, and the verbs that it understands for it."""
    rows = (
        row if row.pinned or f"{state.backend}/{row.name}" not in pins else row.model_copy(update={"pinned": True})
        for row in state.resident
    )
    return state.model_copy(update={"resident": tuple(rows), "abilities": _abilities(state, backend)})


def without_ages(state: BackendState) -> BackendState:
    """The state without what changes by the mere passing of time; whether a model is idle at all stays."""
    rows = (
        row.model_copy(
            update={
                "idle_seconds": row.idle_seconds and 0.0,
                "expires_in_seconds": None if row.expires_in_seconds is None else 0.0,
            }
        )
        for row in state.resident
    )
    return state.model_copy(update={"resident": tuple(rows)})


def _abilities(state: BackendState, backend: Backend) -> tuple[str, ...]:
    """Verbs beyond load and unload; an engine with a server of its own knows them best."""
    if state.phase == "missing" or isinstance(backend, Supervised):
        return state.abilities
    return tuple(dict.fromkeys((*state.abilities, *SERVER_VERBS, *PIN_VERBS)))
