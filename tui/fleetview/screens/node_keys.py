"""The keys that act on a node, and which of them change one."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from fleetview.verbs import BENCH, CHAT, COPY, DELETE, DOCTOR, KEEP, LOGS, PULL, STATUS, SWAP, UNDO, UNLOAD, Verb

CHANGING = frozenset(
    {"swap", "unload", "keep", "actions", "pull", "copy", "delete", "undo", "cancel_operation", "shell"}
)
"""Actions that a read-only dashboard does not have; a shell can change everything."""
ON_A_NODE = (*sorted(CHANGING), "chat", "describe", "health", "retry", "logs", "bench", "why")


def _binding(verb: Verb) -> Binding:
    """The key of a verb."""
    return Binding(verb.keys or "", verb.label, verb.label, id=verb.id, tooltip=verb.summary, show=verb.shown)


NODE_KEYS: tuple[BindingType, ...] = (
    *(_binding(verb) for verb in (SWAP, UNLOAD, CHAT)),
    Binding("exclamation_mark", "why", "why", id="node.why", tooltip="Why the last failure came about."),
    Binding(
        "ctrl+x",
        "cancel_operation",
        "cancel",
        id="operation.cancel",
        tooltip="Cancel an operation; the node goes back to where it was.",
    ),
    _binding(KEEP),
    Binding(
        "a",
        "actions",
        "more",
        id="node.actions",
        tooltip="Start, stop or restart an engine after showing how; reconnect; health.",
    ),
    *(_binding(verb) for verb in (PULL, COPY, DELETE, UNDO, STATUS, DOCTOR, BENCH, LOGS)),
    Binding("e", "shell", "shell", show=False, id="node.shell", tooltip="A shell on the node; back with exit."),
    Binding("y", "copy_row", "copy", show=False, id="view.copy", tooltip="Copy a name, the row, or a command line."),
    Binding("r", "retry", "reconnect", show=False, id="node.reconnect", tooltip="Connect now, without waiting."),
)
