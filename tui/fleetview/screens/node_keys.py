"""The keys that act on a node, and which of them change one."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from fleetview.verbs import CHAT, DOCTOR, KEEP, STATUS, SWAP, UNLOAD, VERBS, Verb

_KEYS = tuple(verb for verb in VERBS if verb.id)
_FIRST = (SWAP, UNLOAD, CHAT)
"""Whose keys the last line of a screen tells first."""

_OF_ONE_NODE = {
    STATUS: "Everything about the node: charts, models, engines, processes.",
    DOCTOR: "What is wrong with the node, and what to do about it.",
}
"""What a key does where the verb tells of many nodes."""


def action(verb: Verb) -> str:
    """What the key of a verb does: the verb's own dialogs, or those that any verb about a model in memory has."""
    return f"about_resident('{verb.name}')" if verb.about else verb.label


_OWN = frozenset(verb.label for verb in _KEYS if verb.changes and not verb.about)
CHANGING = _OWN | {"about_resident", "actions", "cancel_operation", "shell"}
"""Actions that a read-only dashboard does not have; a shell can change everything."""
ON_A_NODE = (*sorted(CHANGING), "chat", "describe", "health", "retry", "logs", "bench", "why")


def _binding(verb: Verb) -> Binding:
    """The key of a verb."""
    told = _OF_ONE_NODE.get(verb, verb.summary)
    return Binding(verb.keys or "", action(verb), verb.label, id=verb.id, tooltip=told, show=verb.shown)


NODE_KEYS: tuple[BindingType, ...] = (
    *(_binding(verb) for verb in _FIRST),
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
    *(_binding(verb) for verb in _KEYS if verb not in {*_FIRST, KEEP}),
    Binding("e", "shell", "shell", show=False, id="node.shell", tooltip="A shell on the node; back with exit."),
    Binding("y", "copy_row", "copy", show=False, id="view.copy", tooltip="Copy a name, the row, or a command line."),
    Binding("r", "retry", "reconnect", show=False, id="node.reconnect", tooltip="Connect now, without waiting."),
)
