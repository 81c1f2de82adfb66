"""What can be asked of a node from a menu: a line for each request. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetview.fleet import SERVER_VERBS, NodeState

if TYPE_CHECKING:
    from fleetview_agent.wire import (
        BackendState,
        Keep,
        Request,
        ResidentModel,
        ServerRequest,
    )

KEEPS: tuple[tuple[str, Keep | None], ...] = (
    ("30 min after its last answer", 1800.0),
    ("2 h after its last answer", 7200.0),
    ("24 h after its last answer", 86_400.0),
    ("for good", "forever"),
)
PIN, UNPIN, DEFAULT = "pin: leaves only when named", "unpin: it may make room again", "default: as its engine likes"


@dataclass(frozen=True)
class Wish:
    """A line of a menu, and what choosing it asks for."""

    label: str
    request: Request
    kind: str
    """What is wished, whichever the engine: the same for a model of another node."""


@dataclass(frozen=True)
class ServerWish:
    """A line of a menu about an engine's server."""

    label: str
    request: ServerRequest


def keeping(node: NodeState, backend: str, model: ResidentModel, author: str) -> tuple[Wish, ...]:
    """How long a resident model may stay: pinned or not, and for which time where its engine understands that."""
    from fleetview_agent.wire import (  # the first paint does not wait for the wire models
        KeepRequest,
        PinRequest,
        UnpinRequest,
    )

    abilities = node.backends[backend].abilities
    wishes: list[Wish] = []
    if model.pinned and "unpin" in abilities:
        wishes.append(Wish(UNPIN, UnpinRequest(author=author, backend=backend, model=model.name), UNPIN))
    elif not model.pinned and "pin" in abilities:
        wishes.append(Wish(PIN, PinRequest(author=author, backend=backend, model=model.name), PIN))
    for kind, keep in (*KEEPS, (DEFAULT, None)) if "keep" in abilities else ():
        label = f"default: as long as {backend} likes" if keep is None else kind
        wishes.append(Wish(label, KeepRequest(author=author, backend=backend, model=model.name, keep=keep), kind))
    return tuple(wishes)


def serving(node: NodeState, author: str) -> tuple[ServerWish, ...]:
    """What can be done to the servers of the node's engines, as they are just now."""
    from fleetview_agent.wire import (  # the first paint does not wait for the wire models
        RestartRequest,
        StartRequest,
        StopRequest,
    )

    requests = {"start": StartRequest, "stop": StopRequest, "restart": RestartRequest}
    return tuple(
        ServerWish(f"{verb} {state.backend}", requests[verb](author=author, backend=state.backend))
        for state in node.able(*SERVER_VERBS)
        for verb in _sensible(state)
    )


def _sensible(state: BackendState) -> tuple[str, ...]:
    """The verbs that would change something about a backend as it is just now."""
    if state.phase == "failed":
        wanted: tuple[str, ...] = SERVER_VERBS
    elif state.phase != "ready":
        wanted = ("start",)
    elif state.address or state.resident:
        wanted = ("restart", "stop")
    else:  # an engine without a server of its own runs as long as it holds models
        wanted = ("start",)
    return tuple(verb for verb in wanted if verb in state.abilities)
