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
    """How many words a place takes."""
    short: str | None = None
    required: bool = False
    """Whether an option has to be there."""
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
    shown: bool = True
    """Whether the last line of a screen tells the key."""

    @property
    def changes(self) -> bool:
        """Whether it changes a node."""
        return DRY_RUN in self.arguments


NODE = Argument("NODE", "a node of the fleet file")
NODES = Argument("NODE", "nodes of the fleet file; all when none is named", count="any")
MODEL = Argument("MODEL", "BACKEND/MODEL, or the model alone where that is clear")
CONTEXT = Argument("--ctx", "tokens of context", "N", "number")
EVICT = Argument("--evict", "who leaves: auto, none, all, or models by name, separated by commas", "WHO")
KEEP_FOR = Argument("--keep", "how long it stays after its last answer: 30m, 2h, forever, or default", "DURATION")
FORCE = Argument("--force", "even if it is not thought to fit")
NO_WAIT = Argument("--no-wait", "print the id of the operation, and do not wait for its end")
DRY_RUN = Argument("--dry-run", "show what would be done; changes nothing")
BACKEND = Argument("BACKEND", "an engine of the node, such as ollama")
NAME = Argument("MODEL", "BACKEND/MODEL, or the model alone where one engine of the node can do it")
HOW = (NO_WAIT, DRY_RUN)

SWAP = Verb(
    "swap",
    "swap",
    "Load a model in place of others, after showing the plan.",
    "node.swap",
    "s",
    "fleetview swap NODE MODEL",
    (NODE, MODEL, CONTEXT, EVICT, KEEP_FOR, FORCE, *HOW),
)
UNLOAD = Verb(
    "unload",
    "unload",
    "Take a model out of memory.",
    "model.unload",
    "x",
    "fleetview unload NODE MODEL",
    (NODE, MODEL, *HOW),
)
KEEP = Verb(
    "keep",
    "keep",
    "Say how long a resident model stays, or pin it.",
    "model.keep",
    "t",
    "fleetview keep NODE MODEL DURATION",
    (
        NODE,
        MODEL,
        Argument("DURATION", "after its last answer: 30m, 2h, 24h, forever, or default for the engine's own time"),
        *HOW,
    ),
)
PULL = Verb(
    "pull",
    "pull",
    "Fetch a model by name, or the rest of one that was cut short.",
    "model.pull",
    "P",
    "fleetview pull NODE MODEL",
    (NODE, NAME, *HOW),
    shown=False,
)
DELETE = Verb(
    "delete",
    "delete",
    "Delete a model from the disk; for 30 s that can be cancelled.",
    "model.delete",
    "D",
    "fleetview delete NODE MODEL",
    (NODE, MODEL, *HOW),
    shown=False,
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
    shown=False,
)
MODELS = Verb("models", "models", "List what can be loaded where, and whether it fits.", arguments=(NODES,))
PLAN = Verb(
    "plan", "plan", "Show what a swap would do; changes nothing.", arguments=(NODE, MODEL, CONTEXT, EVICT, FORCE)
)
LOAD = Verb(
    "load",
    "load",
    "Load a model beside what is there.",
    arguments=(NODE, MODEL, CONTEXT, KEEP_FOR, FORCE, *HOW),
)
START = Verb("start", "start", "Start the server of an engine.", arguments=(NODE, BACKEND, *HOW))
STOP = Verb(
    "stop", "stop", "End the server of an engine, and with it all of its models.", arguments=(NODE, BACKEND, *HOW)
)
RESTART = Verb("restart", "restart", "End the server of an engine and start it again.", arguments=(NODE, BACKEND, *HOW))
PIN = Verb("pin", "pin", "Let a resident model leave only when it is named.", arguments=(NODE, MODEL, *HOW))
UNPIN = Verb("unpin", "unpin", "Let a pinned model make room for others again.", arguments=(NODE, MODEL, *HOW))
CREATE = Verb(
    "create",
    "create",
    "Make a model of an engine out of a GGUF file on the node, or out of another model.",
    arguments=(
        NODE,
        NAME,
        Argument("--from", "BACKEND/MODEL, or the absolute path of a GGUF file on the node", "SOURCE", required=True),
        Argument("--ctx", "tokens of context that stay with the model, whoever loads it", "N", "number"),
        *HOW,
    ),
)
CONFIG = Verb(
    "config",
    "config",
    "Check the fleet file.",
    arguments=(
        Argument("ACTION", "check it, print its path, or its JSON schema", choices=("check", "path", "schema")),
    ),
)

VERBS = (
    STATUS,
    MODELS,
    PLAN,
    SWAP,
    LOAD,
    UNLOAD,
    PIN,
    UNPIN,
    KEEP,
    START,
    STOP,
    RESTART,
    PULL,
    CREATE,
    DELETE,
    CHAT,
    CONFIG,
)
