"""The one table of what can be done to a node: keys, palette, help and command line read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Argument:
    """A word that may follow a verb on the command line."""

    name: str
    """`NODE` for a place, `--ctx` for an option."""
    summary: str
    value: str | None = None
    """What stands for an option's value in help; None: the option is a switch."""
    kind: Literal["text", "number"] = "text"
    count: Literal["one", "optional", "any"] = "one"
    """How many words a place takes; options are always optional."""
    short: str | None = None
    choices: tuple[str, ...] = ()


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
    arguments: tuple[Argument, ...] = ()


NODE = Argument("NODE", "a node of the fleet file")
NODES = Argument("NODE", "nodes of the fleet file; all when none is named", count="any")
MODEL = Argument("MODEL", "BACKEND/MODEL, or the model alone where that is clear")
CONTEXT = Argument("--ctx", "tokens of context", "N", "number")
EVICT = Argument("--evict", "who leaves: auto, none, all, or models by name, separated by commas", "WHO")
FORCE = Argument("--force", "even if it is not thought to fit")
NO_WAIT = Argument("--no-wait", "print the id of the operation, and do not wait for its end")

SWAP = Verb(
    "swap",
    "swap",
    "Load a model in place of others, after showing the plan.",
    "node.swap",
    "s",
    "fleetview swap NODE MODEL",
    (NODE, MODEL, CONTEXT, EVICT, FORCE, NO_WAIT),
)
UNLOAD = Verb(
    "unload",
    "unload",
    "Take a model out of memory.",
    "model.unload",
    "x",
    "fleetview unload NODE MODEL",
    (NODE, MODEL, NO_WAIT),
)
CHAT = Verb(
    "chat",
    "chat",
    "Ask a resident model something.",
    "chat.open",
    "c",
    "fleetview chat NODE MODEL -p PROMPT",
    (
        NODE,
        Argument("MODEL", "BACKEND/MODEL; not needed where one model is ready", count="optional"),
        Argument("--prompt", "what to ask; otherwise it is read from standard input", "PROMPT", short="-p"),
        Argument("--system", "what the model should keep in mind", "SYSTEM", short="-s"),
    ),
)
STATUS = Verb(
    "status",
    "describe",
    "Show nodes, pressure, models and tokens per second.",
    "node.describe",
    "d,enter",
    "fleetview status NODE",
    (NODES, Argument("--watch", "again and again, until interrupted")),
)
MODELS = Verb("models", "models", "List what can be loaded where, and whether it fits.", arguments=(NODES,))
PLAN = Verb(
    "plan", "plan", "Show what a swap would do; changes nothing.", arguments=(NODE, MODEL, CONTEXT, EVICT, FORCE)
)
LOAD = Verb("load", "load", "Load a model beside what is there.", arguments=(NODE, MODEL, CONTEXT, FORCE, NO_WAIT))
CONFIG = Verb(
    "config",
    "config",
    "Check the fleet file.",
    arguments=(
        Argument("ACTION", "check it, print its path, or its JSON schema", choices=("check", "path", "schema")),
    ),
)

VERBS = (STATUS, MODELS, PLAN, SWAP, LOAD, UNLOAD, CHAT, CONFIG)
