"""What may be done to a node just now, and why not, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, assert_never

from fleetview.fleet.state import NodeState

if TYPE_CHECKING:
    from fleetview_agent.wire import BackendState, ResidentModel

NodeVerb = Literal["swap", "unload", "chat", "keep", "serve", "pull", "delete", "undo"]
"""What keys do to a node; `serve` is starting, stopping and restarting an engine's server."""
SERVER_VERBS = ("start", "stop", "restart")


def refusal(node: NodeState, verb: NodeVerb) -> str | None:
    """Why `verb` cannot be done to `node` just now, in words; None when it can."""
    if not node.current or node.machine is None:
        return f"{node.name} is not connected: {unconnected(node)}"
    return _lack(node, verb)


def unconnected(node: NodeState) -> str:
    """Why nothing can be asked of a node just now."""
    if node.reason:
        return node.reason
    return "its first figures are awaited" if node.link == "up" else "the first try is under way"


def _lack(node: NodeState, verb: NodeVerb) -> str | None:
    """What `node` does not have that `verb` needs."""
    match verb:
        case "swap":
            return None if _files(node.backends.values()) else f"{node.name} has no model to load{_hint(node)}"
        case "unload":
            return None if node.resident else f"no model is resident on {node.name}"
        case "chat" | "keep" if not node.ready:
            return f"no model is ready on {node.name}; load one with s"
        case "chat":
            return None
        case "keep":
            return None if keepable(node) else f"no engine of {node.name} can be told how long a model stays"
        case "serve":
            return None if node.able(*SERVER_VERBS) else f"{node.name} has no server to start or stop{_hint(node)}"
        case "pull":
            return None if node.able("pull") else f"nothing on {node.name} can pull a model{_hint(node)}"
        case "delete":
            files = (file for state in node.able("delete") for file in state.models)
            deletable = any(not file.undeletable for file in files)
            return None if deletable else f"{node.name} has no model that can be deleted from here"
        case "undo":  # only the node's journal knows what there is to take back
            return None
        case _:
            assert_never(verb)


def keepable(node: NodeState) -> tuple[tuple[str, ResidentModel], ...]:
    """Backend and model of everything of which it can be said how long it stays."""
    able = {state.backend for state in node.able("pin", "unpin", "keep")}
    return tuple(pair for pair in node.ready if pair[0] in able)


def _files(backends: Iterable[BackendState]) -> bool:
    """Whether any of these has a model on the disk."""
    return any(state.models for state in backends)


def _hint(node: NodeState) -> str:
    """What to do about a backend of the node, where one says so."""
    return next((f": {state.hint}" for state in node.backends.values() if state.hint), "")
