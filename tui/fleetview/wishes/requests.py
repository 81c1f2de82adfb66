"""Requests by the name of their verb, for verbs that name a model or an engine and nothing else. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, get_args

if TYPE_CHECKING:
    from fleetview_agent.wire import Request


def about_model(verb: str, author: str, backend: str, model: str) -> Request:
    """What the verb asks for of a model, everything else left to the node."""
    return _kind(verb)(author=author, backend=backend, model=model)


def about_engine(verb: str, author: str, backend: str) -> Request:
    """What the verb asks for of an engine."""
    return _kind(verb)(author=author, backend=backend)


def _kind(verb: str) -> Callable[..., Request]:
    """The kind of request that a verb makes."""
    from fleetview_agent.wire import Request  # the first paint does not wait for the wire models

    union, _ = get_args(Request)
    kinds: dict[str, Callable[..., Request]] = {kind.model_fields["verb"].default: kind for kind in get_args(union)}
    return kinds[verb]
