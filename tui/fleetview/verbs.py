"""The one table of what can be done to a node: keys, palette, help and command line read it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Verb:
    """Something an operator does to a node or a model."""

    name: str
    """As on the command line, without the program's name."""
    label: str
    """One word for the footer."""
    summary: str
    """One sentence for help, palette and `--help`."""
    id: str | None = None
    """Of the action, for `[keys]` of the fleet file; None: no key."""
    keys: str | None = None
    """Comma-separated, as Textual spells them."""
    twin: str | None = None
    """The command line that does the same as the key, with placeholders."""


SWAP = Verb(
    "swap",
    "swap",
    "Load a model in place of others, after showing the plan.",
    "node.swap",
    "s",
    "fleetview swap NODE MODEL",
)
UNLOAD = Verb("unload", "unload", "Take a model out of memory.", "model.unload", "x", "fleetview unload NODE MODEL")
CHAT = Verb("chat", "chat", "Ask a resident model something.", "chat.open", "c", "fleetview chat NODE MODEL -p PROMPT")
STATUS = Verb(
    "status",
    "describe",
    "Show nodes, pressure, models and tokens per second.",
    "node.describe",
    "d,enter",
    "fleetview status NODE",
)
MODELS = Verb("models", "models", "List what can be loaded where, and whether it fits.")
PLAN = Verb("plan", "plan", "Show what a swap would do; changes nothing.")
LOAD = Verb("load", "load", "Load a model beside what is there.")
CONFIG = Verb("config", "config", "Check the fleet file.")

VERBS = (STATUS, MODELS, PLAN, SWAP, LOAD, UNLOAD, CHAT, CONFIG)
